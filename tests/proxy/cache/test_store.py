"""store: bounded in bytes, resistant to scans, and quick to give memory back."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.entry import Entry, Slot
from proxy.cache.facets import Tag
from proxy.cache.fills import Ticket
from proxy.cache.store import ENTRY_BYTES, PATIENCE, SLOT_BYTES, Ghosts, Store
from proxy.cache.ttl import Pace, TtlRule
from tests.proxy.cache.audit import audit, walk

PAYLOAD = b"p" * 100
ROOM = ENTRY_BYTES + 110  # bytes of one entry with a key of ten


def new_slot(number: int = 0) -> Slot:
    return Slot(number, (Tag(),), Pace(TtlRule()))


def entry_of(slot: Slot, name: int, payload: bytes = PAYLOAD) -> Entry:
    return Entry(Ticket(slot, b"%010d" % name, slot.stamp(), 0.0), payload, 1.0)


def ask(store: Store, slot: Slot, name: int) -> bool:
    """A read as the facade does it: a hit counts as a visit, a miss fills."""
    entry = slot.entries.get(b"%010d" % name)
    if entry is None:
        store.put(entry_of(slot, name))
        return False
    entry.visits = min(entry.visits + 1, 3)
    return True


def keys(slot: Slot) -> list[bytes]:
    return [entry.key for entry in slot.entries.values()]


def apart(slot: Slot, count: int) -> list[int]:
    """Names whose ghosts do not meet in the smallest table (64 places), whatever this process hashes by."""
    places: dict[int, int] = {}
    name = 0
    while len(places) < count:
        places.setdefault(hash((slot.number, b"%010d" % name)) & 63, name)
        name += 1
    return list(places.values())


@given(
    st.integers(SLOT_BYTES, 30 * ROOM),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 3000))),
)
def test_memory_is_bounded_and_every_count_is_true(limit: int, puts: list[tuple[int, int, int]]) -> None:
    store, slots = Store(limit), [new_slot(number) for number in range(4)]
    for slot, name, size in puts:
        if name % 4 == 0:
            ask(store, slots[slot], name)
        else:
            store.put(entry_of(slots[slot], name, b"p" * size))
        audit(store)


def test_what_cannot_fit_alone_is_refused_and_evicts_nothing() -> None:
    store, slot = Store(10 * ROOM), new_slot()
    store.put(entry_of(slot, 1))
    assert not store.put(entry_of(slot, 2, b"p" * 10 * ROOM))
    assert (store.entries, store.evictions) == (1, 0)


def test_an_entry_in_place_of_another_does_not_count_twice() -> None:
    store, slot = Store(10 * ROOM), new_slot()
    store.put(entry_of(slot, 1))
    store.put(entry_of(slot, 1, b"new"))
    assert store.entries == 1
    assert [entry.payload for entry in slot.entries.values()] == [b"new"]
    audit(store)


def test_a_scan_does_not_flush_the_hot_set() -> None:
    store, slot = Store(200 * ROOM), new_slot()
    for _ in range(4):
        for name in range(100):
            ask(store, slot, name)
    for name in range(1000, 11_000):
        ask(store, slot, name)
        ask(store, slot, name % 100)
    for name in range(20_000, 20_150):
        ask(store, slot, name)
    kept = sum(ask(store, slot, name) for name in range(100))
    assert kept >= 95


def test_an_entry_that_comes_back_soon_enters_the_main_queue() -> None:
    store, slot = Store(20 * ROOM), new_slot()
    first, *others = apart(slot, 25)
    for name in (first, *others):
        ask(store, slot, name)
    assert slot.entries.get(b"%010d" % first) is None
    ask(store, slot, first)
    assert [entry.key for entry in walk(store._main)] == [b"%010d" % first]


def test_a_ghost_is_forgotten_after_its_window() -> None:
    ghosts, slot = Ghosts(64), new_slot()
    first, second = apart(slot, 2)
    ghosts.add(entry_of(slot, first))
    ghosts.add(entry_of(slot, second))
    assert not ghosts.take(entry_of(slot, first), window=1)
    assert ghosts.take(entry_of(slot, second), window=1)
    assert not ghosts.take(entry_of(slot, second), window=1)


@pytest.mark.plain
@pytest.mark.parametrize("queue", ["_small", "_main"])
def test_one_eviction_moves_a_bounded_number_of_entries(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, slot = Store(1000 * ROOM + SLOT_BYTES), new_slot()
    if queue == "_main":
        monkeypatch.setattr(Ghosts, "take", lambda *_args, **_named: True)
    for name in range(1000):
        store.put(entry_of(slot, name))
    for entry in slot.entries.values():
        entry.visits = 3
    moves = 0
    move_to_main = Store._move_to_main

    def counted(self: Store, entry: Entry) -> None:
        nonlocal moves
        moves += 1
        move_to_main(self, entry)

    monkeypatch.setattr(Store, "_move_to_main", counted)
    store.put(entry_of(slot, 5000))
    assert (store.evictions, moves) == (1, PATIENCE)
    audit(store)


def test_a_dead_entry_is_not_spared_for_its_visits() -> None:
    store, stale, fresh = Store(10 * ROOM + 2 * SLOT_BYTES), new_slot(1), new_slot(2)
    store.put(entry_of(stale, 0))
    for entry in stale.entries.values():
        entry.visits = 3
    stale.tags[0].generation += 1
    for name in range(10):
        store.put(entry_of(fresh, name))
    assert not stale.entries


def test_a_sweep_removes_the_dead_and_only_them_in_steps_of_its_budget() -> None:
    store, stale, fresh = Store(100 * ROOM), new_slot(1), new_slot(2)
    for name in range(20):
        store.put(entry_of(stale if name % 2 else fresh, name))
    stale.tags[0].generation += 1
    store.suspect()
    assert store.sweep(5) == 15
    assert store.sweep(100) == 0
    assert (len(stale.entries), len(fresh.entries), store.entries) == (0, 10, 10)
    audit(store)


def test_a_change_during_a_sweep_makes_it_go_round_again() -> None:
    store, slot = Store(100 * ROOM), new_slot()
    for name in range(10):
        store.put(entry_of(slot, name))
    store.suspect()
    store.sweep(5)
    slot.tags[0].generation += 1
    store.suspect()
    while store.sweep(3):
        audit(store)
    assert (store.entries, store.bytes) == (0, 0)


def test_the_entry_that_the_sweep_comes_to_next_may_leave_before() -> None:
    store, slot = Store(100 * ROOM), new_slot()
    for name in range(4):
        store.put(entry_of(slot, name))
    slot.tags[0].generation += 1
    store.suspect()
    store.sweep(1)
    store.put(entry_of(slot, 1))
    assert store.sweep(10) == 0
    assert keys(slot) == [b"%010d" % 1]
    audit(store)


def test_a_small_slot_is_emptied_at_once_without_a_sweep() -> None:
    store, slot, other = Store(100 * ROOM), new_slot(1), new_slot(2)
    store.put(entry_of(slot, 1))
    store.put(entry_of(other, 1))
    store.empty(slot)
    assert (store.entries, store.sweep(0)) == (1, 0)
    audit(store)


def test_a_large_slot_is_emptied_in_steps() -> None:
    store, slot = Store(200 * ROOM), new_slot()
    for name in range(PATIENCE + 10):
        store.put(entry_of(slot, name))
    slot.tags[0].generation += 1
    store.empty(slot)
    assert store.entries == 10
    assert store.sweep(100) == 0
    assert store.entries == 0


def test_clearing_shows_no_entries_at_once_and_sweeping_gives_the_memory_back() -> None:
    store, slot = Store(100 * ROOM), new_slot()
    for name in range(50):
        store.put(entry_of(slot, name))
    store.clear()
    assert store.entries == 0
    assert store.bytes > 0
    store.put(entry_of(slot, 7))
    while store.sweep(10):
        audit(store)
    assert (store.entries, keys(slot)) == (1, [b"%010d" % 7])


def test_what_was_cleared_leaves_before_anything_living_is_evicted() -> None:
    store, slot = Store(11 * ROOM), new_slot()
    for name in range(10):
        store.put(entry_of(slot, name))
    store.clear()
    for name in range(10):
        store.put(entry_of(slot, 100 + name))
        audit(store)
    assert (store.entries, store.evictions) == (10, 0)


@pytest.mark.parametrize("slots", [1, 5000])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_an_entry_takes_no_more_memory_than_it_is_charged_with(slots: int, rows: int) -> None:
    store, made = Store(1 << 30), [new_slot(number) for number in range(slots)]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for name in range(5000):
        slot = made[name % slots]
        places = tuple(5000 * row + name + 1000 for row in range(rows))
        ticket = Ticket(slot, b"%010d" % name, 1000 + name, float(name), places)
        store.put(Entry(ticket, b"p%099d" % name, name + 0.5))
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken <= store.bytes
    assert taken / 5000 - 110 < 500 + 112 * rows
