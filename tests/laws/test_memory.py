"""The laws of the memory one by one, each in the shortest setting that can break it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.entry import Slot
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.scopes import Content, Scopes
from proxy.cache.tags import Reach, relations_of
from proxy.cache.ttl import TtlRule
from tests.laws.histories import databases, oids, wide
from tests.laws.world import Query, World

Request = tuple[Content, str, bytes]
requests = st.tuples(
    st.tuples(st.integers(1, 2), st.sampled_from(["anna", "bert"])),
    st.sampled_from(["SELECT 1 FROM a", "SELECT 1 FROM b"]),
    st.sampled_from([b"", b"\x00", b"\x00\x00", b"1"]),
)


def new_memory(limits: Limits) -> Memory[str]:
    memory: Memory[str] = Memory(limits, TtlRule())
    memory.lease_until = math.inf
    return memory


@given(databases, oids, st.lists(wide, max_size=5), st.booleans())
def test_a_writer_never_reads_an_answer_older_than_its_own_acknowledged_write(
    database: int, read: list[int], writes: list[Reach], expiring: bool
) -> None:
    world = World.small()
    world.memory.set_level(expiring=expiring)
    query = Query(database, tuple(read), world.memory.slot(database, read))
    for reach in writes:
        world.ask(query, b"a")
        for fill in tuple(world.fills):
            fill.answer = world.answer(query, b"a")
            world.land(fill)
        world.send(reach)
        world.commit(reach)
        world.writes[0].committed = True
        world.acknowledge(world.writes[0])
        world.ask(query, b"a")


@given(databases, oids, wide)
def test_a_fill_that_began_before_a_bump_never_lands_after_it(
    database: int, read: list[int], change: Reach
) -> None:
    world = World.small()
    slot = world.memory.slot(database, read)
    touched = set(world.reached(change)) & {(database, oid) for oid in read}
    ticket = world.memory.ticket(slot, b"", world.now)
    assert ticket is not None
    world.memory.drop(change, "feed")
    landed = world.memory.land(ticket, b"answer")
    assert landed is None or not touched


@pytest.mark.soundness("3.1")
@given(requests, requests)
def test_two_requests_share_an_answer_only_if_everything_in_the_key_is_equal(
    one: Request, other: Request
) -> None:
    memory, scopes = new_memory(Limits()), Scopes(10)
    slots: dict[tuple[int, str], Slot] = {}

    def slot_of(request: Request) -> Slot:
        return slots.setdefault((scopes.intern(request[0]), request[1]), memory.slot(1, [10]))

    ticket = memory.ticket(slot_of(one), one[2], 0.0)
    assert ticket is not None
    memory.land(ticket, b"answer")
    shared = memory.lookup(slot_of(other), other[2], 0.5) is not None
    assert shared == (one == other)


@pytest.mark.soundness("7.6")
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2000)), max_size=30))
def test_memory_is_bounded_per_entry_and_together(puts: list[tuple[int, int]]) -> None:
    limits = Limits(cache_bytes=6000, max_entry_bytes=1500)
    memory = new_memory(limits)
    slot = memory.slot(1, [10])
    for name, size in puts:
        ticket = memory.ticket(slot, b"%d" % name, 0.0)
        assert ticket is not None
        memory.land(ticket, b"p" * size)
        assert memory.bytes <= limits.cache_bytes
        assert all(len(entry.payload) < limits.max_entry_bytes for entry in slot.entries.values())


def test_a_change_elsewhere_lets_a_fill_land() -> None:
    memory = new_memory(Limits())
    ticket = memory.ticket(memory.slot(1, [10]), b"", 0.0)
    assert ticket is not None
    memory.drop(relations_of(1, [11]), "feed")
    assert memory.land(ticket, b"answer") is not None
