"""fills: tickets, and flights shared while the ticket holds."""

from __future__ import annotations

import pytest

from proxy.cache.entry import Slot
from proxy.cache.facets import Tag
from proxy.cache.fills import Fills, Ticket
from proxy.cache.policy import Limits
from proxy.cache.ttl import Pace, TtlRule


@pytest.fixture
def slot() -> Slot:
    return Slot(0, (Tag(),), Pace(TtlRule()))


@pytest.fixture
def fills() -> Fills[str]:
    return Fills(Limits(max_flights=2, max_followers=2))


def ticket(slot: Slot, key: bytes = b"k") -> Ticket:
    return Ticket(slot, key, slot.stamp(), 0.0)


def test_an_equal_miss_finds_the_flight(fills: Fills[str], slot: Slot) -> None:
    flight = fills.lead(ticket(slot))
    assert flight is not None
    assert fills.find(slot, b"k") is flight
    assert fills.find(slot, b"other") is None


@pytest.mark.soundness("6.4")
def test_nobody_joins_after_something_moved(fills: Fills[str], slot: Slot) -> None:
    fills.lead(ticket(slot))
    slot.tags[0].generation += 1
    assert fills.find(slot, b"k") is None


def test_nobody_joins_while_something_is_suspended(fills: Fills[str], slot: Slot) -> None:
    fills.lead(ticket(slot))
    slot.tags[0].suspended = 1
    assert fills.find(slot, b"k") is None


def test_a_void_flight_gives_way_and_still_tells_its_followers(fills: Fills[str], slot: Slot) -> None:
    old = fills.lead(ticket(slot))
    assert old is not None
    assert old.follow("anna")
    slot.tags[0].generation += 1
    new = fills.lead(ticket(slot))
    assert new is not None
    assert fills.finish(old) == ("anna",)
    assert fills.find(slot, b"k") is new


def test_a_second_leader_of_the_same_is_refused(fills: Fills[str], slot: Slot) -> None:
    fills.lead(ticket(slot))
    assert fills.lead(ticket(slot)) is None


@pytest.mark.soundness("7.6")
def test_flights_are_bounded(fills: Fills[str], slot: Slot) -> None:
    assert fills.lead(ticket(slot, b"1"))
    assert fills.lead(ticket(slot, b"2"))
    assert fills.lead(ticket(slot, b"3")) is None
    assert len(fills) == 2


@pytest.mark.soundness("7.6")
def test_followers_are_bounded_and_can_leave(fills: Fills[str], slot: Slot) -> None:
    flight = fills.lead(ticket(slot))
    assert flight is not None
    assert flight.follow("anna")
    assert flight.follow("bert")
    assert not flight.follow("cleo")
    flight.leave("anna")
    flight.leave("nobody")
    assert flight.follow("cleo")
    assert fills.finish(flight) == ("bert", "cleo")


def test_a_finished_flight_tells_nobody_twice(fills: Fills[str], slot: Slot) -> None:
    flight = fills.lead(ticket(slot))
    assert flight is not None
    flight.follow("anna")
    fills.finish(flight)
    assert fills.finish(flight) == ()
    assert len(fills) == 0
