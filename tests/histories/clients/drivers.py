"""Real drivers under one face. Each says the same statements in its own way over the wire.

Statements have PostgreSQL's placeholders, ``$1`` first, each once and in order.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeAlias, final

import asyncpg
import psycopg
from psycopg import AsyncRawCursor, ClientCursor, RawCursor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

Rows: TypeAlias = "list[tuple[object, ...]]"
Statement: TypeAlias = "tuple[str, tuple[object, ...]]"

# The longest that an answer may take, whatever breaks meanwhile; what breaks is mended within some seconds.
SILENCE_SECONDS: Final = 45.0
CONNECT_SECONDS: Final = 20
_PLACEHOLDER: Final = re.compile(r"\$\d")


class Refused(Exception):
    """An ERROR: the statement was undone, the session goes on. ``sqlstate`` says why."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Lost(Exception):
    """The connection ended: what was on its way may have been done, or may yet be."""


class Silent(Lost):
    """No answer came in SILENCE_SECONDS: the connection is given up."""


class Driver(ABC):
    """One connection, in autocommit until BEGIN. All methods raise ``Refused`` and ``Lost``."""

    name: str
    pipelines = False

    @abstractmethod
    async def run(self, sql: str, *values: object) -> Rows:
        """One statement with parameters."""

    @abstractmethod
    async def text(self, sql: str) -> str:
        """A simple Query, of several statements perhaps; the last one's command tag."""

    @abstractmethod
    async def copy(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        """COPY FROM STDIN."""

    async def pipeline(self, statements: Sequence[Statement]) -> list[Rows]:
        """Send all, then read all; one implicit transaction up to its Sync. Where ``pipelines``."""
        raise NotImplementedError

    @abstractmethod
    async def close(self) -> None:
        """Say goodbye, if somebody still listens."""


async def _bounded(answer: Awaitable[Rows]) -> Rows:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await answer
    except TimeoutError:
        raise Silent from None


@contextmanager
def _told() -> Generator[None]:
    """What a driver raises, in two words."""
    try:
        yield
    except asyncpg.PostgresError as fault:
        if getattr(fault, "severity", None) == "ERROR":
            raise Refused(fault.sqlstate or "") from fault
        raise Lost from fault
    except psycopg.Error as fault:
        if fault.diag.severity_nonlocalized == "ERROR":
            raise Refused(fault.sqlstate or "") from fault
        if isinstance(fault, psycopg.OperationalError):
            raise Lost from fault
        raise
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as fault:
        # An internal error is asyncpg's word for a connection that has said FATAL and not closed yet.
        raise Lost from fault


@final
class Asyncpg(Driver):
    """Binary values; statements prepared by name, or (``prepares`` off) anew each time behind a Flush."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], *, prepares: bool) -> None:
        self._connection = connection
        self.name = "asyncpg" if prepares else "asyncpg unnamed"

    @classmethod
    async def connect(cls, url: str, *, prepares: bool) -> Driver:
        with _told():
            try:
                connection = await asyncpg.connect(
                    url, timeout=CONNECT_SECONDS, statement_cache_size=100 if prepares else 0
                )
            except TimeoutError:
                raise Lost from None
        return cls(connection, prepares=prepares)

    async def run(self, sql: str, *values: object) -> Rows:
        with _told():
            return await _bounded(self._fetch(sql, values))

    async def _fetch(self, sql: str, values: tuple[object, ...]) -> Rows:
        return [tuple(row.values()) for row in await self._connection.fetch(sql, *values)]

    async def text(self, sql: str) -> str:
        async def asked() -> Rows:
            return [(await self._connection.execute(sql),)]

        with _told():
            return str((await _bounded(asked()))[0][0])

    async def copy(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        async def asked() -> Rows:
            await self._connection.copy_records_to_table(table, records=rows, columns=list(columns))
            return []

        with _told():
            await _bounded(asked())

    async def close(self) -> None:
        self._connection.terminate()


@final
class Psycopg(Driver):
    """libpq in a thread; ``prepares``: statements by name from the start, else Queries with literals."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], *, prepares: bool) -> None:
        self._connection = connection
        self._prepares = prepares
        self.name = "psycopg prepared" if prepares else "psycopg simple"

    @classmethod
    async def connect(cls, url: str, *, prepares: bool) -> Driver:
        def opened() -> psycopg.Connection[tuple[object, ...]]:
            return psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                prepare_threshold=0 if prepares else None,
                cursor_factory=RawCursor if prepares else ClientCursor,
            )

        with _told():
            return cls(await asyncio.to_thread(opened), prepares=prepares)

    async def _in_thread(self, asked: Callable[[], Rows]) -> Rows:
        with _told():
            return await _bounded(asyncio.to_thread(asked))

    async def run(self, sql: str, *values: object) -> Rows:
        def asked() -> Rows:
            said = sql if self._prepares else _PLACEHOLDER.sub("%s", sql)
            cursor = self._connection.execute(said.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

        return await self._in_thread(asked)

    async def text(self, sql: str) -> str:
        def asked() -> Rows:
            cursor = self._connection.execute(sql.encode(), prepare=False)
            while cursor.nextset():
                pass
            return [(cursor.statusmessage or "",)]

        return str((await self._in_thread(asked))[0][0])

    async def copy(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        def asked() -> Rows:
            order = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            with self._connection.cursor() as cursor, cursor.copy(order.encode()) as copying:
                for row in rows:
                    copying.write_row(row)
            return []

        await self._in_thread(asked)

    async def close(self) -> None:
        # Not close(): that waits for whoever still waits in a thread.
        with suppress(psycopg.Error):
            self._connection.pgconn.finish()


@final
class PsycopgAsync(Driver):
    """Parse, Bind and Execute with unnamed statements and binary answers; and pipelines."""

    name = "psycopg async"
    pipelines = True

    def __init__(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, url: str) -> Driver:
        with _told():
            return cls(
                await psycopg.AsyncConnection.connect(
                    url,
                    autocommit=True,
                    connect_timeout=CONNECT_SECONDS,
                    prepare_threshold=None,
                    cursor_factory=AsyncRawCursor,
                )
            )

    async def run(self, sql: str, *values: object) -> Rows:
        with _told():
            return await _bounded(self._fetch(sql, values))

    async def _fetch(self, sql: str, values: tuple[object, ...]) -> Rows:
        cursor = await self._connection.execute(sql.encode(), values or None, binary=True)
        return await _all(cursor)

    async def text(self, sql: str) -> str:
        async def asked() -> Rows:
            cursor = await self._connection.execute(sql.encode(), prepare=False)
            while cursor.nextset():
                pass
            return [(cursor.statusmessage or "",)]

        with _told():
            return str((await _bounded(asked()))[0][0])

    async def copy(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        async def asked() -> Rows:
            order = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            async with self._connection.cursor() as cursor, cursor.copy(order.encode()) as copying:
                for row in rows:
                    await copying.write_row(row)
            return []

        with _told():
            await _bounded(asked())

    async def pipeline(self, statements: Sequence[Statement]) -> list[Rows]:
        answers: list[Rows] = []

        async def asked() -> Rows:
            async with self._connection.pipeline():
                cursors = [
                    await self._connection.execute(sql.encode(), values or None, binary=True)
                    for sql, values in statements
                ]
            answers.extend([await _all(cursor) for cursor in cursors])
            return []

        with _told():
            await _bounded(asked())
        return answers

    async def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.pgconn.finish()


async def _all(cursor: psycopg.AsyncCursor[tuple[object, ...]]) -> Rows:
    return await cursor.fetchall() if cursor.description else []


KINDS: Final[tuple[Callable[[str], Awaitable[Driver]], ...]] = (
    lambda url: Asyncpg.connect(url, prepares=True),
    lambda url: Psycopg.connect(url, prepares=False),
    PsycopgAsync.connect,
    lambda url: Psycopg.connect(url, prepares=True),
    lambda url: Asyncpg.connect(url, prepares=False),
)
