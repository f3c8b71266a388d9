"""Many clients that miss the same answer at once ask the origin for it once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place
from tests.matrix import one_memory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("6.4")]

CLIENTS = 12


async def _until(is_true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await is_true():
            await asyncio.sleep(0.01)


@one_memory
async def test_equal_misses_share_one_fill(place: Place) -> None:
    place.direct(f"{PLANETS}; CREATE EXTENSION IF NOT EXISTS plpgsql")
    clients = [await asyncpg.connect(place.url(), statement_cache_size=0) for _ in range(CLIENTS)]
    for client in clients:
        await client.execute("SELECT 1")
    coalesced = place.proxy.figure("outcomes", "coalesced")
    with psycopg.connect(place.origin.url()) as holder:
        holder.execute("LOCK TABLE planets")
        asked = [asyncio.create_task(client.execute(NAMES)) for client in clients]
        watcher = await asyncpg.connect(place.origin.url())

        async def all_asked() -> bool:
            waiting = await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(waiting >= 1)

        await _until(all_asked)
        assert await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1
        await watcher.close()
    assert await asyncio.gather(*asked) == ["SELECT 3"] * CLIENTS
    assert place.proxy.figure("outcomes", "coalesced") - coalesced == CLIENTS - 1
    for client in clients:
        await client.close()
