"""What drivers do beside reading: transactions, COPY, cursors, notifications; psql as well."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, last
from tests.matrix import one_process

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

pytestmark = pytest.mark.postgres


@pytest.fixture
async def connection(place: Place) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    """An asyncpg connection through the proxy, to a database with planets."""
    place.direct(PLANETS)
    connected = await asyncpg.connect(place.url())
    yield connected
    await connected.close()


async def test_asyncpg_transactions(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    async with connection.transaction():
        await connection.execute("UPDATE planets SET name = $1 WHERE id = 1", "Hermes")
        async with connection.transaction():
            assert (await connection.fetch(NAMES))[0]["name"] == "Hermes"
    assert (await connection.fetch(NAMES))[0]["name"] == "Hermes"
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("DELETE FROM planets")
    await transaction.rollback()
    assert len(await connection.fetch(NAMES)) == 3


async def test_asyncpg_copies_both_ways(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    rows = [(number, f"Planet {number}") for number in range(10, 1010)]
    assert await connection.copy_records_to_table("planets", records=rows) == "COPY 1000"
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    await connection.copy_from_query("SELECT * FROM planets", output=take)
    assert b"".join(pieces).count(b"\n") == 1003


async def test_asyncpg_cursors(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    async with connection.transaction():
        names = [row["name"] async for row in connection.cursor(NAMES, prefetch=1)]
    assert names == ["Mercury", "Venus", "Mars"]


async def test_asyncpg_executes_many(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.executemany("INSERT INTO planets VALUES ($1, $2)", [(4, "Earth"), (5, "Jupiter")])
    assert len(await connection.fetch(NAMES)) == 5


async def test_asyncpg_errors_leave_the_connection_usable(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    for _ in range(2):
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO planets VALUES (1, 'X')")
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("SELECT * FROM nothing WHERE id = $1", 1)
        assert len(await connection.fetch(NAMES)) == 3


async def test_asyncpg_reads_its_types_and_resets(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute("CREATE TYPE mood AS ENUM ('calm', 'stormy')")
    for _ in range(3):
        row = await connection.fetchrow("SELECT $1::mood[] AS moods, $2::numeric AS exact", ["calm"], 2)
        assert row is not None
        assert row["moods"] == ["calm"]
        await connection.reset()


@one_process
async def test_notifications_carry_process_ids_that_clients_know(place: Place) -> None:
    listener = await asyncpg.connect(place.url())
    speaker = await asyncpg.connect(place.url())
    heard: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
    await listener.add_listener(
        "orbit", lambda _c, pid, _channel, payload: heard.put_nowait((pid, str(payload)))
    )
    await speaker.execute("NOTIFY orbit, 'hello'")
    async with asyncio.timeout(10):
        assert await heard.get() == (speaker.get_server_pid(), "hello")
        await listener.execute("SELECT pg_notify('orbit', 'self')")
        assert await heard.get() == (listener.get_server_pid(), "self")
    await listener.close()
    await speaker.close()


def test_psycopg_server_cursors(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, connection.transaction(), connection.cursor("walk") as cursor:
        cursor.execute(NAMES.encode())
        cursor.itersize = 1
        assert [row[0] for row in cursor] == ["Mercury", "Venus", "Mars"]


def test_a_cursor_with_hold_outlives_its_transaction(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        ask(connection, "BEGIN")
        ask(connection, f"DECLARE walk CURSOR WITH HOLD FOR {NAMES}")
        ask(connection, "COMMIT")
        ask(connection, "DELETE FROM planets")
        assert ask(connection, "FETCH ALL FROM walk") == [("Mercury",), ("Venus",), ("Mars",)]


@pytest.mark.parametrize("text", ["COPY planets TO STDOUT", "COPY (SELECT * FROM planets) TO STDOUT"])
def test_psycopg_copies_out(place: Place, text: str) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        for _ in range(2):
            with connection.cursor().copy(text.encode()) as copy:
                assert len(list(copy.rows())) == 3


def _copy_in(connection: Connection, numbers: Iterable[int]) -> None:
    with connection.cursor().copy("COPY planets FROM STDIN") as copy:
        for number in numbers:
            copy.write_row((number, "X"))


class GivenUp(Exception):
    """The client changes its mind."""


def _give_up() -> Iterator[int]:
    yield 9
    raise GivenUp


def test_a_copy_that_fails_leaves_nothing(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            _copy_in(connection, range(5, 0, -1))
        assert len(ask(connection, NAMES)) == 3


def test_a_copy_that_the_client_gives_up_leaves_nothing(place: Place) -> None:
    place.direct(PLANETS)

    with place.connect() as connection:
        with pytest.raises(GivenUp):
            _copy_in(connection, _give_up())
        assert len(ask(connection, NAMES)) == 3


def test_psycopg_prepared_statements_can_be_given_back(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        connection.prepared_max = 2
        for _ in range(2):
            for number in range(6):
                query = f"SELECT name, {number} FROM planets WHERE id = %s"
                assert connection.execute(query.encode(), (1,), prepare=True).fetchall() == [
                    ("Mercury", number)
                ]


def test_client_cursors_and_binary_parameters(place: Place) -> None:
    place.direct(PLANETS)
    with psycopg.connect(place.url(), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        for _ in range(3):
            assert connection.execute("SELECT name FROM planets WHERE id = %s", (2,)).fetchall() == [
                ("Venus",)
            ]
        assert last(connection)[0] == "hit"


def test_notices_reach_the_client(place: Place) -> None:
    with place.connect() as connection:
        told: list[str | None] = []
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        ask(connection, "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
        assert told == ["one", "two"]


@pytest.mark.soundness("2.7")
def test_a_notice_of_parse_is_told_each_time(place: Place) -> None:
    place.direct(PLANETS)
    told: list[str] = []
    query = f'SELECT id AS "{"x" * 64}" FROM planets'
    with place.connect() as connection:
        connection.add_notice_handler(lambda notice: told.append(str(notice.sqlstate)))
        for _ in range(3):
            connection.pgconn.exec_params(query.encode(), [])
        assert last(connection) == ("bypass", "notice")
    assert told == ["42622"] * 3


def test_psql_describes_and_runs_scripts(place: Place) -> None:
    program = str(place.origin.cluster.programs / "psql")
    script = f"{PLANETS};\n\\d planets\nBEGIN;\nDELETE FROM planets;\nROLLBACK;\n"
    script += f"\\copy planets TO STDOUT\n{NAMES} \\gx\n"
    done = subprocess.run(
        [program, "-X", "-v", "ON_ERROR_STOP=1", place.url()],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "planets_pkey" in done.stdout
    assert "1\tMercury" in done.stdout
    assert not done.stderr


def test_several_results_of_one_text_all_arrive(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        for _ in range(2):
            cursor = connection.execute(f"SELECT 1; {NAMES}; SELECT 2".encode())
            sizes = [cursor.rowcount]
            while cursor.nextset():
                sizes.append(cursor.rowcount)
            assert sizes == [1, 3, 1]


def test_an_empty_query_and_a_comment(place: Place) -> None:
    with place.connect() as connection:
        for text in ("", ";", "-- nothing", "/* nothing */"):
            assert ask(connection, text) == []
        assert ask(connection, "SELECT 1") == [(1,)]
