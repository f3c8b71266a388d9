"""Raw SQL and metrics."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_raw_queries_take_parameters_and_return_rows(client: Any) -> None:
    rows = await client.query_raw('SELECT $1::int + 1 AS "next", $2::text AS word', 41, "it's")
    assert rows == [{"next": 42, "word": "it's"}]
    assert await client.query_first("SELECT 1 AS one WHERE false") is None


async def test_raw_rows_become_models(client: Any, rich: Any) -> None:
    await client.category.create({"name": "a"})
    rows = await client.query_raw('SELECT * FROM "Category"', model=rich.models.Category)
    assert rows[0].name == "a"


async def test_execute_raw_returns_the_number_of_rows(client: Any) -> None:
    await client.category.create_many(data=[{"name": "a"}, {"name": "b"}])
    assert await client.execute_raw('UPDATE "Category" SET name = name || $1', "!") == 2


async def test_catalogue_types_and_search_path_are_readable(client: Any) -> None:
    row = await client.query_first("SELECT relname, relkind FROM pg_class WHERE relname = 'Category'")
    assert row == {"relname": "Category", "relkind": "r"}


async def test_metrics_count_queries_and_connections(client: Any) -> None:
    before = {metric.key: metric.value for metric in (await client.get_metrics()).counters}
    await client.category.count()
    after = await client.get_metrics()
    counters = {metric.key: metric.value for metric in after.counters}
    assert counters["prisma_client_queries_total"] == before["prisma_client_queries_total"] + 1
    gauges = {metric.key: metric.value for metric in after.gauges}
    assert gauges["prisma_pool_connections_open"] >= 1
    assert "# TYPE prisma_client_queries_total counter" in await client.get_metrics(format="prometheus")
