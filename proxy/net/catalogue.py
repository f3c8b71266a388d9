"""Asks the origin what its catalogue says, over one kept connection for each database.

The queries and what is made of their answers stand in ``proxy/schema``; here is only the asking:
connections, bounds, and one second attempt where a kept connection turns out to be dead.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg

from proxy.errors import CatalogueTooLarge, OriginUnreachable
from proxy.schema.answers import decode
from proxy.schema.build import build
from proxy.schema.catalogue import Catalogue, Identity
from proxy.schema.objects import Objects, build_objects
from proxy.schema.queries import (
    ABILITIES_QUERY,
    Abilities,
    built_in_query,
    database_query,
    fingerprint_query,
    identity_query,
)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect = Callable[[str], Awaitable[Connection]]

# The path keeps names ours, whatever the role's own setting. The planner takes these queries for long ones,
# and could spend more on compiling them than they take.
_SESSION: Final = (
    "SET search_path = pg_catalog; SET jit = off; SET default_transaction_read_only = on; "
    "SET application_name = 'orrery catalogue'"
)
_FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    UnicodeDecodeError,
)
# What is most often wrong with an origin's URL, by PostgreSQL's code or by what the network says.
_ADVICE: Final = {
    "28P01": "user or password of its URL are wrong",
    "28000": "the user of its URL may not log in there",
    "3D000": "the database of its URL does not exist",
}
_UNREACHED: Final = (
    (ConnectionRefusedError, "nobody listens at host and port of its URL"),
    (socket.gaierror, "the host of its URL is not known"),
    # Names of roles and databases are shared by databases of all encodings, as bytes.
    (UnicodeDecodeError, "a name there is not valid in the encoding of this database"),
)
# Origins during an upgrade, or superusers' edits: more than one is rare.
_KEPT_BUILT_INS: Final = 4


@dataclass(frozen=True, slots=True)
class CatalogueLimits:
    """Bounds of the asking; ``load_seconds`` and ``check_seconds`` include connecting and waiting in line."""

    load_seconds: float = 30.0
    check_seconds: float = 5.0
    max_connections: int = 8
    # A table with ten columns, a sequence and three indexes: 5 kB of memory, 0.1 ms of the origin's time.
    max_relations: int = 50_000


@dataclass(slots=True)
class _Link:
    connection: Connection
    abilities: Abilities


class _Seat:
    """The place of one database's connection: ``users`` wait for it or use it, one at a time.

    ``in_the_way``: it is to be closed as soon as nobody uses it.
    """

    __slots__ = ("in_the_way", "link", "lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
        self.in_the_way = False
        self.link: _Link | None = None

    def vacate(self) -> None:
        if self.link is not None:
            self.link.connection.terminate()
            self.link = None


class CatalogueLoader:
    """Reads catalogues, and tells cheaply whether they still hold.

    ``connect(database)`` opens a connection of the loader's own. All methods raise OriginUnreachable if the
    origin does not answer as it should within the limits.
    """

    def __init__(self, connect: Connect, limits: CatalogueLimits | None = None) -> None:
        self._connect = connect
        self._limits = limits or CatalogueLimits()
        self._turns = asyncio.Semaphore(self._limits.max_connections)
        self._seats: OrderedDict[str, _Seat] = OrderedDict()  # the least recently used first
        self._built_ins: OrderedDict[tuple[int, str], Objects] = OrderedDict()
        self._closed = False

    async def load(self, database: str) -> Catalogue:
        """Read the whole catalogue; raises CatalogueTooLarge beyond ``max_relations``.

        Two round trips on a kept connection, one more where
        the origin's built-in objects are not known yet.
        """
        seconds = self._limits.load_seconds
        row = await self._ask(database, seconds, database_query, self._limits.max_relations)
        if row[0] is None:
            raise CatalogueTooLarge(f"the database has more than {self._limits.max_relations} relations")
        # In a thread: a large catalogue takes tens of milliseconds, in which the event loop goes on.
        rows = await asyncio.to_thread(decode, row[0])
        built_in = await self._built_in(database, (rows["server_version"], rows["built_in"]))
        return await asyncio.to_thread(build, rows, built_in)

    async def changed(self, database: str, catalogue: Catalogue) -> bool:
        """Does the origin say something else than ``catalogue`` by now? One round trip."""
        row = await self._ask(database, self._limits.check_seconds, fingerprint_query)
        return bool(row[0] != catalogue.fingerprint)

    async def identity(self, database: str) -> Identity:
        """Which server answers. One round trip."""
        return Identity(*await self._ask(database, self._limits.check_seconds, identity_query))

    def let_go(self, database: str | None = None) -> None:
        """Close the kept connection to this database (None: to every one), at once or after its use.

        A connection of ours must not be what makes DROP DATABASE or CREATE DATABASE ... TEMPLATE fail.
        """
        for name, seat in self._seats.items():
            if database in (None, name):
                seat.in_the_way = seat.users > 0
                if not seat.in_the_way:
                    seat.vacate()

    def close(self) -> None:
        """Drop all connections at once, for good; who waits for an answer gets OriginUnreachable."""
        self._closed = True
        for seat in self._seats.values():
            seat.vacate()
        self._seats.clear()

    async def _built_in(self, database: str, key: tuple[int, str]) -> Objects:
        kept = self._built_ins.get(key)
        if kept is None:
            row = await self._ask(database, self._limits.load_seconds, lambda _: built_in_query())
            kept = await asyncio.to_thread(lambda: build_objects(decode(row[0])))
            self._built_ins[key] = kept
            while len(self._built_ins) > _KEPT_BUILT_INS:
                self._built_ins.popitem(last=False)
        return kept

    async def _ask(
        self, database: str, seconds: float, query: Callable[[Abilities], str], *arguments: object
    ) -> asyncpg.Record:
        try:
            async with asyncio.timeout(seconds), self._turns:
                seat = self._seat(database)
                seat.users += 1
                try:
                    async with seat.lock:
                        return await self._ask_on(seat, database, query, arguments)
                finally:
                    seat.users -= 1
                    if seat.in_the_way and not seat.users:
                        seat.in_the_way = False
                        seat.vacate()
        except _FAILURES as error:
            raise OriginUnreachable(
                f"the origin's catalogue could not be read: {_sentence(error)}"
            ) from error

    async def _ask_on(
        self, seat: _Seat, database: str, query: Callable[[Abilities], str], arguments: tuple[object, ...]
    ) -> asyncpg.Record:
        if seat.link is not None:
            try:
                return await _fetch(seat, seat.link, query, arguments)
            except _FAILURES:
                # Most likely cut while idle (57P01, a restart, a suspended compute): a new one decides.
                pass
        seat.link = await _open(self._connect, database)
        if self._closed:
            seat.vacate()
            raise OriginUnreachable("the proxy is stopping")
        return await _fetch(seat, seat.link, query, arguments)

    def _seat(self, database: str) -> _Seat:
        seat = self._seats.get(database)
        if seat is None:
            self._make_room()
            seat = self._seats[database] = _Seat()
        self._seats.move_to_end(database)
        return seat

    def _make_room(self) -> None:
        idle = [name for name, seat in self._seats.items() if not seat.users]
        for name in idle[: max(0, len(self._seats) + 1 - self._limits.max_connections)]:
            self._seats.pop(name).vacate()


async def _open(connect: Connect, database: str) -> _Link:
    connection = await connect(database)
    try:
        await connection.execute(_SESSION)
        row = await connection.fetchrow(ABILITIES_QUERY)
    except BaseException:
        connection.terminate()
        raise
    assert row is not None
    return _Link(connection, Abilities(*row))


async def _fetch(
    seat: _Seat, link: _Link, query: Callable[[Abilities], str], arguments: tuple[object, ...]
) -> asyncpg.Record:
    try:
        row = await link.connection.fetchrow(query(link.abilities), *arguments)
    except BaseException:
        # Cancelled or failed in the middle: what the connection says next belongs to this question.
        seat.vacate()
        raise
    assert row is not None
    return row


def _sentence(error: BaseException) -> str:
    """What an operator can act on, and never the server's text: it may hold what must not be logged."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    seen = type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        seen = f"{error.sqlstate} {seen}"
        advice = _ADVICE.get(error.sqlstate or "")
    else:
        advice = next((words for kind, words in _UNREACHED if isinstance(error, kind)), None)
    return f"{advice} ({seen})" if advice else seen
