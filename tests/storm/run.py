"""A storm from beginning to end: clients at work, and a look at how many connections the origin has."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import asyncpg

from tests.storm.client import ROWS, Client

if TYPE_CHECKING:
    from tests.integration.place import Place

# Of all client backends but this one, and those by which the proxy asks for itself.
_THERE: Final = """SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
 AND pid <> pg_backend_pid() AND application_name NOT LIKE 'orrery%' AND datname = current_database()"""
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """``pause_seconds``: between two questions of one client, on average."""

    clients: int
    seconds: float
    pause_seconds: float
    seed: int = 1


@dataclass(slots=True)
class Result:
    """``most``: connections that the origin had at one time."""

    asked: int = 0
    most: int = 0
    findings: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)


async def run(place: Place, plan: Plan) -> Result:
    """All clients arrive at once; the time begins when the last one is there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, plan.clients + 500)), hard))
    place.direct(ROWS.format(last=plan.clients - 1))
    chance = Random(plan.seed)
    clients = [Client(number, Random(chance.random())) for number in range(plan.clients)]
    result = Result()
    watcher = asyncio.ensure_future(_watch(place.origin.url(), result))
    await asyncio.gather(*(one.arrive(place.url()) for one in clients))
    until = time.monotonic() + plan.seconds
    await asyncio.gather(*(one.live(until, plan.pause_seconds) for one in clients))
    result.figures = json.loads(place.proxy.admin("/stats"))
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)
    result.asked = sum(one.asked for one in clients)
    result.findings += [finding for one in clients for finding in one.findings]
    return result


async def _watch(url: str, result: Result) -> None:
    connection = await asyncpg.connect(url, server_settings={"application_name": "orrery storm"})
    try:
        while True:
            result.most = max(result.most, int(await connection.fetchval(_THERE)))
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        connection.terminate()
