"""The laws hold in every history, and each way to break one is found."""

from __future__ import annotations

from typing import Self

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from proxy.cache.entry import Slot
from proxy.cache.fills import Ticket
from proxy.cache.store import Store
from proxy.cache.tags import NOTHING, Reach
from tests.laws.histories import Histories
from tests.laws.player import play
from tests.laws.world import World, Write

QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
KEPT = settings(max_examples=100, stateful_step_count=60, deadline=None, suppress_health_check=QUIET)


STALE = "is not b|not seen|older"


def test_every_history_obeys_the_laws() -> None:
    run_state_machine_as_test(Histories, settings=KEPT)


def test_every_history_played_from_a_seed_obeys_the_laws() -> None:
    for seed in range(200):
        play(Histories(), seed, steps=200)


class SuspendsTooLate(World):
    """The reach is suspended when the answer comes, not before the write is sent."""

    def send(self, reach: Reach) -> None:
        self.writes.append(Write(reach, self.memory.suspend(NOTHING)))

    def acknowledge(self, write: Write) -> None:
        self.memory.end(write.suspension, changed=False)
        write.suspension = self.memory.suspend(write.reach)
        super().acknowledge(write)


class TellsTheWriterFirst(World):
    """The writer is answered, others read, and only then the generations are raised."""

    def acknowledge(self, write: Write) -> None:
        self.writes.remove(write)
        self.memory.end(write.suspension, changed=False)
        self.told(write)
        for query in self.queries:
            self.ask(query, b"a")
        self.memory.drop(write.reach if write.committed else NOTHING, "own_write")


class ForgetsThatItCommitted(World):
    """An error after the commit is taken for a rollback."""

    def acknowledge(self, write: Write) -> None:
        self.writes.remove(write)
        self.memory.end(write.suspension, changed=False)
        self.told(write)


class GivesUpOnLostConnections(World):
    """The suspension ends while the backend may still commit."""

    def send(self, reach: Reach) -> None:
        super().send(reach)
        self.memory.end(self.writes[-1].suspension, changed=True)


class SharesAnswersAcrossParameters(World):
    """The key leaves the parameters out."""

    def key(self, key: bytes) -> bytes:
        return key[:0]


class Cramped(World):
    """No breach: a memory that is full after two entries."""

    @classmethod
    def small(cls, cache_bytes: int = 1500) -> Self:
        return super().small(cache_bytes)


def assert_found(world: type[World], message: str) -> None:
    """Some history must fail for the reason that belongs to the breach."""

    class Breach(Histories):
        def world(self) -> World:
            return world.small()

    def hunt() -> None:
        for seed in range(100):
            play(Breach(), seed, steps=200)

    with pytest.raises(AssertionError, match=message):
        hunt()


@pytest.mark.parametrize(
    "world", [SuspendsTooLate, TellsTheWriterFirst, ForgetsThatItCommitted, GivesUpOnLostConnections]
)
def test_a_session_that_breaks_the_order_is_found(world: type[World]) -> None:
    assert_found(world, STALE)


def test_a_session_that_shares_answers_across_parameters_is_found() -> None:
    assert_found(SharesAnswersAcrossParameters, "was given to")


@pytest.mark.plain
def test_a_fill_that_is_stamped_when_it_lands_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def stamped_now(ticket: Ticket) -> bool:
        ticket.stamp = ticket.slot.stamp()
        return True

    monkeypatch.setattr(Ticket, "is_valid", stamped_now)
    assert_found(World, STALE)


@pytest.mark.plain
def test_a_ticket_that_ignores_suspensions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(slot: Slot, _: tuple[int, ...] = ()) -> int:
        return sum(tag.generation for tag in slot.tags)

    monkeypatch.setattr(Slot, "stamp", careless)
    assert_found(World, STALE)


@pytest.mark.plain
def test_a_memory_that_forgets_its_bound_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "_evict", lambda store: setattr(store, "_limit", store._limit * 2))
    assert_found(Cramped, "bound")
