"""One client of a storm: it knows what it has set and written, so it knows every reply before it comes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, TypeAlias, final

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

# Where 2000-01-01 00:00 UTC falls, as text.
ZONES: Final = {
    "UTC": "2000-01-01 00:00:00+00",
    "Asia/Tokyo": "2000-01-01 09:00:00+09",
    "America/New_York": "1999-12-31 19:00:00-05",
}
ROWS: Final = """
CREATE TABLE storm (id int PRIMARY KEY, n int NOT NULL, word text NOT NULL, at timestamptz NOT NULL);
INSERT INTO storm SELECT i, 0, 'word ' || i, '2000-01-01 00:00+00' FROM generate_series(0, {last}) AS i
"""
_PATIENCE_SECONDS: Final = 300.0
_FAULTS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@final
class Client:
    """Number ``number``: its row is written by nobody else. Every second one prepares statements under names,
    and keeps the time zone that it began with.
    """

    def __init__(self, number: int, chance: Random) -> None:
        self._number = number
        self._chance = chance
        self._names = number % 2 == 0
        self._zone = chance.choice(list(ZONES))
        self._timeout = 30_000 + number
        self._n = 0
        self._last = chance.randrange(1_000)
        self._connection: Connection | None = None
        self.findings: list[str] = []
        self.asked = 0

    async def arrive(self, url: str) -> None:
        """Log in, and make the settings that the origin must not forget."""
        try:
            self._connection = await asyncpg.connect(
                url, statement_cache_size=100 if self._names else 0, timeout=_PATIENCE_SECONDS
            )
            await self._begin(self._connection)
        except _FAULTS as fault:
            self._find(fault)

    async def live(self, until: float, pause_seconds: float) -> None:
        """Ask until the monotonic clock says ``until``; ``pause_seconds``: between two, on average."""
        if self._connection is None:
            return
        try:
            while time.monotonic() < until:
                await self._chance.choice(self._deeds())(self._connection)
                self.asked += 1
                await asyncio.sleep(self._chance.uniform(0.0, 2 * pause_seconds))
            await self._connection.close(timeout=_PATIENCE_SECONDS)
        except _FAULTS as fault:
            self._find(fault)

    def _find(self, fault: Exception) -> None:
        self.findings.append(f"client {self._number}: {type(fault).__name__}: {fault}")

    def _deeds(self) -> list[Callable[[Connection], Awaitable[None]]]:
        deeds: list[Callable[[Connection], Awaitable[None]]] = [
            self._read,
            self._read_time,
            self._settings,
            self._write,
            self._transaction,
            self._set,
        ]
        return deeds if self._names else [*deeds, self._move]

    async def _begin(self, connection: Connection) -> None:
        await connection.execute(f"SET timezone TO '{self._zone}'")
        await connection.execute(f"SET statement_timeout TO {self._timeout}")
        await connection.execute(f"SET storm.client TO '{self._number}/{self._last}'")

    async def _read(self, connection: Connection) -> None:
        self._expect(
            await _one(connection, "SELECT word FROM storm WHERE id = $1", self._number),
            f"word {self._number}",
        )

    async def _read_time(self, connection: Connection) -> None:
        sql = "SELECT at::text FROM storm WHERE id = $1"
        self._expect(await _one(connection, sql, self._number), ZONES[self._zone])

    async def _settings(self, connection: Connection) -> None:
        self._expect(await _one(connection, "SHOW storm.client"), f"{self._number}/{self._last}")
        self._expect(await _one(connection, "SHOW timezone"), self._zone)
        timeout = await _one(connection, "SHOW statement_timeout")
        self._expect(timeout, f"{self._timeout}ms" if self._timeout % 1_000 else f"{self._timeout // 1_000}s")
        self._expect(connection.get_settings().TimeZone, self._zone)

    async def _write(self, connection: Connection) -> None:
        self._n += 1
        sql = "UPDATE storm SET n = n + 1 WHERE id = $1 RETURNING n"
        self._expect(await _one(connection, sql, self._number), self._n)

    async def _transaction(self, connection: Connection) -> None:
        kept = self._chance.random() < 0.8
        transaction = connection.transaction()
        await transaction.start()
        mine = "SELECT n FROM storm WHERE id = $1"
        self._expect(await _one(connection, mine, self._number), self._n)
        await connection.execute("SET LOCAL storm.client TO 'in a transaction'")
        await connection.execute("UPDATE storm SET n = n + 1 WHERE id = $1", self._number)
        self._expect(await _one(connection, mine, self._number), self._n + 1)
        self._expect(await _one(connection, "SHOW storm.client"), "in a transaction")
        await (transaction.commit() if kept else transaction.rollback())
        self._n += kept
        self._expect(await _one(connection, mine, self._number), self._n)

    async def _set(self, connection: Connection) -> None:
        self._last = self._chance.randrange(1_000)
        await connection.execute(f"SET storm.client TO '{self._number}/{self._last}'")

    async def _move(self, connection: Connection) -> None:
        self._zone = self._chance.choice(list(ZONES))
        await connection.execute(f"SET timezone TO '{self._zone}'")

    def _expect(self, found: object, expected: object) -> None:
        if found != expected:
            self.findings.append(f"client {self._number}: {found!r} where {expected!r} was to come")


async def _one(connection: Connection, sql: str, *parameters: object) -> object:
    """The only value; all rows are asked for, or the memory would not answer."""
    rows = await connection.fetch(sql, *parameters)
    return rows[0][0] if rows else None
