"""A table of rows as the origin, and a memory that is told which rows its reads and writes are about.

The truth is the table itself: at every hit the answer must be what the query would say now. Everything that
can be late is late: snapshots, commits, acknowledgements. Breaches are subclasses that say too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from proxy.cache.entry import Slot
from proxy.cache.facets import ANY_VALUE, Canonical, Fixed, Part, RowChange
from proxy.cache.fills import Ticket
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.tags import Reach, Suspension, relations_of
from proxy.cache.ttl import TtlRule

DATABASE, TABLE = 1, 10
COLUMNS: Final = (1, 2, 3)
VALUES: Final[tuple[Canonical, ...]] = (0, 1, None)  # NULL equals nothing

Row = dict[int, Canonical]


@dataclass(eq=False)
class Query:
    """SELECT mentions (all: None) FROM table [WHERE column = value]."""

    part: Part
    slot: Slot


@dataclass(frozen=True)
class Statement:
    """One write. ``where``: a column and the value it must equal; ``sets``: what UPDATE or INSERT assigns."""

    kind: str
    sets: tuple[tuple[int, Canonical], ...] = ()
    where: tuple[int, Canonical] | None = None


@dataclass(eq=False)
class Write:
    """A statement on its way."""

    statement: Statement
    suspension: Suspension
    committed: bool = False


@dataclass(eq=False)
class Fill:
    """A read on its way; ``answer`` once its snapshot was taken."""

    query: Query
    value: Canonical
    ticket: Ticket
    answer: bytes | None = None


class Table:
    """The origin, its clients, and the memory between them; ``play`` moves them at random."""

    def __init__(self, random: Random) -> None:
        self.random = random
        limits = Limits(max_facets=3, max_reach=12, max_relations=random.choice((0, 1, 1, 1)))
        self.memory: Memory[str] = Memory(limits, TtlRule())
        self.memory.lease_until = math.inf
        self.memory.expiring = False
        self.rows: list[Row] = [self.some_row() for _ in range(4)]
        self.queries: list[Query] = []
        self.writes: list[Write] = []
        self.fills: list[Fill] = []

    # The origin

    def answer(self, part: Part, value: Canonical) -> bytes:
        """What the query says now, as a multiset."""
        seen = [row for row in self.rows if not part.column or _equal(row[part.column], value)]
        shown = [
            tuple(row[c] for c in COLUMNS if part.mentions is None or c in part.mentions) for row in seen
        ]
        return repr(sorted(shown, key=repr)).encode()

    def run(self, statement: Statement) -> None:
        """The write becomes visible."""
        sets = dict(statement.sets)
        if statement.kind == "insert":
            self.rows.append(sets)
            return
        chosen = [
            r
            for r in self.rows
            if statement.where is None or _equal(r[statement.where[0]], statement.where[1])
        ]
        if statement.kind == "delete":
            self.rows = [row for row in self.rows if not any(row is gone for gone in chosen)]
        for row in chosen:
            row.update(sets)

    # What a session knows of a statement

    def reach(self, statement: Statement) -> Reach:
        """The rows that the statement may concern."""
        if statement.kind != "update" and statement.where is None and statement.kind != "insert":
            return relations_of(DATABASE, [TABLE])
        return relations_of(DATABASE, [], [self.change(statement)])

    def change(self, statement: Statement) -> RowChange:
        """The proof of it; for an INSERT of some of the columns only, for a part of it is a proof too."""
        changed = frozenset(column for column, _ in statement.sets)
        if statement.kind == "insert":
            known = [(c, (v,)) for c, v in statement.sets if self.random.random() < 0.8]
            return RowChange(TABLE, None, tuple(known))
        confined: tuple[tuple[int, tuple[Canonical, ...]], ...] = ()
        if statement.where is not None:
            column, value = statement.where
            after = tuple(v for c, v in statement.sets if c == column)
            confined = ((column, (value, *after)),)
        return RowChange(TABLE, changed if statement.kind == "update" else None, confined)

    def fixed(self, value: Canonical) -> Fixed:
        """The value that a read names; sometimes it cannot be told."""
        return ANY_VALUE if value == 1 else value

    # Steps

    def see(self) -> None:
        """A statement is seen first."""
        column = self.random.choice((0, 1, 1, 2))
        mentions = frozenset({column, *self.random.sample(COLUMNS, 1)} - {0})
        part = Part(TABLE, column, self.random.choice((mentions, mentions, None)))
        self.queries.append(Query(part, self.memory.slot(DATABASE, [part])))

    def forget(self) -> None:
        """A statement is forgotten, its facet perhaps with it."""
        if self.queries:
            self.memory.retire(self.queries.pop(self.random.randrange(len(self.queries))).slot)

    def ask(self) -> None:
        """A read: a hit, which must be true, or a fill."""
        if not self.queries:
            return
        query, value = self.random.choice(self.queries), self.random.choice(VALUES)
        key = repr(value).encode()
        entry = self.memory.lookup(query.slot, key, 0.0)
        if entry is not None:
            now = self.answer(query.part, value)
            assert entry.payload == now, f"{query.part} of {value!r}: {entry.payload!r} is not {now!r}"
            return
        ticket = self.memory.ticket(query.slot, key, 0.0, [self.fixed(value)] if query.part.column else [])
        if ticket is not None:
            self.fills.append(Fill(query, value, ticket))

    def snapshot(self) -> None:
        """The origin answers a read."""
        if self.fills:
            fill = self.random.choice(self.fills)
            fill.answer = fill.answer or self.answer(fill.query.part, fill.value)

    def land(self) -> None:
        """An answer arrives."""
        if self.fills:
            fill = self.fills.pop(self.random.randrange(len(self.fills)))
            fill.answer = fill.answer or self.answer(fill.query.part, fill.value)
            self.memory.land(fill.ticket, fill.answer)

    def send(self) -> None:
        """A write is sent."""
        statement = self.some_statement()
        self.writes.append(Write(statement, self.memory.suspend(self.reach(statement))))

    def commit(self) -> None:
        """The origin makes a write visible."""
        if self.writes:
            write = self.random.choice(self.writes)
            if not write.committed:
                write.committed = True
                self.run(write.statement)

    def acknowledge(self) -> None:
        """A write has ended, committed or not."""
        if self.writes:
            write = self.writes.pop(self.random.randrange(len(self.writes)))
            self.memory.end(write.suspension, changed=write.committed)

    def some_row(self) -> Row:
        return {column: self.random.choice(VALUES) for column in COLUMNS}

    def some_statement(self) -> Statement:
        kind = self.random.choice(("insert", "update", "update", "delete"))
        if kind == "insert":
            return Statement(kind, tuple(self.some_row().items()))
        where = (
            None if self.random.random() < 0.2 else (self.random.choice(COLUMNS), self.random.choice(VALUES))
        )
        statement = Statement(kind, where=where)
        if kind == "delete":
            return statement
        return replace(statement, sets=((self.random.choice(COLUMNS), self.random.choice(VALUES)),))


def _equal(one: Canonical, other: Canonical) -> bool:
    return one is not None and one == other


def play(table: Table, steps: int) -> None:
    """One history; raises AssertionError at the first answer that is not the truth."""
    usual = (table.ask,) * 6 + (table.land,) * 4 + (table.commit, table.acknowledge) * 2
    moves = (*usual, table.send, table.snapshot, table.see, table.forget)
    for _ in range(3):
        table.see()
    for _ in range(steps):
        table.random.choice(moves)()
