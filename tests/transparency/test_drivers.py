"""The same programs in psycopg and asyncpg: what the drivers make of the replies is equal on both sides."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
import psycopg
import pytest
from psycopg import pq

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

Psycopg: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
Asyncpg: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

TEXTS: Final = (
    "SELECT * FROM star ORDER BY id",
    "SELECT id, name, mass FROM planet WHERE id = 3",
    "SELECT spot, info, codes, span, net, kind FROM star ORDER BY id",
    "SELECT count(*) FROM planet",
    "SELECT",
    "SELECT nosuch FROM planet",
    "SELECT 1 / (id - 5) FROM planet WHERE id = 5",
    "INSERT INTO planet (id, name) VALUES (1, 'twice')",
    "INSERT INTO gauge VALUES (99, -1)",
    "UPDATE gauge SET level = level WHERE id < 3",
    "DO $$ BEGIN RAISE NOTICE 'heard' USING HINT = 'h', DETAIL = 'd'; END $$",
    "SET timezone = 'Asia/Tokyo'",
    "SHOW timezone",
    "RESET timezone",
    "BEGIN", "SET timezone = 'Asia/Tokyo'", "ROLLBACK", "SHOW timezone",
    "",
)  # fmt: skip
_FIELDS: Final = tuple(pq.DiagnosticField)


def by_psycopg(sides: Sides, play: Callable[[Psycopg, list[object]], None], **options: str) -> list[object]:
    """What ``play`` notes must be the same on both sides; what it was."""
    noted: list[list[object]] = []
    for url in (sides.direct, sides.proxied):
        with psycopg.connect(url, autocommit=True, **options) as connection:  # type: ignore[arg-type]
            notes: list[object] = []
            connection.add_notice_handler(partial(_note, notes))
            play(connection, notes)
            noted.append(notes)
    assert noted[1] == noted[0]
    return noted[0]


def _note(notes: list[object], diagnostic: psycopg.errors.Diagnostic) -> None:
    notes.append([
        diagnostic.severity_nonlocalized, diagnostic.sqlstate, diagnostic.message_primary,
        diagnostic.message_detail, diagnostic.message_hint, diagnostic.context, diagnostic.source_function,
    ])  # fmt: skip


def _run(connection: Psycopg, text: str, notes: list[object], *, binary: bool, prepare: bool) -> None:
    cursor = connection.cursor(binary=binary)
    try:
        cursor.execute(text.encode(), prepare=prepare)
    except psycopg.Error as fault:
        fields = [
            (f.name, None if fault.pgresult is None else fault.pgresult.error_field(f)) for f in _FIELDS
        ]
        notes.append((type(fault).__name__, fields))
    else:
        described = [
            (repr(c), c.type_code, c.internal_size, c.precision, c.scale) for c in cursor.description or ()
        ]
        notes.append((cursor.statusmessage, cursor.rowcount, described))
        notes.append(repr(cursor.fetchall()) if cursor.description is not None else None)
    status = {
        name: connection.info.parameter_status(name) for name in ("TimeZone", "DateStyle", "server_version")
    }
    notes.append((status, connection.info.transaction_status, connection.info.server_version))


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_psycopg_sees_the_same(sides: Sides, binary: bool, prepare: bool) -> None:
    def play(connection: Psycopg, notes: list[object]) -> None:
        for text in TEXTS:
            for _ in range(3):
                _run(connection, text, notes, binary=binary, prepare=prepare)

    assert len(by_psycopg(sides, play)) > len(TEXTS)


def test_psycopg_pipelines_see_the_same(sides: Sides) -> None:
    def play(connection: Psycopg, notes: list[object]) -> None:
        for _ in range(3):
            try:
                with connection.pipeline():
                    cursors = [
                        connection.execute("SELECT name FROM planet WHERE id = %s", (n,))
                        for n in range(1, 40)
                    ]
                    notes.extend(cursor.fetchall() for cursor in cursors)
                    connection.execute("SELECT 1 / 0")
            except psycopg.Error as fault:
                notes.append((fault.sqlstate, fault.diag.message_primary))
            notes.append(connection.info.transaction_status)

    by_psycopg(sides, play)


def test_psycopg_server_cursors_and_copies_see_the_same(sides: Sides) -> None:
    def play(connection: Psycopg, notes: list[object]) -> None:
        for scrolls in (False, True):
            with connection.transaction(), connection.cursor("walk", scrollable=scrolls) as cursor:
                cursor.execute("SELECT id, name FROM planet ORDER BY id")
                cursor.itersize = 3
                notes.append((cursor.fetchmany(2), cursor.fetchone(), cursor.fetchall()))
        for text in (
            "COPY planet TO STDOUT",
            "COPY planet TO STDOUT (FORMAT binary)",
            "COPY nosuch TO STDOUT",
        ):
            try:
                with connection.cursor().copy(text.encode()) as copy:
                    notes.append([bytes(piece) for piece in copy])
            except psycopg.Error as fault:
                notes.append((fault.sqlstate, fault.diag.statement_position))

    by_psycopg(sides, play)


def test_the_application_name_shows_in_the_origins_activity(sides: Sides) -> None:
    def play(connection: Psycopg, notes: list[object]) -> None:
        query = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        notes.append(connection.execute(query).fetchall())
        connection.execute("SET application_name = 'renamed'")
        notes.append(
            (connection.execute(query).fetchall(), connection.info.parameter_status("application_name"))
        )

    told = by_psycopg(sides, play, application_name="named at login")
    assert told == [[("named at login",)], ([("renamed",)], "renamed")]


def by_asyncpg(sides: Sides, play: Callable[[Asyncpg, list[object]], Awaitable[None]]) -> list[object]:
    """The same with asyncpg."""

    async def notes_of(url: str) -> list[object]:
        connection = await asyncpg.connect(url)
        notes: list[object] = []
        connection.add_log_listener(lambda _, message: notes.append(message.as_dict()))
        try:
            await play(connection, notes)
        finally:
            await connection.close()
        return notes

    direct, proxied = (asyncio.run(notes_of(url)) for url in (sides.direct, sides.proxied))
    assert proxied == direct
    return direct


def test_asyncpg_sees_the_same(sides: Sides) -> None:
    async def play(connection: Asyncpg, notes: list[object]) -> None:
        notes.append((connection.get_server_version(), repr(connection.get_settings())))
        for text in TEXTS:
            for _ in range(3):
                try:
                    statement = await connection.prepare(text)
                    rows = await statement.fetch()
                    columns = [(a.name, a.type.name, a.type.kind) for a in statement.get_attributes()]
                    notes.append((repr(rows), columns, statement.get_statusmsg()))
                except asyncpg.PostgresError as fault:
                    notes.append((type(fault).__name__, fault.as_dict()))
        notes.append(await connection.execute("SELECT 1; SELECT 2"))

    assert len(by_asyncpg(sides, play)) > len(TEXTS)


def test_asyncpg_parameters_cursors_and_copies_see_the_same(sides: Sides) -> None:
    async def play(connection: Asyncpg, notes: list[object]) -> None:
        for number in (1, 2, 3, 1, 2, 3):
            notes.append(repr(await connection.fetch("SELECT * FROM planet WHERE id = $1", number)))
            notes.append(repr(await connection.fetchrow("SELECT * FROM star WHERE id = $1", number)))
            notes.append(await connection.fetchval("SELECT $1::text || name FROM planet WHERE id = 1", "é"))
        statement = await connection.prepare("SELECT id, $2::numeric FROM planet WHERE id = $1")
        notes.append([parameter.name for parameter in statement.get_parameters()])
        async with connection.transaction():
            notes.append(
                [
                    repr(row)
                    async for row in connection.cursor("SELECT id FROM planet ORDER BY id", prefetch=3)
                ]
            )
        pieces: list[bytes] = []

        async def take(piece: bytes) -> None:
            pieces.append(piece)

        notes.append(
            await connection.copy_from_query("SELECT * FROM star ORDER BY id", output=take, format="binary")
        )
        notes.append(b"".join(pieces))
        await connection.reset()
        notes.append(repr(await connection.fetch("SELECT id FROM planet ORDER BY id")))

    by_asyncpg(sides, play)
