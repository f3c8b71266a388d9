"""index: the entries of one slot, in one dict or in many small ones."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.entry import Entry, Slot
from proxy.cache.facets import Tag
from proxy.cache.fills import Ticket
from proxy.cache.index import MOST_IN_ONE, PARTS, Index, part_of
from proxy.cache.ttl import Pace, TtlRule

SLOT = Slot(0, (Tag(),), Pace(TtlRule()))


def entry(name: int) -> Entry:
    return Entry(Ticket(SLOT, b"%d" % name, 0, 0.0), b"", 1.0)


def filled(count: int) -> tuple[Index, list[Entry]]:
    index, entries = Index(), [entry(name) for name in range(count)]
    for one in entries:
        index.add(one)
    return index, entries


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_it_holds_what_was_added_and_not_removed(steps: list[tuple[bool, int]]) -> None:
    index, model = Index(), dict[bytes, Entry]()
    for adds, name in steps:
        one = entry(name)
        if adds and one.key not in model:
            index.add(one)
            model[one.key] = one
        elif not adds and one.key in model:
            index.remove(model.pop(one.key))
        assert len(index) == len(model)
    assert {one.key: one for one in index.values()} == model
    assert all(index.get(key) is one for key, one in model.items())
    assert index.get(b"?") is None


def test_few_are_in_one_dict_and_many_in_parts_of_about_one_size() -> None:
    index, entries = filled(MOST_IN_ONE)
    assert (len(index.few), index.parts) == (MOST_IN_ONE, [])
    one = entry(-1)
    index.add(one)
    assert (index.few, len(index.parts)) == ({}, PARTS)
    assert max(map(len, index.parts)) < 4 * MOST_IN_ONE / PARTS
    assert all(index.get(each.key) is each for each in (*entries, one))
    assert len(list(index.values())) == len(index) == MOST_IN_ONE + 1


def test_the_low_bits_of_hashes_within_a_part_differ() -> None:
    keys = [b"%d" % name for name in range(100_000) if part_of(b"%d" % name) == 7]
    assert len({hash(key) & (PARTS - 1) for key in keys}) > PARTS / 2


def test_what_empties_gives_its_memory_back_on_the_way() -> None:
    index, entries = filled(5 * MOST_IN_ONE)
    full = [part.__sizeof__() for part in index.parts]
    random.Random(1).shuffle(entries)
    for one in entries[: -len(entries) // 20]:
        index.remove(one)
    left = [part.__sizeof__() for part in index.parts]
    assert sum(left) < sum(full) / 4
    assert all(index.get(one.key) is one for one in entries[-len(entries) // 20 :])


def test_with_the_last_entry_it_is_one_dict_again() -> None:
    index, entries = filled(MOST_IN_ONE + 1)
    for one in entries:
        index.remove(one)
    assert (len(index), index.few, index.parts) == (0, {}, [])
    index.add(entries[0])
    assert index.few == {entries[0].key: entries[0]}
