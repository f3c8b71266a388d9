"""SHOW orrery.*, SET orrery.cache, ORRERY PURGE and the admin address tell what the memory does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import asyncpg
import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, outcome, remember
from tests.matrix import POOL, one_memory

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.postgres

SECRET = "comet"  # of a role that lives for one test


@pytest.fixture
def reader(place: Place) -> Generator[str]:
    """A role that owns nothing."""
    place.direct(PLANETS)
    name = f"onlooker_{place.origin.name}"
    place.direct(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'; GRANT SELECT ON planets TO {name}")
    yield name
    place.direct(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("prepare", [False, True])
def test_show_last_speaks_both_protocols_and_formats(place: Place, *, binary: bool, prepare: bool) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        ask(connection, NAMES)
        cursor = connection.execute("SHOW orrery.last", prepare=prepare, binary=binary)
        assert cursor.description is not None
        assert [column.name for column in cursor.description] == ["outcome", "reason", "age_ms", "ttl_ms"]
        found = cursor.fetchone()
        assert found is not None
        assert found[:2] == ("hit", None)
        assert isinstance(found[2], int)
        assert found[3] is None


async def test_asyncpg_prepares_what_the_proxy_answers(place: Place) -> None:
    connection = await asyncpg.connect(place.url())
    for topic in ("last", "status", "stats", "queries", "why 'SELECT 1'"):
        statement = await connection.prepare(f"SHOW orrery.{topic}")
        assert await statement.fetch()
        assert statement.get_attributes()
    await connection.close()


def test_status_and_stats(place: Place) -> None:
    with place.connect() as connection:
        status = {str(name): value for name, value in ask(connection, "SHOW orrery.status")}
        assert status["freshness"] == "wire"
        assert status["pool"] == POOL
        stats = {str(name): value for name, value in ask(connection, "SHOW orrery.stats")}
        assert isinstance(stats["outcomes.hit"], int)
        assert int(str(stats["clients.open"])) >= 1


@pytest.mark.soundness("7.1")
def test_queries_are_shown_to_their_role(place: Place, reader: str) -> None:
    with place.connect() as connection, place.connect(reader, SECRET) as other:
        remember(connection, "SELECT name FROM planets WHERE id = 1")
        remember(other, "SELECT id FROM planets WHERE id = 1")
        assert {row[0] for row in ask(other, "SHOW orrery.queries")} == {reader}
        assert {"postgres", reader} <= {row[0] for row in ask(connection, "SHOW orrery.queries")}


@pytest.mark.soundness("7.4")
def test_no_value_shows_in_queries(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        ask(connection, "SELECT name FROM planets WHERE name = 'a secret value'")
        assert "a secret value" not in str(ask(connection, "SHOW orrery.queries"))


def test_why_tells_the_outcome_that_a_statement_would_have(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        question = f"SHOW orrery.why '{NAMES}'"
        assert ask(connection, question)[0][0] == "fill"
        remember(connection)
        assert ask(connection, question)[0][0] == "hit"
        outcome, reason, meaning, remedy = ask(
            connection, "SHOW orrery.why 'SELECT now(), name FROM planets'"
        )[0]
        assert (outcome, reason) == ("bypass", "time")
        assert meaning
        assert remedy


def test_an_unknown_topic_is_an_error_and_ends_a_transaction(place: Place) -> None:
    with place.connect() as connection:
        with pytest.raises(psycopg.errors.UndefinedObject):
            ask(connection, "SHOW orrery.nothing")
        ask(connection, "BEGIN")
        ask(connection, "SELECT 1")
        with pytest.raises(psycopg.errors.UndefinedObject):
            ask(connection, "SHOW orrery.nothing")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            ask(connection, "SELECT 1")
        ask(connection, "ROLLBACK")
        assert ask(connection, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("prepare", [False, True])
def test_a_failed_transaction_answers_nothing(place: Place, *, prepare: bool) -> None:
    with place.connect() as connection:
        ask(connection, "BEGIN")
        assert connection.execute("SHOW orrery.last", prepare=prepare).fetchall()
        with pytest.raises(psycopg.errors.DivisionByZero):
            ask(connection, "SELECT 1 / 0")
        for text in (b"SHOW orrery.last", b"SET orrery.cache = off"):
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                connection.execute(text, prepare=prepare)
        ask(connection, "ROLLBACK")
        assert last(connection)


def test_a_session_may_do_without_the_memory(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        ask(connection, "SET orrery.cache = off")
        ask(connection, NAMES)
        assert last(connection) == ("bypass", "off")
        ask(connection, "BEGIN")
        ask(connection, "SET orrery.cache = on")
        assert outcome(connection, NAMES) == "hit"
        ask(connection, "ROLLBACK")
        assert outcome(connection, NAMES) == "bypass"
        ask(connection, "RESET orrery.cache")
        assert outcome(connection, NAMES) == "hit"
        ask(connection, "SET orrery.cache = off")
        ask(connection, "DISCARD ALL")
        assert outcome(connection, NAMES) == "hit"
        ask(connection, "SELECT set_config('orrery.cache', 'off', false)")
        assert outcome(connection, NAMES) == "bypass"


@one_memory
def test_the_startup_packet_may_switch_the_memory_off(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as plain, place.connect(options="-c orrery.cache=off") as connection:
        remember(plain)
        assert outcome(connection, NAMES) == "bypass"
        ask(connection, "SET orrery.cache = on")
        assert outcome(connection, NAMES) == "hit"


def test_purge_empties_the_memory_for_those_who_may(place: Place, reader: str) -> None:
    with place.connect() as connection, place.connect(reader, SECRET) as other:
        for text in ("ORRERY PURGE", "ORRERY PURGE TABLE planets", "ORRERY PURGE TABLE public.planets"):
            ask(connection, NAMES)
            ask(connection, NAMES)
            assert last(connection)[0] == "hit"
            ask(connection, text)
            assert outcome(connection, NAMES) == "fill"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(other, "ORRERY PURGE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(other, "ORRERY PURGE TABLE planets")
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(connection, "ORRERY PURGE TABLE nothing")
        ask(connection, f"ALTER TABLE planets OWNER TO {reader}")
        ask(other, "ORRERY PURGE TABLE planets")
        ask(connection, "ALTER TABLE planets OWNER TO postgres")


def test_the_admin_address_tells_and_purges(place: Place) -> None:
    place.direct(PLANETS)
    proxy = place.proxy
    assert json.loads(proxy.admin("/stats"))["freshness"]["level"] == "wire"
    for path in ("/live", "/ready", "/queries"):
        assert proxy.admin(path)
    assert "orrery_" in proxy.admin("/metrics")
    with place.connect() as connection:
        remember(connection)
        proxy.admin("/purge", "POST")
        assert outcome(connection, NAMES) == "fill"


def test_no_web_page_reaches_the_admin_address(place: Place) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        with pytest.raises(HTTPError) as refused:
            place.proxy.admin("/purge", "POST", headers)
        assert refused.value.code in {400, 403, 421}
        refused.value.close()
