"""The endpoints, over a made-up house."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from proxy.admin.routes import routes
from tests.proxy.admin.house import MadeUpHouse


@pytest.fixture
def house() -> MadeUpHouse:
    return MadeUpHouse()


@pytest.fixture
async def client(house: MadeUpHouse) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(routes(house))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_live_says_that_the_process_runs(client: httpx.AsyncClient) -> None:
    assert (await client.get("/live")).json() == {"live": True}


async def test_ready_follows_the_origin(client: httpx.AsyncClient, house: MadeUpHouse) -> None:
    assert (await client.get("/ready")).status_code == 200
    house.is_ready = False
    assert (await client.get("/ready")).status_code == 503


async def test_stats_has_the_shape_others_build_on(client: httpx.AsyncClient) -> None:
    stats = (await client.get("/stats")).json()
    assert list(stats) == [
        *("version", "instance", "freshness", "outcomes", "bypass", "invalidations", "proofs"),
        *("blocks", "cache", "clients", "origin", "pinned", "audit", "latency_ms"),
    ]
    assert stats["freshness"] == {"level": "ttl", "since_seconds": 12.5, "why": "writers unknown"}
    assert stats["outcomes"]["hit"] == 3


async def test_queries_lists_templates(client: httpx.AsyncClient) -> None:
    (row,) = (await client.get("/queries")).json()
    assert row["template"] == "SELECT name FROM planet WHERE id = $1"
    assert row["hits"] == 1


async def test_metrics_is_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'orrery_outcomes_total{outcome="hit"} 3.0' in answer.text


async def test_purge_takes_a_table_or_nothing(client: httpx.AsyncClient, house: MadeUpHouse) -> None:
    assert (await client.post("/purge")).json() == {"dropped": 7}
    assert (await client.post("/purge", json={"table": "public.planet"})).json() == {"dropped": 7}
    assert house.purges == [None, "public.planet"]


async def test_a_wrong_purge_drops_nothing(client: httpx.AsyncClient, house: MadeUpHouse) -> None:
    assert (await client.post("/purge", json={"table": "nowhere"})).status_code == 404
    assert (await client.post("/purge", json={"tabel": "planet"})).status_code == 422
    assert (await client.post("/purge", json={"table": ""})).status_code == 422
    assert (await client.get("/purge")).status_code == 405
    assert house.purges == []
