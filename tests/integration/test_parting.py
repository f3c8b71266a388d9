"""Clients come and go for months beside a garbage collector that is told to leave alone what is there."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress

import asyncpg
import psycopg
import pytest

from proxy import config
from proxy.net.client import ClientConnection
from proxy.service import Service
from proxy.session.port import FLIGHT
from proxy.session.session import Session
from tests.postgres import HOST, Database

pytestmark = pytest.mark.postgres

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"


@pytest.fixture
def born(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[weakref.ref[object]]]:
    """Weak references to all clients and sessions; the collector is off meanwhile."""
    seen: list[weakref.ref[object]] = []
    for kind in (ClientConnection, Session):
        begin: Callable[..., None] = kind.__init__

        def noted(self: object, *given: object, begin: Callable[..., None] = begin) -> None:
            seen.append(weakref.ref(self))
            begin(self, *given)

        monkeypatch.setattr(kind, "__init__", noted)
    gc.disable()
    yield seen
    gc.enable()
    gc.unfreeze()


def reads(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as client:
        client.execute("SELECT n FROM item WHERE n = %s", (1,)).fetchall()


def writes(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as client:
        client.execute("UPDATE item SET n = n WHERE n = 1")


def fails_in_a_transaction_and_leaves(url: str) -> None:
    client = psycopg.connect(url)
    client.execute("INSERT INTO item VALUES (2)")
    with suppress(psycopg.Error):
        client.execute("SELECT 1/0")
    client.close()


def leaves_in_the_middle(url: str) -> None:
    client = psycopg.connect(url, autocommit=True)
    client.pgconn.send_query(b"SELECT n, pg_catalog.pg_sleep(0.2) FROM item")
    client.close()


def asks_nothing(url: str) -> None:
    psycopg.connect(url).close()


def is_refused(url: str) -> None:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url, password="wrong")


def never_logs_in(url: str) -> None:
    with socket.create_connection((HOST, psycopg.conninfo.conninfo_to_dict(url)["port"])) as raw:
        raw.sendall(SSL_REQUEST)
        raw.recv(1)


USES = (reads, writes, fails_in_a_transaction_and_leaves, leaves_in_the_middle, asks_nothing, is_refused,
        never_logs_in)  # fmt: skip


@pytest.mark.plain
@pytest.mark.parametrize("pool", ["transaction", "session"])
async def test_a_client_that_left_leaves_nothing_to_the_garbage_collector(
    database: Database, born: list[weakref.ref[object]], pool: str
) -> None:
    database.execute("CREATE TABLE item (n int); INSERT INTO item VALUES (1)")
    given = {"origin": database.url(), "listen": f"{HOST}:0", "admin": "off", "pool": pool}
    service = Service(config.load(given))
    await service.start()
    url = config.origin(database.url()).rewritten(HOST, service.address.port)
    for use in USES:
        await asyncio.to_thread(use, url)
        async with asyncio.timeout(20):
            while any(one() is not None for one in born):
                await asyncio.sleep(0.01)
    assert len(born) > 2 * len(USES) - 4
    await service.stop(5.0)


async def test_who_leaves_while_waiting_for_another_s_fill_disturbs_nobody(database: Database) -> None:
    database.execute("CREATE TABLE item (n int); INSERT INTO item VALUES (1)")
    service = Service(config.load({"origin": database.url(), "listen": f"{HOST}:0", "admin": "off"}))
    await service.start()
    url = config.origin(database.url()).rewritten(HOST, service.address.port)
    one, two = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(2)]
    with psycopg.connect(database.url()) as holder:
        holder.execute("LOCK TABLE item")
        asked = [asyncio.create_task(client.execute("SELECT n FROM item")) for client in (one, two)]
        clients = service._hub.clients
        async with asyncio.timeout(20):
            while not (waiting := [c for c in clients if c.session and c.session.waiting_for == FLIGHT]):
                await asyncio.sleep(0.01)
        (follower,) = waiting
        assert follower.transport is not None
        follower.transport.abort()
        async with asyncio.timeout(20):
            while follower in clients:
                await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert "SELECT 1" in answers
    for client in (one, two):
        client.terminate()
    await service.stop(5.0)
