"""Many clients at few connections to the origin: whose turn it is, and what nobody notices of it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from proxy.wire import backend, frontend
from tests.integration.place import NAMES, PLANETS, Place, ask, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient
from tests.matrix import one_pool
from tests.storm.run import Plan, run

if TYPE_CHECKING:
    from tests.integration.conftest import StartProxy
    from tests.postgres import Database

pytestmark = one_pool

ONE = ("--pool-size", "1", "--pool-wait-seconds", "1", "--freshness", "wire", "--catalogue-seconds", "3600")
THERE = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
 AND pid <> pg_backend_pid() AND application_name NOT LIKE 'orrery%'"""


@pytest.fixture
def narrow(database: Database, start_proxy: StartProxy) -> Place:
    """A place with room for one connection to the origin."""
    database.execute(PLANETS)
    return Place(start_proxy(*ONE), database)


def backend_of(connection: psycopg.Connection[tuple[object, ...]]) -> object:
    return ask(connection, "SELECT pg_backend_pid()")[0][0]


def status(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    return {str(name): str(value) for name, value in ask(connection, "SHOW orrery.status")}


def test_clients_share_one_connection_and_each_has_its_own_settings(narrow: Place) -> None:
    with narrow.connect() as one, narrow.connect() as two:
        ask(one, "SET timezone TO 'Asia/Tokyo'")
        ask(one, "SET application_name TO 'one'")
        ask(one, "SET app.tenant TO '1'")
        ask(two, "SET app.tenant TO '2'")
        assert backend_of(one) == backend_of(two)
        for _ in range(2):
            assert ask(one, "SHOW timezone") == [("Asia/Tokyo",)]
            assert ask(two, "SHOW timezone") != [("Asia/Tokyo",)]
            assert (ask(one, "SHOW app.tenant"), ask(two, "SHOW app.tenant")) == ([("1",)], [("2",)])
            assert ask(two, "SHOW application_name") != [("one",)]
            assert one.info.parameter_status("TimeZone") == "Asia/Tokyo"
            assert two.info.parameter_status("TimeZone") != "Asia/Tokyo"
        ask(one, "RESET ALL")
        assert ask(one, "SHOW application_name") == [("",)]


def test_reset_goes_back_to_what_the_client_started_with(narrow: Place) -> None:
    with (
        narrow.connect(options="-c work_mem=1MB") as one,
        narrow.connect(options="-c work_mem=2MB") as two,
    ):
        ask(one, "SET work_mem TO '3MB'")
        assert ask(two, "SHOW work_mem") == [("2MB",)]
        assert ask(one, "SHOW work_mem") == [("3MB",)]
        ask(one, "RESET work_mem")
        assert ask(two, "SHOW work_mem") == [("2MB",)]
        assert ask(one, "SHOW work_mem") == [("1MB",)]


def test_a_setting_that_a_client_never_made_is_absent_for_it(narrow: Place) -> None:
    absent = [(None,)]
    query = "SELECT current_setting('app.tenant', true)"
    with narrow.connect() as one, narrow.connect() as two:
        assert ask(two, query) == absent
        ask(one, "BEGIN")
        ask(one, "SET LOCAL app.tenant TO 'x'")
        ask(one, "COMMIT")
        assert ask(one, query) == [("",)]
        assert ask(two, query) == absent
        assert ask(one, query) == [("",)], "once made, it is empty"


def test_more_clients_than_connections_wait_in_order_and_then_hear_why(narrow: Place) -> None:
    with narrow.connect() as holder, narrow.connect() as other:
        ask(holder, "BEGIN")
        ask(holder, "SELECT 1")
        with pytest.raises(psycopg.errors.TooManyConnections, match="--pool-size"):
            ask(other, NAMES)
        asked = threading.Thread(target=ask, args=(other, NAMES))
        asked.start()
        until(lambda: narrow.proxy.figure("origin", "waiting") == 1, "the other one waits")
        ask(holder, "COMMIT")
        asked.join()
        assert ask(other, NAMES) == [("Mercury",), ("Venus",), ("Mars",)]


def test_a_login_that_waits_in_vain_hears_why_too(narrow: Place) -> None:
    with narrow.connect() as holder:
        ask(holder, "BEGIN")
        ask(holder, "SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="--pool-size"):
            narrow.connect(options="-c work_mem=1MB")


def test_hits_need_no_turn(narrow: Place) -> None:
    with narrow.connect() as holder, narrow.connect() as reader:
        remember(reader)
        ask(holder, "BEGIN")
        ask(holder, "SELECT 1")
        assert len(remember(reader)) == 3


def test_a_cancel_in_the_queue_ends_the_wait(narrow: Place) -> None:
    with narrow.connect() as holder, narrow.connect() as other:
        ask(holder, "BEGIN")
        ask(holder, "SELECT 1")
        faults: list[Exception] = []

        def wait() -> None:
            try:
                ask(other, "SELECT 1")
            except psycopg.Error as fault:
                faults.append(fault)

        asked = threading.Thread(target=wait)
        asked.start()
        until(lambda: narrow.proxy.figure("origin", "waiting") == 1, "the other one waits")
        other.cancel()
        asked.join()
        assert isinstance(faults[0], psycopg.errors.QueryCanceled)
        ask(holder, "COMMIT")
        assert ask(other, "SELECT 1") == [(1,)]


def test_a_cancel_that_comes_late_hits_nobody_else(narrow: Place) -> None:
    with narrow.connect() as one, narrow.connect() as two:
        for _ in range(30):
            sleeper = threading.Thread(target=_sleep, args=(one,))
            sleeper.start()
            one.cancel()
            assert ask(two, "SELECT pg_sleep(0.004), 1")[0][1] == 1
            sleeper.join()


def _sleep(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with suppress(psycopg.errors.QueryCanceled):
        ask(connection, "SELECT pg_sleep(0.002)")


@pytest.mark.parametrize(
    ("holds", "frees", "reason"),
    [
        ("CREATE TEMP TABLE own AS SELECT 1 AS id", "DISCARD ALL", "temporary"),
        ("LISTEN news", "UNLISTEN news", "listen"),
        ("SELECT pg_advisory_lock(7)", "SELECT pg_advisory_unlock(7)", "lock"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "CLOSE c", "cursor"),
        ("PREPARE p AS SELECT 1", "DEALLOCATE p", "prepare"),
        ("SELECT leave_something()", "DISCARD ALL", "unproven"),
        ("SET default_tablespace TO 'pg_default'", "RESET default_tablespace", "setting"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "RESET ALL", "setting"),
    ],
)
def test_what_cannot_be_carried_pins_a_session_and_is_told(
    narrow: Place, holds: str, frees: str, reason: str
) -> None:
    narrow.direct("CREATE FUNCTION leave_something() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
    with narrow.connect() as holder, narrow.connect() as other:
        remember(other)
        ask(holder, holds)
        until(lambda: status(holder).get(f"pinned_{reason}") == "1", "it shows")
        assert narrow.proxy.figure("pinned", reason) == 1
        with pytest.raises(psycopg.errors.TooManyConnections):
            ask(other, "SELECT 1")
        ask(holder, frees)
        assert ask(other, "SELECT 1") == [(1,)]
        assert status(other)["pinned"] == "0"


def test_numbers_of_sequences_are_never_another_client_s(narrow: Place) -> None:
    narrow.direct("CREATE TABLE counted (id serial, word text)")
    with narrow.connect() as one, narrow.connect() as two:
        ask(one, "INSERT INTO counted (word) VALUES ('one')")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            ask(two, "SELECT lastval()")
        ask(two, "DISCARD ALL")
        ask(one, "INSERT INTO counted (word) VALUES ('one')")
        assert ask(one, "SELECT lastval()") == [(2,)], "whoever asks for them keeps its connection"
        assert status(one)["pinned_sequence"] == "1"


def test_what_random_gives_was_chosen_by_nobody_else(narrow: Place) -> None:
    with narrow.connect() as one:
        ask(one, "SELECT setseed(0.5)")
        chosen = ask(one, "SELECT random()")
    with narrow.connect() as two:
        before = backend_of(two)
        assert ask(two, "SELECT random()") != chosen
        assert backend_of(two) == before


async def test_named_statements_of_a_driver_go_with_their_client(narrow: Place) -> None:
    url = narrow.url()
    clients = [await asyncpg.connect(url) for _ in range(4)]
    try:
        for _ in range(3):
            for n, client in enumerate(clients):
                rows = await client.fetch("SELECT $1::int + id FROM planets WHERE id = $2", n, 1)
                assert rows[0][0] == n + 1
                rows = await client.fetch("UPDATE planets SET name = $1 WHERE id = 2 RETURNING name", f"n{n}")
                assert rows[0][0] == f"n{n}"
    finally:
        await asyncio.gather(*(client.close() for client in clients))


async def test_a_statement_prepared_again_has_the_columns_that_its_client_was_told(narrow: Place) -> None:
    one, two = await asyncpg.connect(narrow.url()), await asyncpg.connect(narrow.url())
    sql = "UPDATE planets SET name = name WHERE id = 1 RETURNING *"
    prepared = await one.prepare(sql)
    assert len(await prepared.fetch()) == 1
    await two.execute("CREATE TABLE unrelated (id int)")
    assert len(await prepared.fetch()) == 1, "what it does not speak of does not matter"
    await two.execute("ALTER TABLE planets ADD COLUMN moons int")
    await two.execute("DISCARD ALL")
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="cached plan must not change result type"):
        await prepared.fetch()
    assert len((await one.fetch(sql))[0]) == 3
    await asyncio.gather(one.close(), two.close())


def test_while_there_is_room_a_statement_stays_where_it_was_prepared(
    database: Database, start_proxy: StartProxy
) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--freshness", "wire"), database)
    with place.connect() as one:
        two = psycopg.connect(place.url(), autocommit=True)
        one.pgconn.prepare(b"counts", b"SELECT count(*) FROM planets")
        here = backend_of(one)
        assert backend_of(two) != here
        two.execute("ALTER TABLE planets ADD COLUMN moons int")
        counted = one.pgconn.exec_prepared(b"counts", [])
        assert counted.get_value(0, 0) == b"3", counted.error_message
        assert backend_of(one) == here
        two.close()


def test_many_who_wait_for_one_answer_get_it(database: Database, start_proxy: StartProxy) -> None:
    database.execute(PLANETS)
    narrow = Place(start_proxy(*ONE, "--pool-wait-seconds", "60"), database)
    with narrow.connect() as holder, ExitStack() as open_to_the_end:
        remember(holder)
        ask(holder, "BEGIN")
        ask(holder, "LOCK planets IN ACCESS SHARE MODE")
        herd = [open_to_the_end.enter_context(RawClient.logged_in(narrow)) for _ in range(300)]
        for one in herd:
            one.send(frontend.query(b"SELECT name FROM planets WHERE id = 2"))
        until(lambda: narrow.proxy.figure("origin", "waiting") == len(herd), "all wait in line")
        ask(holder, "ROLLBACK")
        told = {bytes(frame.kind for frame in one.until_ready()) for one in herd}
        assert told == {b"TDCZ"}
        ask(holder, "UPDATE planets SET name = name")


def test_who_leaves_keeps_nothing_for_itself(database: Database, start_proxy: StartProxy) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--freshness", "wire"), database)
    for number in range(4):
        with place.connect() as client:
            client.pgconn.prepare(b"counts", b"SELECT count(*), %d FROM planets" % number)
    assert place.direct(THERE) == [(1,)]


def test_an_unnamed_statement_of_another_client_is_not_run(narrow: Place) -> None:
    with RawClient.logged_in(narrow) as one, RawClient.logged_in(narrow) as two:
        one.send(frontend.parse(b"", b"UPDATE planets SET name = 'x'") + frontend.SYNC_FRAME)
        one.until_ready()
        two.send(frontend.bind(b"", b"") + frontend.execute(b"") + frontend.SYNC_FRAME)
        faults = [f for f in two.until_ready() if f.kind == backend.ERROR_RESPONSE]
        assert backend.sqlstate(faults[0].raw) == "26000"
        one.send(frontend.bind(b"", b"") + frontend.execute(b"") + frontend.SYNC_FRAME)
        assert [f.kind for f in one.until_ready()] == list(b"2CZ")


def test_an_idle_connection_is_in_no_database_s_way(narrow: Place) -> None:
    name = f"{narrow.origin.name}_shadow"
    with narrow.connect() as owner:
        for _ in range(2):
            ask(owner, f'CREATE DATABASE "{name}"')
            with psycopg.connect(narrow.proxy.url(name), autocommit=True) as guest:
                guest.execute("CREATE TABLE t (id int)")
            ask(owner, f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
            ask(owner, f'DROP DATABASE "{name}_copy"')
            ask(owner, f'DROP DATABASE "{name}"')


def test_a_connection_that_dies_while_nobody_has_it_is_replaced(narrow: Place) -> None:
    with narrow.connect() as one:
        first = backend_of(one)
        narrow.direct(f"SELECT pg_terminate_backend({first})")
        until(lambda: narrow.proxy.figure("origin", "open") == 0, "it is seen to be gone")
        assert backend_of(one) != first


def test_idle_and_old_connections_are_closed(database: Database, start_proxy: StartProxy) -> None:
    place = Place(start_proxy("--pool-idle-seconds", "0.2"), database)
    with place.connect() as one:
        ask(one, "SELECT 1")
        until(lambda: place.direct(THERE) == [(0,)], "the connection is closed")
        assert ask(one, "SELECT 1") == [(1,)]


def test_many_clients_that_come_at_once_open_no_more_than_the_limit(
    database: Database, start_proxy: StartProxy
) -> None:
    place = Place(start_proxy("--pool-size", "3"), database)
    with ExitStack() as clients:
        for _ in range(20):
            ask(clients.enter_context(place.connect()), "SELECT 1")
        assert place.proxy.figure("origin", "open") <= 3


async def test_a_storm_leaves_everybody_with_its_own(database: Database, start_proxy: StartProxy) -> None:
    place = Place(
        start_proxy("--pool-size", "4", "--freshness", "wire", "--pool-wait-seconds", "60"), database
    )
    result = await run(place, Plan(clients=40, seconds=5.0, pause_seconds=0.02))
    assert result.findings == []
    assert result.most <= 4
    assert result.asked > 100
