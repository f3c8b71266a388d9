"""Origins die, clients vanish: what was promised still holds, and everything recovers by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, remember
from tests.integration.proxy import Proxy, until
from tests.matrix import one_memory, pool_transaction
from tests.postgres import Cluster, Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.conftest import StartProxy

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def frail() -> Generator[Cluster]:
    """A server that these tests may kill."""
    with Cluster() as cluster:
        cluster.execute(PLANETS)
        yield cluster


@pytest.fixture
def frail_place(frail: Cluster) -> Generator[Place]:
    """A proxy of the test's own before it."""
    if not frail.running:
        frail.start()
    with Proxy(frail.url(), "--freshness", "wire") as proxy:
        yield Place(proxy, Database(frail, "postgres"))


def _works(place: Place) -> bool:
    try:
        with place.connect() as connection:
            return len(ask(connection, NAMES)) == 3
    except psycopg.Error:
        return False


def test_a_killed_origin_is_told_and_its_return_noticed(frail: Cluster, frail_place: Place) -> None:
    idle, busy = frail_place.connect(), frail_place.connect()
    remember(idle)
    ask(busy, "BEGIN")
    ask(busy, "UPDATE planets SET name = name")
    frail.kill()
    with pytest.raises(psycopg.OperationalError):
        ask(busy, "SELECT 1")
    frail.start()
    until(lambda: _works(frail_place), "the origin is used again")
    with frail_place.connect() as connection:
        until(lambda: bool(ask(connection, NAMES)) and last(connection)[0] == "hit", "there are hits again")
    idle.close()
    busy.close()


@pytest.mark.soundness("7.2")
def test_nothing_old_is_answered_after_a_restart(frail: Cluster, frail_place: Place) -> None:
    with frail_place.connect() as connection:
        remember(connection)
    frail.restart()
    frail.execute("UPDATE planets SET name = 'Earth' WHERE id = 3")
    try:
        until(lambda: _works(frail_place), "the origin is used again")
        until(lambda: "event=drop_all" in frail_place.proxy.log(), "the restart is seen")
        with frail_place.connect() as connection:
            assert ask(connection, NAMES)[2] == ("Earth",)
    finally:
        frail.execute("UPDATE planets SET name = 'Mars' WHERE id = 3")


def test_a_client_that_only_read_outlives_a_restart(frail: Cluster, frail_place: Place) -> None:
    with frail_place.connect() as connection:
        remember(connection)
        frail.restart()
        until(lambda: "event=drop_all" in frail_place.proxy.log(), "the restart is seen")
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.soundness("7.2")
@one_memory
@pool_transaction
def test_while_the_origin_is_away_clients_are_told_so(frail: Cluster, frail_place: Place) -> None:
    assert _works(frail_place)
    frail.stop()
    until(lambda: "heartbeat_missed" in frail_place.proxy.log(), "the proxy sees it")
    with frail_place.connect() as connection:
        with pytest.raises(psycopg.OperationalError, match="cannot be reached") as refused:
            ask(connection, "SELECT 1")  # what is remembered may be answered until the lease ends
        assert refused.value.sqlstate == "08006"
        frail.start()
        assert len(ask(connection, NAMES)) == 3


def test_a_proxy_starts_before_its_origin_does(frail: Cluster) -> None:
    frail.stop()
    with Proxy(frail.url(), "--freshness", "wire") as proxy:
        place = Place(proxy, Database(frail, "postgres"))
        assert not _works(place)
        frail.start()
        until(lambda: _works(place), "it works")
        until(lambda: json.loads(proxy.admin("/stats"))["freshness"]["level"] == "wire", "the level holds")


@pytest.mark.soundness("7.3")
def test_a_killed_backend_ends_only_its_own_session(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as victim, place.connect() as other:
        remember(other)
        ask(victim, "BEGIN")
        pid = ask(victim, "SELECT pg_backend_pid()")[0][0]
        place.direct(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(psycopg.OperationalError):
            ask(victim, "SELECT 1")
        assert len(ask(other, NAMES)) == 3


@pytest.mark.soundness("7.5")
@pytest.mark.soundness("6.5")
def test_a_write_whose_backend_was_killed_is_never_half_seen(place: Place) -> None:
    place.direct(PLANETS)
    victim = place.connect()
    with place.connect() as other:
        before = remember(other)
        pid = ask(victim, "SELECT pg_backend_pid()")[0][0]
        with psycopg.connect(place.origin.url()) as holder:
            holder.execute("SELECT pg_advisory_lock(7)")
            victim.pgconn.send_query(b"UPDATE planets SET name = 'X' WHERE pg_advisory_lock(7) IS NOT NULL")
            victim.pgconn.flush()
            waits = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
            until(lambda: bool(place.direct(waits)), "the write waits")
            place.direct(f"SELECT pg_terminate_backend({pid})")
        result = victim.pgconn.get_result()
        assert result is not None
        assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57P01"
        victim.close()
        until(lambda: ask(other, NAMES) == before and last(other)[0] == "hit", "the doubt is settled")


WRITER = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("ready", flush=True)
    connection.execute("UPDATE planets SET name = 'X' WHERE pg_advisory_lock(7) IS NOT NULL")
"""


@pytest.mark.soundness("6.7")
def test_the_write_of_a_killed_client_is_seen_once_it_commits(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as reader, psycopg.connect(place.origin.url(), autocommit=True) as holder:
        before = remember(reader)
        holder.execute("SELECT pg_advisory_lock(7)")
        command = [sys.executable, "-c", WRITER, place.url()]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            until(lambda: bool(place.direct(waits)), "the write waits")
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        until(lambda: place.proxy.figure("clients", "open") == 1, "the proxy sees that the client is gone")
        assert ask(reader, NAMES) == before
        assert last(reader)[0] != "hit"
        holder.execute("SELECT pg_advisory_unlock(7)")
        until(lambda: ask(reader, NAMES) == [("X",)] * 3, "the write is seen")
        until(lambda: ask(reader, NAMES) == [("X",)] * 3 and last(reader)[0] == "hit", "and remembered")


@pytest.mark.soundness("6.7")
def test_a_transaction_of_a_killed_client_is_rolled_back(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as reader:
        before = remember(reader)
        writer = place.connect()
        ask(writer, "BEGIN")
        ask(writer, "UPDATE planets SET name = 'X'")
        writer.pgconn.finish()  # as a killed process: no Terminate, no ROLLBACK
        query = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
        until(lambda: not place.direct(query), "the origin's session is gone")
        assert ask(reader, NAMES) == before


def test_sigterm_lets_a_running_statement_finish(database: Database, start_proxy: StartProxy) -> None:
    place = Place(start_proxy(), database)
    connection = place.connect()
    connection.pgconn.send_query(b"SELECT 'done' FROM pg_sleep(0.5)")
    connection.pgconn.flush()
    running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.5)' AND state = 'active'"
    until(lambda: bool(place.direct(running)), "it runs")
    place.proxy.signal(signal.SIGTERM)
    result = connection.pgconn.get_result()
    assert result is not None
    assert result.get_value(0, 0) == b"done"
    connection.close()


@pytest.mark.soundness("7.6")
def test_clients_that_come_and_go_leave_nothing_open(place: Place) -> None:
    place.direct(PLANETS)
    there = f"datname = '{place.origin.name}' AND application_name = '' AND pid <> pg_backend_pid()"
    backends = f"SELECT 1 FROM pg_stat_activity WHERE {there}"
    for _ in range(20):
        connection = place.connect()
        ask(connection, "BEGIN; SELECT 1")
        connection.pgconn.finish()
    until(lambda: not place.direct(backends), "every backend is gone")
    until(lambda: place.proxy.figure("clients", "open") == 0, "every client is gone")
    assert place.proxy.figure("origin", "open") == 0
