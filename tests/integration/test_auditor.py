"""The auditor before a real PostgreSQL: what it finds, as whom it asks, and that it alarms nobody in vain."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from proxy import config
from proxy.cache.entry import Entry
from proxy.cache.fills import Ticket
from proxy.cache.memory import Memory
from proxy.service import Service
from proxy.session.session import Session
from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, remember
from tests.integration.proxy import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.conftest import StartProxy
    from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres

SECRET = "comet"  # of a role that lives for one test
ALL = ("--audit-share", "1", "--catalogue-seconds", "3600")


@pytest.fixture
def audited(database: Database, start_proxy: StartProxy) -> Place:
    """A proxy at level wire whose every hit is checked."""
    database.execute(PLANETS)
    return Place(start_proxy("--freshness", "wire", *ALL), database)


def answers(place: Place) -> dict[str, int]:
    return {name: place.proxy.figure("audit", "answers", name) for name in ("fresh", "different", "excused")}


def check(place: Place, connection: Connection, query: str, values: tuple[int, ...] | None = None) -> None:
    """Ask until this was checked, and fresh: one answer from before may still have been on its way."""
    goal = answers(place)["fresh"] + 2

    def checked() -> bool:
        ask(connection, query, values)
        return answers(place)["fresh"] >= goal

    until(checked, "the answers are fresh")


def until_different(place: Place, connection: Connection, query: str) -> None:
    def found() -> bool:
        ask(connection, query)
        return answers(place)["different"] > 0

    until(found, "the difference is found")


def alarms(place: Place) -> list[str]:
    return [line for line in place.proxy.log().splitlines() if "audit_difference" in line]


def test_a_change_past_the_proxy_is_found_dropped_and_told_without_values(
    database: Database, start_proxy: StartProxy
) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--ttl-floor", "60", "--ttl-cap", "60", *ALL), database)
    query = "SELECT name FROM planets WHERE id = 1 AND name <> 'a secret value'"
    with place.connect() as connection:
        check(place, connection, query)
        place.direct("UPDATE planets SET name = 'Vulcan'")
        until_different(place, connection, query)
        assert ask(connection, query) == [("Vulcan",)]
    (line,) = alarms(place)
    assert "level=ttl" in line
    assert "WHERE id = $1 AND name <> $2" in line
    assert "secret" not in place.proxy.log()
    assert place.proxy.figure("audit", "checked_within", "60") == sum(answers(place).values())


def test_at_level_wire_it_is_an_alarm(audited: Place) -> None:
    with audited.connect() as connection:
        remember(connection)
        audited.direct("UPDATE planets SET name = 'Vulcan' WHERE id = 1")
        until_different(audited, connection, NAMES)
        assert ask(connection, NAMES)[0] == ("Vulcan",)
    (line,) = alarms(audited)
    assert "ERROR" in line
    assert "level=wire" in line


def test_readers_and_writers_through_the_proxy_cause_no_alarm(audited: Place) -> None:
    done = threading.Event()

    def read(number: int) -> None:
        with audited.connect() as connection:
            while not done.is_set():
                for id_ in range(1, 4):
                    ask(connection, "SELECT id, name FROM planets WHERE id = %s", (id_,))
                    ask(connection, f"SELECT count(*), max(name) FROM planets WHERE id <> {number}")
                    ask(connection, NAMES)

    def write() -> None:
        with audited.connect() as connection:
            for turn in range(60):
                done.wait(0.02)
                ask(connection, "UPDATE planets SET name = %s WHERE id = %s", (f"n{turn}", turn % 3 + 1))

    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    write()
    with audited.connect() as connection:
        check(audited, connection, NAMES)  # in the quiet after the writes
    done.set()
    for reader in readers:
        reader.join()
    assert answers(audited)["different"] == 0
    assert alarms(audited) == []


@pytest.fixture
def two_roles(audited: Place) -> Generator[tuple[str, str]]:
    """Each has a table ``mine`` of its own, which the other may not read."""
    names = (f"ann_{audited.origin.name}", f"bob_{audited.origin.name}")
    for name in names:
        audited.direct(
            f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'; CREATE SCHEMA {name} AUTHORIZATION {name}"
        )
        audited.direct(f"CREATE TABLE {name}.mine AS SELECT '{name}' AS who, timestamptz '2000-01-01' AS at")
        audited.direct(f"ALTER TABLE {name}.mine OWNER TO {name}")
    audited.direct(f"GRANT {names[0]} TO {names[1]}")
    yield names
    for name in names:
        audited.direct(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def test_each_answer_is_asked_for_as_its_role_and_under_its_settings(
    audited: Place, two_roles: tuple[str, str]
) -> None:
    query = "SELECT who, at::text FROM mine"
    ann, bob = two_roles
    with ExitStack() as stack:
        first = stack.enter_context(audited.connect(ann, SECRET))
        second = stack.enter_context(audited.connect(bob, SECRET, options="-c timezone=Asia/Tokyo"))
        third = stack.enter_context(audited.connect(bob, SECRET))
        ask(third, f"SET ROLE {ann}")
        ask(third, "SET timezone = 'America/New_York'")
        for connection in (first, second, third):
            check(audited, connection, query)
        assert [ask(c, query)[0][0] for c in (first, second, third)] == [ann, bob, ann]

        def asked_as_ann() -> bool:
            ask(first, query)
            role = "SELECT usename FROM pg_stat_activity WHERE application_name = 'orrery proxy'"
            return (ann,) in audited.direct(role)

        until(asked_as_ann, "the auditor is logged in as this role")
    assert answers(audited)["different"] == 0


@pytest.mark.soundness("7.1")
def test_a_right_revoked_elsewhere_ends_the_answers(audited: Place, two_roles: tuple[str, str]) -> None:
    ann, _ = two_roles
    with audited.connect(ann, SECRET) as connection:
        check(audited, connection, "SELECT who FROM mine")
        audited.direct(f"ALTER TABLE {ann}.mine OWNER TO postgres")

        def ended() -> bool:
            try:
                ask(connection, "SELECT who FROM mine")
            except psycopg.errors.InsufficientPrivilege:
                return True
            return False

        until(ended, "the origin's refusal ends the answers")
    assert audited.proxy.figure("audit", "skipped", "refused") == 1


def test_it_is_in_nobodys_way_when_a_database_is_renamed(audited: Place) -> None:
    with audited.connect() as connection:
        check(audited, connection, NAMES)
    with psycopg.connect(audited.proxy.url("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {audited.origin.name} RENAME TO another")
        connection.execute(f"ALTER DATABASE another RENAME TO {audited.origin.name}")


def test_a_limit_is_checked_where_it_cut_nothing_off(audited: Place) -> None:
    with audited.connect() as connection:
        check(audited, connection, "SELECT name FROM planets WHERE id = 1 LIMIT 1")
        check(audited, connection, "SELECT name FROM planets WHERE id = %s LIMIT %s OFFSET %s", (1, 1, 0))

        def left_out() -> bool:
            ask(connection, "SELECT name FROM planets ORDER BY id LIMIT 2")
            return '"order":' in audited.proxy.admin("/stats")

        until(left_out, "a limit that cuts says nothing")
    assert answers(audited)["different"] == 0


def test_status_and_metrics_tell_what_it_found(audited: Place) -> None:
    with audited.connect() as connection:
        check(audited, connection, NAMES)
        status = {str(name): value for name, value in ask(connection, "SHOW orrery.status")}
    assert int(str(status["audit_fresh"])) >= 1
    assert status["audit_different"] == "0"
    assert status["audit_fresh_within_60_s"] == "100.00 %"
    assert 'orrery_audit_fresh_share{age_seconds="60"} 1.0' in audited.proxy.admin("/metrics")


def test_with_a_share_of_nought_nothing_is_asked(database: Database, start_proxy: StartProxy) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--audit-share", "0"), database)
    with place.connect() as connection:
        for _ in range(50):
            remember(connection)
        status = {str(name): value for name, value in ask(connection, "SHOW orrery.status")}
    assert (status["audit_fresh"], status["audit_skipped"], status["audit_fresh_within_60_s"]) == (
        "0",
        "0",
        "-",
    )


@pytest.mark.plain
async def test_a_fault_planted_in_the_memory_is_found(
    cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute(PLANETS)
    land = Memory.land

    def alter(memory: Memory[Session], ticket: Ticket, payload: bytes) -> Entry | None:
        return land(memory, ticket, payload.replace(b"Mars", b"Moon"))

    monkeypatch.setattr(Memory, "land", alter)
    options = {"origin": cluster.url(), "listen": "127.0.0.1:0", "admin": "off"}
    service = Service(config.load(options | {"freshness": "wire", "audit_share": "1"}))
    await service.start()
    try:
        url = database.url().replace(f":{cluster.port}/", f":{service.address.port}/")
        connection = await asyncpg.connect(url)
        told = [(await connection.fetch(NAMES))[2][0]]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any("audit_difference" in record.getMessage() for record in caplog.records):
                told.append((await connection.fetch(NAMES))[2][0])
        await connection.close()
    finally:
        await service.stop(1.0)
    assert told[0] == "Mars"
    assert "Moon" in told
