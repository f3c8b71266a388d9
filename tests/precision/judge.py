"""Reads and writes at a real PostgreSQL, and beside it a memory, told of both as a session tells it.

After every write each answer that the memory would still give is asked for anew: it must be unchanged.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, TypeAlias, final

import psycopg
from psycopg import pq

from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.ttl import TtlRule
from proxy.schema.catalogue import Catalogue
from proxy.session import rows
from proxy.session.shapes import Shape
from proxy.session.statements import Prepared
from proxy.sql.analyse import Context, analyse
from proxy.sql.analysis import NOTHING
from tests.precision.schema import some_schema
from tests.precision.statements import Grammar
from tests.precision.values import Statement
from tests.proxy.schema.origin import Origin

if TYPE_CHECKING:
    from proxy.cache.entry import Slot
    from proxy.cache.facets import Fixed
    from tests.postgres import Database

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
CONTEXT: Final = Context(path=("pg_catalog", "public"), user="postgres")
_DONE: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
REMEMBERED: Final = 16  # answers at a time


@dataclass(eq=False)
class Remembered:
    """One read whose answer is in the memory."""

    statement: Statement
    slot: Slot
    key: bytes
    fixed: list[Fixed]
    answer: list[bytes]


@dataclass
class Tally:
    """``kept``: answers that a write left alone and that were asked for again; ``dropped``: the others."""

    kept: int = 0
    dropped: int = 0
    moved: int = 0  # of the dropped, those whose answer had changed indeed
    writes: int = 0
    precise: int = 0  # writes of which something was proven
    found: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The summary for people."""
        return (
            f"{self.writes} writes ({self.precise} precise), {self.kept} answers kept, {self.dropped} dropped"
            f" ({self.moved} of them had to be), {len(self.found)} wrongly kept"
        )


@final
class Judge:
    """One schema at the origin, its catalogue, and a memory."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._memory: Memory[str] = Memory(Limits(), TtlRule())
        self._memory.lease_until = math.inf
        self._memory.expiring = False
        self._known: list[Remembered] = []

    def remember(self, statement: Statement) -> None:
        """Have the answer of a read in the memory, if it may be remembered at all."""
        shape = self._shape(statement)
        assert shape.analysis is not None
        (analysis,) = shape.analysis.statements
        answer = None if analysis.reason else self._run(statement)
        if answer is not None:
            slot = self._memory.slot(self._catalogue.database, rows.reads(analysis))
            key = b"T" + tail_of(statement)
            self._fill(Remembered(statement, slot, key, rows.fixed(shape, key), answer))

    @property
    def remembered(self) -> int:
        """How many answers are in the memory."""
        return len(self._known)

    def forget(self) -> None:
        """All of them."""
        self._known.clear()

    def write(self, statement: Statement, tally: Tally) -> None:
        """Run a write, and look at what it left."""
        if self._write(statement, tally):
            self._look(statement, tally)

    def _fill(self, read: Remembered) -> None:
        ticket = self._memory.ticket(read.slot, read.key, 0.0, read.fixed)
        assert ticket is not None
        assert self._memory.land(ticket, b"answer") is not None
        self._known.append(read)

    def _write(self, statement: Statement, tally: Tally) -> bool:
        """Did it change anything, as far as the origin tells?"""
        shape = self._shape(statement)
        assert shape.analysis is not None
        types = b"".join(p.oid.to_bytes(4, "big") for p in statement.parameters)
        prepared = Prepared(b"", statement.text.encode(), types, 0, shape, None)
        reach = NOTHING
        for one in rows.bound(shape.analysis.statements, prepared, tail_of(statement)):
            reach |= one.reach
        suspension = self._memory.suspend(rows.in_memory(reach, self._catalogue.database))
        ran = self._run(statement) is not None
        self._memory.end(suspension, changed=ran)
        tally.writes += ran
        tally.precise += ran and bool(reach.changes)
        return ran

    def _look(self, write: Statement, tally: Tally) -> None:
        known, self._known = self._known, []
        for one in known:
            kept = self._memory.lookup(one.slot, one.key, 0.0) is not None
            now = self._run(one.statement)
            # A kept answer may spare its client an error: PostgreSQL could have looked at other rows first.
            if kept and now is not None and now != one.answer:
                tally.found.append(f"{shown(write)}\nleaves\n{shown(one.statement)}\n{one.answer} -> {now}")
            tally.kept += kept
            tally.dropped += not kept
            tally.moved += not kept and now != one.answer
            if kept:
                self._known.append(one)
            elif now is not None:
                one.answer = now
                self._fill(one)

    def _shape(self, statement: Statement) -> Shape:
        shape = Shape(0, {}, statement.text.encode())
        oids = tuple(p.oid for p in statement.parameters)
        shape.analysis = analyse(statement.text, self._catalogue, CONTEXT, oids)
        return shape

    def _run(self, statement: Statement) -> list[bytes] | None:
        """The answer as a sorted list of rows; None after an error."""
        given = statement.parameters
        result = self._connection.pgconn.exec_params(
            statement.text.encode(), [p.raw for p in given], [p.oid for p in given], [p.code for p in given]
        )
        if result.status not in _DONE:
            return None
        width = range(result.nfields)
        return sorted(
            repr([result.get_value(row, at) for at in width]).encode() for row in range(result.ntuples)
        )


def tail_of(statement: Statement) -> bytes:
    """Bind's end: formats, parameters, and results as text."""
    given = statement.parameters
    parts = [
        struct.pack(f"!h{len(given)}h", len(given), *(p.code for p in given)),
        struct.pack("!h", len(given)),
    ]
    parts += [struct.pack("!i", -1 if p.raw is None else len(p.raw)) + (p.raw or b"") for p in given]
    return b"".join((*parts, b"\0\0"))


def shown(statement: Statement) -> str:
    """The statement with its parameters, for people."""
    return f"{statement.text}  {[(p.oid, p.code, p.raw) for p in statement.parameters]}"


def play(database: Database, seed: str, rounds: int, tally: Tally, *, icu: bool = False) -> None:
    """One random schema in place of what is in the database, and so many writes."""
    random = Random(seed)
    schema = some_schema(random, icu)
    renew(database, schema.ddl)
    grammar = Grammar(schema, random)
    with psycopg.connect(database.url(), autocommit=True) as connection:
        judge = Judge(connection, Origin(database).catalogue())
        for _ in range(rounds):
            for _ in range(2 * REMEMBERED):
                if judge.remembered < REMEMBERED:
                    judge.remember(grammar.read())
            judge.write(grammar.write(), tally)
            if random.random() < 0.1:
                judge.forget()
            if tally.found:
                tally.found[0] = f"seed {seed}:\n{schema.ddl}\n{tally.found[0]}"
                return


def renew(database: Database, ddl: str) -> None:
    """Put this in place of everything in the schema public."""
    database.execute(
        f"SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public; {ddl}"
    )
