"""Count a store again from its entries, and compare with what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.cache.entry import Entry
from proxy.cache.store import SLOT_BYTES, Fifo, Store, weight


def walk(queue: Fifo) -> Iterator[Entry]:
    """The entries of a queue, the oldest first; the links must agree in both directions."""
    entry, before = queue.oldest, None
    while entry is not None:
        assert entry.older is before
        assert entry.queue is queue
        yield entry
        entry, before = entry.newer, entry
    assert queue.newest is before


def audit(store: Store) -> None:
    """Raise AssertionError where counts, bytes, links or slots disagree, or the bound is broken."""
    held: list[Entry] = []
    for queue in (store._small, store._main, *store._graves):
        entries = list(walk(queue))
        assert queue.count == len(entries)
        assert queue.bytes == sum(map(weight, entries))
        held += entries
    slots = {entry.slot for entry in held}
    assert store.bytes == sum(map(weight, held)) + SLOT_BYTES * len(slots)
    assert store.bytes <= store._limit
    assert sum(len(slot.entries) for slot in slots) == len(held)
    assert all(entry.slot.entries.get(entry.key) is entry for entry in held)
