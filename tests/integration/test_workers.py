"""Several workers are one proxy: whatever one of them is told, no other one answers otherwise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, last, outcome
from tests.integration.proxy import ORRERY, Proxy, until
from tests.postgres import Cluster, Database

if TYPE_CHECKING:
    from collections.abc import Generator

FIRST_PID: Final = (1 << 22) + 1
# One that hangs keeps others' writes waiting for a lease, and is killed after ten seconds.
LEASE_SECONDS: Final = 2.0
CHANGE: Final = "UPDATE planets SET name = %s WHERE id = 1"
ONE: Final = "SELECT name FROM planets WHERE id = 1"


@pytest.fixture(scope="module")
def workers(cluster: Cluster) -> Generator[Proxy]:
    """A proxy with two of them; it never looks at the catalogue by itself."""
    options = (
        "--freshness",
        "wire",
        "--catalogue-seconds",
        "3600",
        "--workers",
        "2",
        "--pool",
        "transaction",
    )
    with Proxy(cluster.url(), *options) as running:
        yield running


@pytest.fixture
def both(workers: Proxy, database: Database) -> Place:
    return Place(workers, database)


def two(place: Place) -> tuple[Connection, Connection]:
    """A client at each worker."""
    found: dict[int, Connection] = {}
    deadline = time.monotonic() + 20
    while len(found) < 2 and time.monotonic() < deadline:
        connection = place.connect()
        if found.setdefault(_slot(connection), connection) is not connection:
            connection.close()
    return found[0], found[1]


def remember(connection: Connection, sql: str = NAMES) -> None:
    """Ask until the answer comes from memory: not before all workers have read what the last DDL changed."""
    until(lambda: outcome(connection, sql) == "hit", "an answer is remembered")


def _slot(connection: Connection) -> int:
    return (connection.info.backend_pid - FIRST_PID) % 2


def _pid(place: Place, slot: int) -> int:
    line = [x for x in place.proxy.log().splitlines() if f"event=worker_started slot={slot}" in x][-1]
    return int(line.rpartition("pid=")[2])


def test_clients_are_shared_out(both: Place) -> None:
    connections = [both.connect() for _ in range(6)]
    assert sorted(_slot(connection) for connection in connections) == [0, 0, 0, 1, 1, 1]
    for connection in connections:
        connection.close()


@pytest.mark.soundness("6.8")
def test_an_acknowledged_write_is_seen_by_clients_of_every_worker(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        for number in range(200):
            writer, reader = (here, there) if number % 2 else (there, here)
            if not number % 10:
                remember(reader, ONE)
            ask(writer, CHANGE, (str(number),))
            assert ask(reader, ONE) == [(str(number),)]
            assert ask(writer, ONE) == [(str(number),)]
        remember(here, ONE)
        remember(there, ONE)


@pytest.mark.soundness("6.8")
def test_while_a_write_is_on_its_way_no_worker_answers_what_it_may_change(both: Place) -> None:
    both.direct(f"{PLANETS}; CREATE TABLE stars AS SELECT 1 AS size")
    here, there = two(both)
    with here, there, psycopg.connect(both.origin.url()) as holder:
        remember(there, ONE)
        remember(there, "SELECT size FROM stars")
        holder.execute("SELECT FROM planets WHERE id = 1 FOR UPDATE")
        writing = threading.Thread(target=ask, args=(here, CHANGE, ("Vulcan",)))
        writing.start()
        until(lambda: outcome(there, ONE) != "hit", "the other worker has heard of it")
        assert last(there) == ("bypass", "suspended")
        assert outcome(there, "SELECT size FROM stars") == "hit"
        holder.rollback()
        writing.join()
        assert ask(there, ONE) == [("Vulcan",)]
        remember(there, ONE)


@pytest.mark.soundness("6.8")
def test_a_rollback_drops_nothing_anywhere(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        remember(there, ONE)
        ask(here, "BEGIN")
        ask(here, CHANGE, ("Vulcan",))
        ask(here, "ROLLBACK")
        assert outcome(there, ONE) == "hit"


def test_a_pipeline_does_not_overtake_a_write_that_waits_to_be_acknowledged(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        remember(here, ONE)
        remember(there, ONE)
        with here.pipeline():
            results = []
            for number in range(20):
                here.execute(CHANGE, (str(number),))
                results.append(here.execute(ONE))
        assert [result.fetchall() for result in results] == [[(str(number),)] for number in range(20)]
        assert ask(there, ONE) == [("19",)]


@pytest.mark.soundness("6.9")
def test_a_change_of_the_catalogue_is_known_to_every_worker(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        remember(there, "SELECT * FROM planets WHERE id = 1")
        for number in range(10):
            ask(here, f"ALTER TABLE planets ADD COLUMN c{number} int DEFAULT {number}")
            assert len(ask(there, "SELECT * FROM planets WHERE id = 1")[0]) == 3 + number
        remember(there, "SELECT * FROM planets WHERE id = 1")


@pytest.mark.soundness("6.9")
def test_a_statement_that_waited_for_a_change_of_the_catalogue_is_judged_anew_by_all(both: Place) -> None:
    both.direct(
        f"{PLANETS}; CREATE TABLE log (line text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO log VALUES (NEW.name); RETURN NEW; END $$"
    )
    here, there = two(both)
    lines = "SELECT count(*) FROM log"
    with here, there, both.connect() as third:
        remember(there, lines)
        ask(here, "BEGIN")
        ask(here, "CREATE TRIGGER note AFTER UPDATE ON planets FOR EACH ROW EXECUTE FUNCTION note()")
        writing = threading.Thread(target=ask, args=(there, CHANGE, ("Vulcan",)))
        writing.start()
        until(lambda: bool(both.direct("SELECT pid FROM pg_locks WHERE NOT granted")), "it waits")
        ask(here, "COMMIT")
        writing.join()
        assert ask(here, lines) == ask(third, lines) == [(1,)]


def test_roles_changed_by_one_worker_hold_at_the_next_login_at_the_other(both: Place) -> None:
    both.direct("DROP ROLE IF EXISTS guest")
    both.direct("CREATE ROLE guest LOGIN PASSWORD 'first'")
    here, there = two(both)
    with here, there:
        for _ in range(4):
            both.connect("guest", "first").close()
        ask(here, "ALTER ROLE guest PASSWORD 'second'")
        for _ in range(4):
            with pytest.raises(psycopg.OperationalError, match="authentication failed"):
                both.connect("guest", "first")
            both.connect("guest", "second").close()
    both.direct("DROP ROLE guest")


def test_a_database_is_dropped_though_the_other_worker_knew_it(both: Place) -> None:
    both.direct("CREATE DATABASE doomed")
    for _ in range(4):
        with psycopg.connect(both.proxy.url("doomed"), autocommit=True) as guest:
            guest.execute("SELECT 1")
    with both.connect() as connection:
        ask(connection, "DROP DATABASE doomed")


def test_a_purge_reaches_every_worker_and_figures_are_of_all(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        remember(here)
        remember(there)
        status = {str(name): value for name, value in ask(here, "SHOW orrery.status")}
        assert status["workers"] == "2 of 2"
        hits = both.proxy.figure("outcomes", "hit")
        assert (outcome(here, NAMES), outcome(there, NAMES)) == ("hit", "hit")
        assert both.proxy.figure("outcomes", "hit") == hits + 2
        assert {str(name): value for name, value in ask(there, "SHOW orrery.stats")}[
            "outcomes.hit"
        ] == hits + 2
        (calls,) = {
            row[2] for row in ask(here, "SHOW orrery.queries") if row[1] == NAMES.lower() or row[1] == NAMES
        }
        assert int(str(calls)) >= 6
        ask(here, "ORRERY PURGE TABLE planets")
        assert outcome(there, NAMES) != "hit"
        remember(there)
        remember(here)
        assert json.loads(both.proxy.admin("/purge", "POST"))["dropped"] >= 2
        assert both.proxy.figure("cache", "entries") == 0
        assert (outcome(here, NAMES), outcome(there, NAMES)) == ("fill", "fill")
        assert 'orrery_outcomes_total{outcome="hit"}' in both.proxy.admin("/metrics")


def test_a_cancel_finds_its_client_whichever_worker_gets_it(both: Place) -> None:
    here, there = two(both)
    with here, there:
        for connection in (here, there) * 4:
            timer = threading.Timer(0.2, connection.cancel_safe)
            timer.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                ask(connection, "SELECT pg_sleep(20)")
            timer.join()


@pytest.mark.soundness("6.8")
def test_a_worker_that_hangs_is_left_out_and_comes_back_knowing_nothing(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, there:
        remember(here, ONE)
        remember(there, ONE)
        hung = psutil.Process(_pid(both, 1))
        hung.suspend()
        try:
            began = time.monotonic()
            ask(here, CHANGE, ("Vulcan",))
            assert time.monotonic() - began < LEASE_SECONDS + 2
            assert ask(here, ONE) == [("Vulcan",)]
            assert last(here)[0] != "hit" or time.monotonic() - began < LEASE_SECONDS
        finally:
            hung.resume()
        assert ask(there, ONE) == [("Vulcan",)]
        remember(there, ONE)
        remember(here, ONE)


@pytest.mark.soundness("6.5")
@pytest.mark.soundness("6.8")
def test_what_a_killed_worker_had_sent_stays_suspended_until_its_backend_is_gone(both: Place) -> None:
    both.direct(PLANETS)
    here, there = two(both)
    with here, psycopg.connect(both.origin.url()) as holder:
        remember(here, ONE)
        holder.execute("SELECT FROM planets WHERE id = 1 FOR UPDATE")
        there.pgconn.send_query(b"UPDATE planets SET name = 'Vulcan' WHERE id = 1")
        there.pgconn.flush()
        until(lambda: bool(both.direct("SELECT pid FROM pg_locks WHERE NOT granted")), "it waits")
        killed = _pid(both, 1)
        os.kill(killed, signal.SIGKILL)
        until(lambda: _pid(both, 1) != killed, "another one takes its place")
        assert outcome(here, ONE) == "bypass"
        assert ask(here, "SELECT name FROM planets WHERE id = 1") == [("Mercury",)]
        holder.rollback()
        until(lambda: both.direct(ONE) == [("Vulcan",)], "it is carried out")
        until(lambda: outcome(here, ONE) == "hit", "it is settled")
        assert ask(here, ONE) == [("Vulcan",)]
        successor, other = two(both)
        with successor, other:
            assert ask(successor, ONE) == ask(other, ONE) == [("Vulcan",)]
        assert "event=in_doubt" in both.proxy.log()
    there.close()


def test_sighup_reaches_every_worker(both: Place) -> None:
    before = both.proxy.log().count("event=reloaded")
    both.proxy.signal(signal.SIGHUP)
    until(lambda: both.proxy.log().count("event=reloaded") == before + 2, "both have reloaded")


def test_workers_do_not_outlive_the_process_that_holds_the_port(cluster: Cluster) -> None:
    proxy = Proxy(cluster.url(), "--workers", "2")
    workers = psutil.Process(proxy.pid).children()
    assert len(workers) == 2
    proxy.kill()
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []


def test_sigterm_lets_what_runs_at_any_worker_finish(cluster: Cluster) -> None:
    with Proxy(cluster.url(), "--workers", "2") as proxy:
        connections = [psycopg.connect(proxy.url("postgres"), autocommit=True) for _ in range(4)]
        for connection in connections:
            connection.pgconn.send_query(b"SELECT pg_sleep(1)")
            connection.pgconn.flush()
        until(lambda: proxy.figure("origin", "busy") == 4, "all run")
        proxy.signal(signal.SIGTERM)
        for connection in connections:
            result = connection.pgconn.get_result()
            assert result is not None
            assert result.status == psycopg.pq.ExecStatus.TUPLES_OK
            connection.close()


def test_what_stops_a_worker_from_starting_is_told_in_one_sentence(cluster: Cluster) -> None:
    command = [ORRERY, "serve", "--origin", cluster.url(), "--listen", "127.0.0.1:0", "--admin", "off"]
    ended = subprocess.run(
        [*command, "--workers", "2", "--users", "/nowhere"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "orrery: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_puts_several_workers_beside_a_command(cluster: Cluster) -> None:
    code = (
        "import os, psycopg\n"
        "connect = lambda: psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)\n"
        "rows = [connect().execute('SHOW orrery.status').fetchall() for _ in range(2)]\n"
        "raise SystemExit(0 if all(dict(r)['workers'] == '2 of 2' for r in rows) else 3)"
    )
    environment = {**os.environ, "DATABASE_URL": cluster.url()}
    command = [ORRERY, "run", "--workers", "2", "--", sys.executable, "-c", code]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == 0


def test_the_folder_of_the_sockets_is_taken_away(cluster: Cluster, tmp_path: Path) -> None:
    with Proxy(cluster.url(), "--workers", "2", environment={"TMPDIR": str(tmp_path)}):
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []
