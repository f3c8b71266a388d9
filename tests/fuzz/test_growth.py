"""Whoever sends without end, or never reads, makes nobody hoard: the proxy's memory stays where it is."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from proxy.wire import frontend
from tests.integration.place import Place, ask, remember
from tests.integration.proxy import Proxy
from tests.integration.raw import RawClient
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

MOST_GROWTH: Final = 100 << 20
# Sent at most, and for at most so long; a flood that is not taken any more is one that is bounded.
_FLOOD_BYTES: Final = 24 << 20
_FLOOD_SECONDS: Final = 1.5
_STALL_SECONDS: Final = 0.5
_WIDE: Final = "SELECT id, repeat(name, 30000) FROM planets ORDER BY id"
_SHOW: Final = b"SHOW orrery.last"


def _own(number: int) -> bytes:
    return frontend.bind(b"p%d" % number, b"own") + frontend.execute(b"p%d" % number)


def _named(number: int) -> bytes:
    return frontend.parse(b"n%d" % number, _SHOW + b" " * 1000) + frontend.SYNC_FRAME


FLOODS: Final[dict[str, Callable[[int], bytes]]] = {
    "answers that nobody reads": lambda _: frontend.query(_WIDE.encode()),
    "commands of ours without Sync": _own,
    "statements of ours without end": _named,
    "portals of ours without end": lambda number: _own(number) + frontend.SYNC_FRAME,
    "flushes": lambda _: frontend.FLUSH_FRAME,
    "descriptions without Sync": lambda _: frontend.describe(frontend.STATEMENT, b"own"),
    "copy data that nobody wants": lambda _: b"d\0\0\4\4" + bytes(1024),
    "savepoints": lambda _: frontend.query(b"SAVEPOINT a"),
}


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Generator[Place]:
    database = Database(cluster, "floods")
    database.create()
    database.execute("CREATE TABLE planets (id int PRIMARY KEY, name text)")
    database.execute("INSERT INTO planets VALUES (1, 'Mercury'), (2, 'Venus'), (3, 'Mars')")
    with Proxy(cluster.url(), "--freshness", "wire") as proxy:
        yield Place(proxy, database)
    database.drop()


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_not_hoarded(place: Place, flood: str) -> None:
    with place.connect() as bystander, RawClient.logged_in(place) as client:
        remember(bystander, _WIDE)
        client.send(frontend.parse(b"own", _SHOW) + frontend.query(b"BEGIN"))
        before = place.proxy.resident_bytes()
        _pour(client.socket, flood)
        assert place.proxy.resident_bytes() - before < MOST_GROWTH
        assert len(ask(bystander, _WIDE)) == 3


def _pour(there: socket.socket, flood: str) -> None:
    make = FLOODS[flood]
    there.settimeout(_STALL_SECONDS)
    deadline = time.monotonic() + _FLOOD_SECONDS
    sent = number = 0
    with suppress(OSError):
        while sent < _FLOOD_BYTES and time.monotonic() < deadline:
            packet = b"".join(make(number + at) for at in range(500))
            number += 500
            there.sendall(packet)
            sent += len(packet)
