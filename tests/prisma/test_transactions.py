"""Batches and interactive transactions."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_a_batch_is_one_transaction(client: Any, rich: Any) -> None:
    async with client.batch_() as batch:
        batch.category.create({"name": "a"})
        batch.category.create({"name": "b"})
    assert await client.category.count() == 2
    batch = client.batch_()
    batch.category.create({"name": "c"})
    batch.category.create({"name": "a"})
    with pytest.raises(rich.errors.UniqueViolationError):
        await batch.commit()
    assert await client.category.count() == 2


async def test_a_transaction_is_seen_by_others_only_when_it_has_committed(client: Any) -> None:
    async with client.tx() as transaction:
        await transaction.category.create({"name": "a"})
        assert await transaction.category.count() == 1
        assert await client.category.count() == 0
    assert await client.category.count() == 1


async def test_an_exception_rolls_the_transaction_back(client: Any) -> None:
    async def fail() -> None:
        async with client.tx() as transaction:
            await transaction.category.create({"name": "a"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await client.category.count() == 0


async def test_a_transaction_beyond_its_timeout_is_rolled_back(client: Any, rich: Any) -> None:
    async def dawdle() -> None:
        async with client.tx(timeout=timedelta(milliseconds=50)) as transaction:
            await transaction.category.create({"name": "a"})
            await transaction.query_raw("SELECT pg_sleep(0.3)::text")
            await transaction.category.create({"name": "b"})

    with pytest.raises(rich.errors.TransactionExpiredError):
        await dawdle()
    assert await client.category.count() == 0


async def test_waiting_for_a_connection_ends_at_max_wait(rich: Any, rich_database: Any) -> None:
    narrow = rich.Prisma(datasource={"url": rich_database.url(connection_limit="1")})
    await narrow.connect()
    try:
        async with narrow.tx() as holder:
            await holder.query_raw("SELECT 1")
            with pytest.raises(rich.engine.errors.EngineRequestError, match="given time"):
                await narrow.tx(max_wait=timedelta(milliseconds=50)).start()
        # the connection that came too late was given back
        assert await narrow.query_raw("SELECT 1 AS one") == [{"one": 1}]
    finally:
        await narrow.disconnect()


async def test_queries_of_one_client_run_at_the_same_time(client: Any) -> None:
    rows = await asyncio.gather(
        *(client.query_raw("SELECT pg_backend_pid() AS pid, pg_sleep(0.2)::text") for _ in range(3))
    )
    assert len({row[0]["pid"] for row in rows}) == 3
