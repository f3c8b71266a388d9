"""An origin made of version numbers, and a driver that uses the memory as a session must.

The truth is ``World.versions``: what PostgreSQL would answer at this moment. The driver's steps are those of
the protocol, one by one, so that any interleaving of several clients can be played. Breaches of a law are
subclasses that take one step wrongly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Self

from proxy.cache.entry import Slot
from proxy.cache.fills import Flight, Ticket
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.tags import Extent, Reach, Suspension
from proxy.cache.ttl import TtlRule

FLOOR, CAP = 1.0, 8.0  # seconds
DATABASES = (1, 2, 3)
OIDS = (10, 11, 12)

Relation = tuple[int, int]


@dataclass(eq=False)
class Write:
    """A write on its way. ``committed`` is known to the origin alone until it answers."""

    reach: Reach
    suspension: Suspension
    committed: bool = False


@dataclass(eq=False)
class Fill:
    """A read on its way. ``answer`` is there once the origin took the snapshot."""

    query: Query
    key: bytes
    ticket: Ticket
    flight: Flight[Follower] | None
    answer: bytes | None = None


@dataclass(eq=False)
class Query:
    """A statement that reads these relations; its answer is its parameter and their versions."""

    database: int
    oids: tuple[int, ...]
    slot: Slot

    @property
    def relations(self) -> list[Relation]:
        """What it reads."""
        return [(self.database, oid) for oid in self.oids]


@dataclass(eq=False)
class Follower:
    """One who waits for another's fill, with the versions that it may rely on because it asked after them."""

    query: Query
    key: bytes
    known: dict[Relation, int]


@dataclass
class World:
    """Origin, memory and clients. ``superseded[relation][v]`` is when version v stopped being the truth."""

    memory: Memory[Follower]
    now: float = 100.0
    versions: dict[Relation, int] = field(default_factory=dict)
    acknowledged: dict[Relation, int] = field(default_factory=dict)
    superseded: dict[Relation, list[float]] = field(default_factory=dict)
    queries: list[Query] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)

    @classmethod
    def small(cls, cache_bytes: int = 2500) -> Self:
        """A world whose limits are so low that all of them are met."""
        limits = Limits(
            cache_bytes=cache_bytes,
            max_entry_bytes=200,
            max_relations=4,
            max_databases=2,
            max_reach=2,
            max_flights=3,
        )
        memory: Memory[Follower] = Memory(limits, TtlRule(FLOOR, CAP))
        memory.lease_until = math.inf
        world = cls(memory)
        for relation in ((database, oid) for database in DATABASES for oid in OIDS):
            world.versions[relation] = world.acknowledged[relation] = 0
            world.superseded[relation] = []
        return world

    # What the origin does

    def commit(self, reach: Reach) -> None:
        """The change becomes visible to new snapshots."""
        for relation in self.reached(reach):
            self.versions[relation] += 1
            self.superseded[relation].append(self.now)

    def answer(self, query: Query, key: bytes) -> bytes:
        """What PostgreSQL says now."""
        return key + b":" + b",".join(b"%d" % self.versions[relation] for relation in query.relations)

    def reached(self, reach: Reach) -> list[Relation]:
        """The relations that a reach means."""
        match reach.extent:
            case Extent.ORIGIN:
                return list(self.versions)
            case Extent.DATABASE:
                return [(reach.database, oid) for oid in OIDS]
            case Extent.RELATIONS:
                return [(reach.database, oid) for oid in sorted(reach.relations)]
            case _:
                return []

    # What a session does with a write

    def send(self, reach: Reach) -> None:
        """The message that can commit is sent."""
        self.writes.append(Write(reach, self.memory.suspend(reach)))

    def acknowledge(self, write: Write) -> None:
        """ReadyForQuery came: the memory first, then the client."""
        self.writes.remove(write)
        self.memory.end(write.suspension, changed=write.committed)
        self.told(write)

    def told(self, write: Write) -> None:
        """The client knows of its write; from here on everybody must see it."""
        if write.committed:
            for relation in self.reached(write.reach):
                self.acknowledged[relation] = self.versions[relation]

    # What a session does with a read

    def ask(self, query: Query, key: bytes) -> None:
        """A read arrives: a hit, a shared fill, a fill, or a bypass that concerns nobody here."""
        entry = self.memory.lookup(query.slot, self.key(key), self.now)
        if entry is not None:
            assert self.now < self.memory.lease_until, "a hit without a lease"
            self.check_hit(query, key, entry.payload)
            return
        flight = self.memory.join(query.slot, self.key(key), self.now)
        if flight is not None:
            known = self.acknowledged if self.memory.expiring else self.versions
            flight.follow(Follower(query, key, dict(known)))
            return
        ticket = self.memory.ticket(query.slot, self.key(key), self.now)
        if ticket is not None:
            self.fills.append(Fill(query, key, ticket, self.memory.lead(ticket)))

    def land(self, fill: Fill) -> None:
        """The answer is complete."""
        self.fills.remove(fill)
        if fill.answer is not None:
            self.memory.land(fill.ticket, fill.answer)
        for follower in self.memory.finish(fill.flight) if fill.flight else ():
            if fill.answer is not None:
                self.check_follower(follower, fill.answer)

    def key(self, key: bytes) -> bytes:
        """The key of a request: its raw parameters."""
        return key

    # The laws

    def check_hit(self, query: Query, key: bytes, payload: bytes) -> None:
        """Without expiry a hit says what PostgreSQL would say now; with it, what was true within the cap."""
        if not self.memory.expiring:
            assert payload == self.answer(query, key), f"{payload!r} is not {self.answer(query, key)!r}"
            return
        parameter, versions = self.read(payload)
        assert parameter == key, f"an answer for {parameter!r} was given to {key!r}"
        for relation, version in zip(query.relations, versions, strict=True):
            assert version >= self.acknowledged[relation], f"{relation}: an acknowledged write is not seen"
            if version < self.versions[relation]:
                assert self.superseded[relation][version] > self.now - CAP, f"{relation}: older than the cap"

    def check_follower(self, follower: Follower, payload: bytes) -> None:
        """A shared answer is no older than the moment when its follower asked."""
        parameter, versions = self.read(payload)
        assert parameter == follower.key, f"an answer for {parameter!r} was given to {follower.key!r}"
        for relation, version in zip(follower.query.relations, versions, strict=True):
            assert version >= follower.known[relation], f"{relation}: a follower got an older answer"

    @staticmethod
    def read(payload: bytes) -> tuple[bytes, list[int]]:
        """The parameter and the versions that an answer carries."""
        parameter, _, versions = payload.partition(b":")
        return parameter, [int(version) for version in versions.split(b",")]
