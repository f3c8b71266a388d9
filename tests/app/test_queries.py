"""The database goes away and comes back, and so may the engine: no request hangs, nobody restarts it."""

from __future__ import annotations

import asyncio
import time

import httpx
import psutil
import pytest

from tests.app.conftest import serving
from tests.postgres import Cluster, Database
from tests.prisma.commands import succeed

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

_BACK_SECONDS = 30.0


async def _await_ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + _BACK_SECONDS
    while (await client.get("/ready")).status_code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def _check_away(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["detail"] == "The database cannot be reached at the moment."


async def test_a_database_that_stops_is_503_and_its_return_is_noticed() -> None:
    with Cluster() as server:
        succeed("migrate", "deploy", url=server.url("planets"))
        async with serving(server.url("planets")) as client:
            assert (await client.get("/planets")).json() == []
            await asyncio.to_thread(server.stop)
            for _ in range(3):
                _check_away(await client.get("/planets"))
                _check_away(await client.post("/planets", json={"name": "X"}))
            assert (await client.get("/ready")).status_code == 503
            assert (await client.get("/health")).status_code == 200
            await asyncio.to_thread(server.start)
            await _await_ready(client)
            assert (await client.post("/planets", json={"name": "Mars"})).status_code == 201


async def test_a_start_without_the_database_serves_503_until_it_is_there() -> None:
    with Cluster() as server:
        succeed("migrate", "deploy", url=server.url("planets"))
        server.stop()
        async with serving(server.url("planets")) as client:
            _check_away(await client.get("/planets"))
            await asyncio.to_thread(server.start)
            await _await_ready(client)
            assert (await client.get("/planets")).json() == []


async def test_a_database_without_tables_says_so(database: Database) -> None:
    async with serving(database.url()) as client:
        response = await client.get("/planets")
        assert (response.status_code, response.json()["detail"]) == (503, "The database has no tables yet.")
        assert (await client.get("/ready")).status_code == 200


async def test_an_engine_that_is_killed_is_replaced_and_none_is_left_behind(
    planets_database: Database,
) -> None:
    async with serving(planets_database.url()) as client:
        engine = _newest_engine()
        engine.kill()
        _check_away(await client.get("/planets"))
        await _await_ready(client)
        successor = _newest_engine()
        assert successor.pid != engine.pid
    assert not successor.is_running()


def _newest_engine() -> psutil.Process:
    """Engines have no mark of their own; the newest is that of the application that was started last."""
    engines = [
        child for child in psutil.Process().children() if "query-engine.mjs" in " ".join(_words(child))
    ]
    return max(engines, key=psutil.Process.create_time)


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
