"""memory: what may be given, what may land, and what a write does to both."""

from __future__ import annotations

import math

import pytest

from proxy.cache.entry import Entry, Slot
from proxy.cache.facets import Part, RelationTag, RowChange
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.tags import NOTHING, ORIGIN, Reach, relations_of, whole
from proxy.cache.ttl import TtlRule

DB, PLANETS, MOONS = 5, 10, 11
KEY = b"mars"


def new_memory(limits: Limits | None = None) -> Memory[str]:
    memory: Memory[str] = Memory(limits or Limits(), TtlRule(1.0, 60.0))
    memory.lease_until = math.inf
    return memory


@pytest.fixture
def memory() -> Memory[str]:
    return new_memory()


@pytest.fixture
def slot(memory: Memory[str]) -> Slot:
    return memory.slot(DB, [PLANETS])


def fill(memory: Memory[str], slot: Slot, payload: bytes = b"red", now: float = 0.0) -> Entry | None:
    ticket = memory.ticket(slot, KEY, now)
    assert ticket is not None
    return memory.land(ticket, payload)


def hit(memory: Memory[str], slot: Slot, now: float = 0.5) -> bytes | None:
    entry = memory.lookup(slot, KEY, now)
    return entry.payload if entry is not None else None


def test_what_landed_is_given(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    assert hit(memory, slot) == b"red"
    assert memory.lookup(slot, b"venus", 0.5) is None


@pytest.mark.soundness("7.2")
def test_nothing_is_given_before_somebody_vouches_for_the_origin(slot: Slot) -> None:
    memory: Memory[str] = Memory(Limits(), TtlRule())
    slot = memory.slot(DB, [PLANETS])
    fill(memory, slot)
    assert hit(memory, slot) is None


@pytest.mark.soundness("7.2")
def test_nothing_is_given_after_the_lease(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    memory.lease_until = 0.5
    assert hit(memory, slot, 0.4) == b"red"
    assert hit(memory, slot, 0.5) is None


def test_an_answer_expires_counted_from_its_ticket(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot, now=10.0)
    assert hit(memory, slot, 10.9) == b"red"
    assert hit(memory, slot, 11.0) is None


@pytest.mark.parametrize("reach", [relations_of(DB, [PLANETS, 99]), whole(DB), ORIGIN])
def test_a_suspended_write_hides_the_answer_until_it_ends(
    memory: Memory[str], slot: Slot, reach: Reach
) -> None:
    fill(memory, slot)
    suspension = memory.suspend(reach)
    assert hit(memory, slot) is None
    assert memory.ticket(slot, KEY, 0.0) is None
    memory.end(suspension, changed=False)
    assert hit(memory, slot) == b"red"


@pytest.mark.parametrize("reach", [relations_of(DB, [PLANETS, 99]), whole(DB), ORIGIN])
def test_a_write_that_changed_something_leaves_nothing_of_its_reach(
    memory: Memory[str], slot: Slot, reach: Reach
) -> None:
    fill(memory, slot)
    memory.end(memory.suspend(reach), changed=True)
    assert hit(memory, slot) is None
    assert memory.ticket(slot, KEY, 0.0) is not None


def test_the_ticket_of_an_answer_tells_whether_anything_has_moved_since(
    memory: Memory[str], slot: Slot
) -> None:
    entry = fill(memory, slot)
    assert entry is not None
    ticket = memory.ticket_of(entry)
    suspension = memory.suspend(relations_of(DB, [PLANETS]))
    assert not ticket.is_valid()
    memory.end(suspension, changed=False)
    assert ticket.is_valid()
    memory.end(memory.suspend(relations_of(DB, [MOONS])), changed=True)
    assert ticket.is_valid()
    memory.end(memory.suspend(relations_of(DB, [PLANETS])), changed=True)
    assert not ticket.is_valid()


@pytest.mark.parametrize("reach", [relations_of(DB, [MOONS]), whole(DB + 1), NOTHING])
def test_a_write_elsewhere_hides_nothing(memory: Memory[str], slot: Slot, reach: Reach) -> None:
    fill(memory, slot)
    suspension = memory.suspend(reach)
    assert hit(memory, slot) == b"red"
    memory.end(suspension, changed=True)
    assert hit(memory, slot) == b"red"


def test_two_writes_at_once_hide_until_both_have_ended(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    one, other = memory.suspend(whole(DB)), memory.suspend(relations_of(DB, [PLANETS]))
    memory.end(one, changed=False)
    memory.end(one, changed=False)
    assert hit(memory, slot) is None
    memory.end(other, changed=False)
    assert hit(memory, slot) == b"red"


def test_a_write_in_doubt_is_counted_and_hides_for_as_long_as_it_is(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    memory.suspend(relations_of(DB, [PLANETS]))
    assert memory.suspended == 1
    assert hit(memory, slot) is None
    assert memory.ticket(memory.slot(DB, [PLANETS]), KEY, 0.0) is None


@pytest.mark.soundness("6.3")
def test_a_fill_that_began_before_a_bump_never_lands(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    memory.drop(relations_of(DB, [PLANETS]), "feed")
    assert memory.land(ticket, b"old") is None
    assert memory.overtaken == 1


def test_a_fill_does_not_land_while_a_write_is_on_its_way(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    suspension = memory.suspend(whole(DB))
    assert memory.land(ticket, b"old") is None
    memory.end(suspension, changed=False)
    assert memory.land(ticket, b"old") is not None


@pytest.mark.soundness("2.7")
def test_an_answer_too_large_is_refused_and_counted() -> None:
    memory = new_memory(Limits(max_entry_bytes=10))
    assert fill(memory, memory.slot(DB, [PLANETS]), b"p" * 7) is None
    assert fill(memory, memory.slot(DB, [PLANETS]), b"p" * 6) is not None
    assert memory.refused == 1


def test_an_answer_younger_by_ticket_is_not_replaced_by_an_older_one(memory: Memory[str], slot: Slot) -> None:
    late = memory.ticket(slot, KEY, 0.0)
    assert late is not None
    fill(memory, slot, b"new", now=0.2)
    assert memory.land(late, b"old") is None
    assert hit(memory, slot) == b"new"


def test_equal_answers_after_expiry_lengthen_the_ttl(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot, now=0.0)
    fill(memory, slot, now=30.0)
    assert slot.pace.seconds > 1.0


def test_changed_answers_after_expiry_shorten_the_ttl(memory: Memory[str], slot: Slot) -> None:
    for look in range(10):
        fill(memory, slot, now=look * 30.0)
    before = slot.pace.seconds
    fill(memory, slot, b"blue", now=300.0)
    assert slot.pace.seconds < before


def test_a_change_by_our_own_write_teaches_nothing_about_others(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot, b"red", now=0.0)
    memory.drop(relations_of(DB, [PLANETS]), "own_write")
    fill(memory, slot, b"blue", now=30.0)
    assert slot.pace.seconds == 1.0


def test_slots_of_one_template_share_what_was_learnt(memory: Memory[str]) -> None:
    pace = memory.pace()
    one, other = memory.slot(DB, [PLANETS], pace), memory.slot(DB, [PLANETS], pace)
    fill(memory, one, now=0.0)
    fill(memory, one, now=30.0)
    assert other.pace.seconds > 1.0


def test_a_level_without_expiry_gives_answers_of_any_age(memory: Memory[str], slot: Slot) -> None:
    memory.set_level(expiring=False)
    fill(memory, slot)
    assert hit(memory, slot, 1e6) == b"red"


def test_a_level_with_expiry_bounds_what_was_stored_before(memory: Memory[str], slot: Slot) -> None:
    memory.set_level(expiring=False)
    fill(memory, slot)
    memory.set_level(expiring=True)
    assert hit(memory, slot, 0.5) == b"red"
    assert hit(memory, slot, 60.0) is None


def test_a_level_without_expiry_starts_with_nothing_from_the_one_before(
    memory: Memory[str], slot: Slot
) -> None:
    fill(memory, slot)
    ticket = memory.ticket(slot, b"venus", 0.0)
    assert ticket is not None
    memory.set_level(expiring=False)
    assert hit(memory, slot) is None
    assert memory.land(ticket, b"old") is None


def test_saying_the_same_level_again_drops_nothing(memory: Memory[str], slot: Slot) -> None:
    memory.set_level(expiring=False)
    fill(memory, slot)
    memory.set_level(expiring=False)
    assert hit(memory, slot) == b"red"


def test_a_purge_leaves_no_entries_at_once(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    memory.clear("purge")
    assert (memory.entries, memory.bytes, hit(memory, slot)) == (0, 0, None)


def test_a_purge_of_one_table_gives_its_memory_back_when_swept(memory: Memory[str], slot: Slot) -> None:
    fill(memory, slot)
    fill(memory, memory.slot(DB, [MOONS]))
    memory.drop(relations_of(DB, [PLANETS]), "purge")
    assert memory.sweep(100) == 0
    assert memory.entries == 1


def test_a_retired_slot_gives_nothing_takes_nothing_and_is_emptied(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    fill(memory, slot)
    memory.retire(slot)
    assert hit(memory, slot) is None
    assert memory.land(ticket, b"late") is None
    assert memory.ticket(slot, KEY, 0.0) is None
    assert memory.entries == 0


def test_changes_are_counted_by_cause(memory: Memory[str]) -> None:
    memory.end(memory.suspend(whole(DB)), changed=True)
    memory.end(memory.suspend(whole(DB)), changed=True, cause="ddl")
    memory.end(memory.suspend(whole(DB)), changed=False)
    memory.end(memory.suspend(NOTHING), changed=True)
    memory.drop(relations_of(DB, [PLANETS]), "feed")
    memory.drop(NOTHING, "feed")
    memory.clear("purge")
    assert memory.invalidations == {"own_write": 1, "feed": 1, "purge": 1, "ddl": 1}
    assert memory.suspended == 0


def test_equal_misses_wait_for_one_fill_and_are_told(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    flight = memory.lead(ticket)
    assert flight is not None
    joined = memory.join(slot, KEY, 0.1)
    assert joined is flight
    assert joined.follow("anna")
    assert memory.flights == 1
    assert memory.finish(flight) == ("anna",)
    assert memory.join(slot, KEY, 0.1) is None


def test_nobody_joins_outside_the_lease(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    memory.lead(ticket)
    memory.lease_until = 0.1
    assert memory.join(slot, KEY, 0.1) is None


def test_nobody_joins_a_flight_older_than_its_ttl(memory: Memory[str], slot: Slot) -> None:
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    memory.lead(ticket)
    assert memory.join(slot, KEY, 1.0) is None
    memory.set_level(expiring=False)


def test_a_slow_flight_may_be_joined_where_nothing_expires(memory: Memory[str]) -> None:
    memory.set_level(expiring=False)
    slot = memory.slot(DB, [PLANETS])
    ticket = memory.ticket(slot, KEY, 0.0)
    assert ticket is not None
    flight = memory.lead(ticket)
    assert memory.join(slot, KEY, 100.0) is flight


def test_relations_that_had_to_share_a_generation_are_counted() -> None:
    memory = new_memory(Limits(max_relations=1))
    held = memory.slot(DB, [PLANETS, MOONS])
    own, shared = held.tags[1], held.tags[3]
    assert (isinstance(own, RelationTag), isinstance(shared, RelationTag)) == (True, False)
    assert memory.shared_tags == 1


def test_a_visit_is_counted_up_to_three(memory: Memory[str], slot: Slot) -> None:
    entry = fill(memory, slot)
    assert entry is not None
    for _ in range(5):
        hit(memory, slot)
    assert entry.visits == 3


def test_evictions_are_counted() -> None:
    memory = new_memory(Limits(cache_bytes=3000))
    for relation in range(20):
        fill(memory, memory.slot(DB, [relation]))
    assert memory.evictions > 0
    assert memory.bytes <= 3000


BY_ID = Part(PLANETS, 1, frozenset({1, 2}))


def remember(memory: Memory[str], slot: Slot, row: int) -> None:
    ticket = memory.ticket(slot, b"%d" % row, 0.0, [row])
    assert ticket is not None
    assert memory.land(ticket, b"row %d" % row) is not None


def remembered(memory: Memory[str], slot: Slot) -> list[int]:
    return [row for row in range(10) if memory.lookup(slot, b"%d" % row, 0.5) is not None]


def test_a_write_to_one_row_hides_that_row_alone_and_leaves_the_others(memory: Memory[str]) -> None:
    slot = memory.slot(DB, [BY_ID])
    for row in range(10):
        remember(memory, slot, row)
    write = memory.suspend(relations_of(DB, [], [RowChange(PLANETS, None, ((1, (7,)),))]))
    others = [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert remembered(memory, slot) == others
    assert memory.ticket(slot, b"7", 0.0, [7]) is None
    assert memory.ticket(slot, b"8", 0.0, [8]) is not None
    memory.end(write, changed=True)
    assert remembered(memory, slot) == others
    assert memory.invalidations["own_write"] == 1


def test_a_fill_of_one_row_is_refused_only_if_that_row_was_written(memory: Memory[str]) -> None:
    slot = memory.slot(DB, [BY_ID])
    tickets = [memory.ticket(slot, b"%d" % row, 0.0, [row]) for row in (7, 8)]
    memory.drop(relations_of(DB, [], [RowChange(PLANETS, None, ((1, (7,)),))]), "own_write")
    assert [t is not None and memory.land(t, b"row") is not None for t in tickets] == [False, True]


def test_a_request_whose_value_is_not_known_goes_with_every_row(memory: Memory[str]) -> None:
    slot = memory.slot(DB, [BY_ID])
    ticket = memory.ticket(slot, b"?", 0.0)
    assert ticket is not None
    assert memory.land(ticket, b"row") is not None
    memory.drop(relations_of(DB, [], [RowChange(PLANETS, frozenset({3}), ((1, (7,)),))]), "own_write")
    assert memory.lookup(slot, b"?", 0.5) is not None
    memory.drop(relations_of(DB, [], [RowChange(PLANETS, None, ((1, (7,)),))]), "own_write")
    assert memory.lookup(slot, b"?", 0.5) is None


def test_the_ticket_of_an_answer_knows_its_row(memory: Memory[str]) -> None:
    slot = memory.slot(DB, [BY_ID])
    for row in (7, 8):
        remember(memory, slot, row)
    tickets = [memory.ticket_of(found) for key in (b"7", b"8") if (found := slot.entries.get(key))]
    memory.drop(relations_of(DB, [], [RowChange(PLANETS, None, ((1, (7,)),))]), "own_write")
    assert [ticket.is_valid() for ticket in tickets] == [False, True]


def test_a_write_to_the_whole_relation_leaves_no_row(memory: Memory[str]) -> None:
    slot = memory.slot(DB, [BY_ID])
    remember(memory, slot, 7)
    memory.drop(relations_of(DB, [PLANETS]), "own_write")
    assert remembered(memory, slot) == []
