"""CancelRequest finds the statement that it means, and no other."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from select import select
from typing import TYPE_CHECKING

import psycopg
import pytest

from proxy.wire import frontend, startup
from tests.integration.place import NAMES, PLANETS, Place, ask, remember
from tests.integration.proxy import Proxy, until
from tests.integration.raw import RawClient
from tests.matrix import one_memory

if TYPE_CHECKING:
    from tests.integration.place import Connection
    from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres


def _runs(place: Place, text: str) -> bool:
    quoted = text.replace("'", "''")
    found = place.direct(
        f"SELECT 1 FROM pg_stat_activity WHERE query = '{quoted}' AND state = 'active'"
        f" AND datname = '{place.origin.name}'"
    )
    return bool(found)


def _cancelled(connection: Connection, place: Place, text: str) -> None:
    """Run a statement for ever, cancel it once it runs at the origin."""

    def cancel() -> None:
        until(lambda: _runs(place, text), "the statement runs")
        connection.cancel_safe()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        ask(connection, text)
    canceller.join()


def test_a_long_statement_is_cancelled(place: Place) -> None:
    with place.connect() as connection, place.connect() as other:
        ask(other, "SELECT 1")
        _cancelled(connection, place, "SELECT pg_sleep(60)")
        assert ask(connection, "SELECT 1") == [(1,)]
        assert ask(other, "SELECT 1") == [(1,)]


def test_a_write_that_waits_for_a_lock_is_cancelled_and_leaves_nothing(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as holder:
        before = remember(connection)
        ask(holder, "BEGIN")
        ask(holder, "UPDATE planets SET name = name WHERE id = 1")
        _cancelled(connection, place, "UPDATE planets SET name = 'X'")
        ask(holder, "ROLLBACK")
        assert ask(connection, NAMES) == before
        remember(connection)


@pytest.mark.soundness("7.3")
@one_memory
def test_a_read_that_waits_for_anothers_fill_is_cancelled(place: Place) -> None:
    place.direct(PLANETS)
    with (
        place.connect() as locker,
        RawClient.logged_in(place) as leader,
        RawClient.logged_in(place) as follower,
    ):
        query = b"Q" + (5 + len(NAMES)).to_bytes(4, "big") + NAMES.encode() + b"\0"
        ask(locker, "SELECT 1")
        place.direct("SELECT 1")
        with psycopg.connect(place.origin.url()) as direct:
            direct.execute("LOCK TABLE planets")
            leader.send(query)
            until(lambda: _runs(place, NAMES), "the leader waits for the lock")
            follower.send(query)
            follower.cancel()
            kinds = bytes(frame.kind for frame in follower.until_ready())
            assert kinds == b"EZ"
        assert bytes(frame.kind for frame in leader.until_ready()) == b"TDDDCZ"


@pytest.mark.soundness("7.3")
def test_a_wrong_key_cancels_nothing(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        client.send(b"Q\x00\x00\x00\x19SELECT pg_sleep(0.5)\x00")
        until(lambda: _runs(place, "SELECT pg_sleep(0.5)"), "it runs")
        with RawClient(place.proxy.port) as stranger:
            stranger.send(startup.cancel_request(client.process_id, b"\0\0\0\0"))
            assert stranger.until_closed() == b""
        assert bytes(frame.kind for frame in client.until_ready()) == b"TDCZ"


@pytest.mark.soundness("7.3")
def test_a_cancel_of_an_idle_session_does_nothing(place: Place) -> None:
    with place.connect() as connection:
        ask(connection, "SELECT 1")
        for _ in range(3):
            connection.cancel_safe()
            assert ask(connection, "SELECT 1") == [(1,)]


@pytest.mark.soundness("7.3")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_cancel_is_over_before_whoever_sent_it_is_let_go(
    cluster: Cluster, database: Database, workers: int
) -> None:
    with Proxy(database.url(), "--workers", str(workers)) as proxy, ExitStack() as cancellers:
        place = Place(proxy, database)
        client = cancellers.enter_context(RawClient.logged_in(place))
        client.send(frontend.query(b"SELECT pg_sleep(60)"))
        until(lambda: _runs(place, "SELECT pg_sleep(60)"), "it runs")
        os.kill(cluster.pid, signal.SIGSTOP)  # it is the postmaster that tells a backend
        try:
            # So many that each worker gets one.
            sent = [cancellers.enter_context(RawClient(proxy.port)) for _ in range(8)]
            for canceller in sent:
                canceller.send(startup.cancel_request(client.process_id, client.secret))
            assert not select([one.socket for one in sent], [], [], 0.5)[0]
        finally:
            os.kill(cluster.pid, signal.SIGCONT)
        assert {canceller.until_closed() for canceller in sent} == {b""}
        assert bytes(frame.kind for frame in client.until_ready()) == b"TEZ"
        client.send(frontend.query(b"SELECT pg_sleep(0.2)"))
        assert bytes(frame.kind for frame in client.until_ready()) == b"TDCZ"
