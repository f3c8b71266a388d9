"""What a memory of a million entries must keep to, at 20,000: bytes as Python counts them, and steps.

No time is measured here: ``make bench-memory`` does that.
"""

from __future__ import annotations

import gc
import math
import tracemalloc

import pytest

from proxy.cache.entry import Entry, Slot
from proxy.cache.facets import Part
from proxy.cache.index import MOST_IN_ONE
from proxy.cache.memory import PURGE_AT_ONCE, Memory
from proxy.cache.policy import Limits
from proxy.cache.store import PATIENCE, Store
from proxy.cache.tags import Reach, relations_of
from proxy.cache.ttl import TtlRule

ENTRIES = 20_000
DATABASE, ITEM, OTHER = 1, 10, 11
KEY_AND_PAYLOAD = 31 + 100


def new_memory(cache_bytes: int = 1 << 30) -> Memory[str]:
    memory: Memory[str] = Memory(Limits(cache_bytes=cache_bytes), TtlRule())
    memory.lease_until = math.inf
    return memory


def by_id(memory: Memory[str], relation: int) -> Slot:
    return memory.slot(DATABASE, [Part(relation, column=1)])


def key(number: int) -> bytes:
    return b"-%030d" % number


def fill(memory: Memory[str], slot: Slot, numbers: range) -> None:
    for number in numbers:
        ticket = memory.ticket(slot, key(number), number / 7, [number])
        assert ticket is not None
        memory.land(ticket, b"p%099d" % number)


def given(memory: Memory[str], slot: Slot) -> int:
    return sum(memory.lookup(slot, key(number), 0.0) is not None for number in range(ENTRIES))


def test_an_entry_takes_less_than_500_bytes_beyond_key_and_payload_with_all_that_it_depends_on() -> None:
    memory = new_memory()
    slot = by_id(memory, ITEM)
    gc.collect()
    tracemalloc.start()
    fill(memory, slot, range(ENTRIES))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert memory.entries == ENTRIES
    assert taken / ENTRIES - KEY_AND_PAYLOAD < 500
    assert taken <= memory.bytes


def test_no_dict_grows_so_large_that_its_copy_would_be_felt() -> None:
    memory = new_memory()
    slot = by_id(memory, ITEM)
    fill(memory, slot, range(ENTRIES))
    assert all(len(part) <= MOST_IN_ONE for part in (slot.entries.few, *slot.entries.parts))


@pytest.mark.plain
@pytest.mark.parametrize("asked_again", [False, True])
def test_an_eviction_takes_the_same_few_steps_whatever_the_memory_holds(
    asked_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = new_memory(ENTRIES // 2 * 600)
    slot = by_id(memory, ITEM)
    steps: list[int] = []
    leave_queue = Store._leave_queue

    def counted(self: Store, entry: Entry) -> None:
        steps[-1] += 1
        leave_queue(self, entry)

    monkeypatch.setattr(Store, "_leave_queue", counted)
    for number in range(ENTRIES):
        steps.append(0)
        fill(memory, slot, range(number, number + 1))
        if asked_again:
            for _ in range(3):
                memory.lookup(slot, key(number - number % 3), number / 7)
    assert memory.evictions > ENTRIES / 4
    assert max(steps) <= PATIENCE + 1
    assert sum(steps) < 3 * ENTRIES


def test_a_purged_table_is_gone_at_once_and_freed_in_slices() -> None:
    memory = new_memory()
    item, other = by_id(memory, ITEM), by_id(memory, OTHER)
    fill(memory, item, range(ENTRIES))
    fill(memory, other, range(100))
    reach: Reach = relations_of(DATABASE, [ITEM])
    assert memory.held([reach], [item, other]) == ENTRIES
    memory.purge(reach)
    assert (given(memory, item), given(memory, other)) == (0, 100)
    assert memory.entries >= ENTRIES + 100 - PURGE_AT_ONCE
    slices = 0
    while memory.sweep(200):
        slices += 1
        assert memory.entries >= ENTRIES + 100 - PURGE_AT_ONCE - 200 * (slices + 1)
    assert memory.entries == len(other.entries) == 100
    assert slices >= ENTRIES / 200 - 2


def test_a_purge_of_everything_is_freed_in_slices_too() -> None:
    memory = new_memory()
    slot = by_id(memory, ITEM)
    fill(memory, slot, range(ENTRIES))
    memory.clear("purge")
    assert (given(memory, slot), memory.entries) == (0, 0)
    assert len(slot.entries) == ENTRIES - PURGE_AT_ONCE
    while memory.sweep(200):
        pass
    assert (memory.bytes, len(slot.entries)) == (0, 0)
