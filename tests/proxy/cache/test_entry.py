"""entry: stamps, and when an entry is dead."""

from __future__ import annotations

import pytest

from proxy.cache.entry import SUSPENDED, Entry, Slot
from proxy.cache.facets import Tag
from proxy.cache.fills import Ticket
from proxy.cache.ttl import Pace, TtlRule


@pytest.fixture
def slot() -> Slot:
    return Slot(0, (Tag(), Tag()), Pace(TtlRule()))


def test_the_stamp_moves_with_each_generation(slot: Slot) -> None:
    for tag in slot.tags:
        before = slot.stamp()
        tag.generation += 1
        assert slot.stamp() != before


def test_a_suspended_slot_has_no_stamp(slot: Slot) -> None:
    slot.tags[1].suspended = 1
    assert slot.stamp() == SUSPENDED


def test_an_entry_is_dead_once_something_moved(slot: Slot) -> None:
    entry = Entry(Ticket(slot, b"", slot.stamp(), 0.0), b"", 1.0)
    assert not entry.is_dead()
    slot.tags[0].generation += 1
    assert entry.is_dead()


def test_a_suspended_entry_may_live_again(slot: Slot) -> None:
    entry = Entry(Ticket(slot, b"", slot.stamp(), 0.0), b"", 1.0)
    slot.tags[0].suspended = 1
    assert not entry.is_dead()
