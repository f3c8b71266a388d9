"""Random histories of reads, writes, faults and time over a World, as a hypothesis state machine."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.cache.tags import ORIGIN, Reach, relations_of, whole
from tests.laws.world import CAP, DATABASES, OIDS, Fill, Query, World, Write
from tests.proxy.cache.audit import audit

KEYS = (b"a", b"b", b"c" * 150)

databases = st.sampled_from(DATABASES)
keys = st.sampled_from(KEYS)
picks = st.integers(0, 50)
oids = st.lists(st.sampled_from(OIDS), min_size=1, unique=True)
narrow = st.builds(relations_of, databases, oids)
wide = st.one_of(narrow, st.builds(whole, databases), st.just(ORIGIN))
RARELY = (
    "a statement is seen first",
    "a statement is forgotten",
    "a connection is lost and its fate settled",
    "a feed or a purge drops something",
    "everything is purged",
    "the level changes",
    "the lease is set",
)


class Histories(RuleBasedStateMachine):
    """Any interleaving of what clients, origin and network can do; the world checks each answer given."""

    def world(self) -> World:
        """The world to play in; breaches bring their own."""
        return World.small()

    def __init__(self) -> None:
        super().__init__()
        self.w = self.world()

    @initialize(expiring=st.booleans(), reads=st.lists(st.tuples(databases, oids), min_size=1, max_size=3))
    def the_world_begins(self, expiring: bool, reads: list[tuple[int, list[int]]]) -> None:
        self.w.memory.set_level(expiring=expiring)
        for database, relations in reads:
            self.see(database, relations)

    def see(self, database: int, relations: list[int]) -> None:
        slot = self.w.memory.slot(database, relations)
        self.w.queries.append(Query(database, tuple(relations), slot))

    def write(self, pick: int) -> Write:
        return self.w.writes[pick % len(self.w.writes)]

    def fill(self, pick: int) -> Fill:
        return self.w.fills[pick % len(self.w.fills)]

    def query(self, pick: int) -> Query:
        return self.w.queries[pick % len(self.w.queries)]

    # Reads

    @precondition(lambda self: self.w.queries)
    @rule(pick=picks, key=keys)
    def a_client_reads(self, pick: int, key: bytes) -> None:
        self.w.ask(self.query(pick), key)

    @precondition(lambda self: self.w.queries)
    @rule(pick=picks, key=keys)
    def a_client_reads_until_it_is_remembered(self, pick: int, key: bytes) -> None:
        query = self.query(pick)
        self.w.ask(query, key)
        for fill in [fill for fill in self.w.fills if fill.query is query]:
            self.w.fills.remove(fill)
            fill.answer = fill.answer or self.w.answer(query, fill.key)
            self.w.fills.append(fill)
            self.w.land(fill)
        self.w.ask(query, key)

    @precondition(lambda self: self.w.fills)
    @rule(pick=picks)
    def the_origin_takes_a_snapshot(self, pick: int) -> None:
        fill = self.fill(pick)
        fill.answer = fill.answer or self.w.answer(fill.query, fill.key)

    @precondition(lambda self: self.w.fills)
    @rule(pick=picks)
    def an_answer_lands_or_its_leader_is_lost(self, pick: int) -> None:
        self.w.land(self.fill(pick))

    # Writes

    @rule(reach=st.one_of(narrow, wide))
    def a_write_is_sent(self, reach: Reach) -> None:
        self.w.send(reach)

    @precondition(lambda self: self.w.writes)
    @rule(pick=picks)
    def the_origin_commits(self, pick: int) -> None:
        write = self.write(pick)
        if not write.committed:
            write.committed = True
            self.w.commit(write.reach)

    @precondition(lambda self: self.w.writes)
    @rule(pick=picks)
    def the_origin_answers_a_write(self, pick: int) -> None:
        self.w.acknowledge(self.write(pick))

    @rule(reach=narrow)
    def a_write_runs_through(self, reach: Reach) -> None:
        self.w.send(reach)
        write = self.w.writes[-1]
        write.committed = True
        self.w.commit(reach)
        self.w.acknowledge(write)

    @precondition(lambda self: self.w.memory.expiring)
    @rule(reach=narrow)
    def somebody_writes_past_us(self, reach: Reach) -> None:
        self.w.commit(reach)

    # The world around

    @rule(seconds=st.floats(0.0, CAP))
    def time_passes(self, seconds: float) -> None:
        self.w.now += seconds

    @rule(budget=st.integers(1, 5))
    def the_janitor_sweeps(self, budget: int) -> None:
        self.w.memory.sweep(budget)

    @rule(event=st.sampled_from(RARELY), pick=picks, reach=wide, database=databases, relations=oids)
    def something_rare_happens(
        self, event: str, pick: int, reach: Reach, database: int, relations: list[int]
    ) -> None:
        memory = self.w.memory
        match event:
            case "a statement is seen first":
                self.see(database, relations)
            case "a statement is forgotten" if self.w.queries:
                memory.retire(self.w.queries.pop(pick % len(self.w.queries)).slot)
            case "a connection is lost and its fate settled" if self.w.writes:
                memory.end(self.w.writes.pop(pick % len(self.w.writes)).suspension, changed=True)
            case "a feed or a purge drops something":
                memory.drop(reach, "feed")
            case "everything is purged":
                memory.clear("purge")
                assert memory.entries == 0
            case "the level changes":
                memory.set_level(expiring=not memory.expiring)
            case "the lease is set":
                memory.lease_until = self.w.now + pick / 2 if pick % 2 else math.inf

    @invariant()
    def memory_is_bounded_and_its_counts_are_true(self) -> None:
        assert self.w.memory.bytes <= self.w.memory.limits.cache_bytes, "the bound of the memory is broken"
        audit(self.w.memory._store)
        assert self.w.memory.flights <= self.w.memory.limits.max_flights
