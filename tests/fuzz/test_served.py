"""The proxy as a process: no hang, no growth, nothing unforeseen in its log, and nobody else disturbed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.served import Clients, Relay, Served
from tests.integration.proxy import Proxy
from tests.postgres import HOST, PASSWORD, SUPERUSER

if TYPE_CHECKING:
    from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres

INPUTS = 80
MOST_GROWTH = 48 << 20


async def served(cluster: Cluster, database: str, seed: int, inputs: int) -> tuple[Served, int]:
    """Run so many, and tell by how many bytes the proxy grew after the first quarter."""
    relay = Relay(cluster.port)
    port = await relay.start()
    url = f"postgresql://{SUPERUSER}:{PASSWORD}@{HOST}:{port}/{database}?sslmode=disable"
    proxy = await asyncio.to_thread(Proxy, url, "--freshness", "wire")  # it asks the relay, which runs here
    try:
        clients = Clients(proxy.port, database, seed)
        await clients.run(inputs // 4)
        before = proxy.resident_bytes()
        clients = Clients(proxy.port, database, seed + 1)
        result = await clients.run(inputs - inputs // 4)
        grown = proxy.resident_bytes() - before
    finally:
        await asyncio.to_thread(proxy.stop)
    await relay.stop()
    return result, grown


def test_hostile_clients_and_a_bent_origin_disturb_nobody(cluster: Cluster, database: Database) -> None:
    for table in ("planet", "star", "calm"):  # the last is the bystander's: the others are written by anybody
        database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name text)")
    database.execute("INSERT INTO calm VALUES (1, 'Mercury'), (2, 'Venus'), (3, 'Mars')")
    result, grown = asyncio.run(served(cluster, database.name, 1, INPUTS))
    assert result.answers > 10
    assert len(result.words) > 3, result.words
    assert grown < MOST_GROWTH
