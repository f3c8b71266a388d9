"""The second identical read is answered from memory, whatever speaks."""

from __future__ import annotations

import subprocess

import asyncpg
import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, outcome, remember
from tests.matrix import one_memory

pytestmark = pytest.mark.postgres

SECRET = "comet"


def test_the_second_simple_read_is_a_hit(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        assert outcome(connection, NAMES) == "fill"
        assert outcome(connection, NAMES) == "hit"


@one_memory
def test_another_client_hits_what_the_first_one_filled(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as first, place.connect() as second:
        assert outcome(first, NAMES) == "fill"
        assert outcome(second, NAMES) == "hit"


def test_parameters_are_part_of_the_question(place: Place) -> None:
    place.direct(PLANETS)
    query = "SELECT name FROM planets WHERE id = %s"
    with place.connect() as connection:
        assert ask(connection, query, (1,)) == [("Mercury",)]
        assert ask(connection, query, (2,)) == [("Venus",)]
        assert last(connection)[0] == "fill"
        assert ask(connection, query, (1,)) == [("Mercury",)]
        assert last(connection)[0] == "hit"


@pytest.mark.parametrize("binary", [False, True])
def test_a_psycopg_cursor_hits_in_both_formats(place: Place, binary: bool) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        for expected in ("fill", "hit", "hit"):
            cursor = connection.execute("SELECT id, name FROM planets WHERE id > %s", (1,), binary=binary)
            assert cursor.fetchall() == [(2, "Venus"), (3, "Mars")]
            assert last(connection)[0] == expected


def test_a_psycopg_prepared_statement_hits_from_its_second_run(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        outcomes = []
        for _ in range(4):
            cursor = connection.execute("SELECT name FROM planets WHERE id = %s", (1,), prepare=True)
            assert cursor.fetchall() == [("Mercury",)]
            outcomes.append(last(connection)[0])
        assert outcomes == ["fill", "hit", "hit", "hit"]


def test_a_read_that_psycopg_prepares_by_itself_keeps_hitting(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        connection.prepare_threshold = 5
        outcomes = [outcome(connection, "SELECT name FROM planets WHERE id = %s", (1,)) for _ in range(12)]
        assert outcomes[0] == "fill"
        # From the fifth run on psycopg uses a named statement: another way to ask the same.
        assert outcomes.count("hit") >= 10


async def test_psycopg_async_hits(place: Place) -> None:
    place.direct(PLANETS)
    async with await psycopg.AsyncConnection.connect(place.url(), autocommit=True) as connection:
        for expected in ("fill", "hit"):
            cursor = await connection.execute("SELECT name FROM planets WHERE id = %s", (3,))
            assert await cursor.fetchall() == [("Mars",)]
            cursor = await connection.execute("SHOW orrery.last")
            found = await cursor.fetchone()
            assert found is not None
            assert found[0] == expected


async def test_asyncpg_fetch_hits(place: Place) -> None:
    place.direct(PLANETS)
    connection = await asyncpg.connect(place.url())
    outcomes = []
    for _ in range(3):
        assert (await connection.fetch("SELECT name FROM planets WHERE id = $1", 2))[0]["name"] == "Venus"
        outcomes.append(await connection.fetchval("SHOW orrery.last"))
    await connection.close()
    assert outcomes == ["fill", "hit", "hit"]


@one_memory
async def test_asyncpg_without_a_statement_cache_hits(place: Place) -> None:
    place.direct(PLANETS)
    outcomes = []
    for _ in range(3):
        connection = await asyncpg.connect(place.url(), statement_cache_size=0)
        assert (await connection.fetch("SELECT name FROM planets WHERE id = $1", 2))[0]["name"] == "Venus"
        outcomes.append(await connection.fetchval("SHOW orrery.last"))
        await connection.close()
    assert outcomes == ["fill", "hit", "hit"]


async def test_an_asyncpg_prepared_statement_hits(place: Place) -> None:
    place.direct(PLANETS)
    connection = await asyncpg.connect(place.url())
    statement = await connection.prepare("SELECT name FROM planets WHERE id = $1")
    outcomes = []
    for _ in range(3):
        assert (await statement.fetch(3))[0]["name"] == "Mars"
        outcomes.append(await connection.fetchval("SHOW orrery.last"))
    await connection.close()
    assert outcomes == ["fill", "hit", "hit"]


def test_psql_hits(place: Place) -> None:
    place.direct(PLANETS)
    program = str(place.origin.cluster.programs / "psql")
    script = f"{NAMES}; SHOW orrery.last;".replace("; ", ";\n") * 2
    done = subprocess.run(
        [program, "-X", "-A", "-t", place.url()], input=script, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[:3] == lines[4:7] == ["Mercury", "Venus", "Mars"]
    assert lines[3].startswith("fill|")
    assert lines[7].startswith("hit||")


def test_a_table_made_a_moment_ago_at_the_origin_hits_on_the_second_read(place: Place) -> None:
    with place.connect() as connection:
        ask(connection, "SELECT 1")
        place.direct(PLANETS)
        remember(connection)


def test_a_role_made_a_moment_ago_at_the_origin_hits_on_the_second_read(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
    place.direct(f"CREATE ROLE newcomer LOGIN PASSWORD '{SECRET}'")
    try:
        place.direct("GRANT SELECT ON planets TO newcomer")
        with place.connect("newcomer", SECRET) as connection:
            remember(connection)
    finally:
        place.direct("DROP OWNED BY newcomer; DROP ROLE newcomer")


def test_an_empty_answer_is_remembered_as_well(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        assert remember(connection, "SELECT * FROM planets WHERE id = 9") == []
