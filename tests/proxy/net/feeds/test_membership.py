"""Who is in, who has acknowledged, whose lease is over; and that no order of events makes an answer stale."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proxy.net.feeds.leases import Leases
from proxy.net.feeds.membership import Membership

LEASE: Final = 2.0


def two(now: float = 0.0) -> Membership:
    """A leader in place 0, and place 1."""
    return Membership(0, (1,), now, LEASE)


def joined() -> Membership:
    membership = two()
    membership.joined(1, 0.0)
    return membership


def test_a_write_waits_for_every_follower() -> None:
    membership = Membership(0, (1, 2), 0.0, LEASE)
    membership.joined(1, 0.0)
    membership.joined(2, 0.0)
    assert membership.announce(7, 0.1)
    membership.acknowledged(1, 7)
    assert membership.take_ready() == []
    membership.acknowledged(2, 7)
    assert membership.take_ready() == [7]
    assert membership.take_ready() == []


def test_alone_it_waits_for_nobody() -> None:
    assert not Membership(0, (), 0.0, LEASE).announce(1, 0.0)


def test_whoever_is_silent_is_left_out_when_its_lease_is_over_and_not_before() -> None:
    membership = joined()
    assert membership.renewed(1, 1.0)
    assert membership.announce(1, 1.5)
    assert membership.due() == 1.0 + LEASE
    membership.expire(2.9)
    assert membership.take_ready() == []
    membership.expire(3.0)
    assert membership.take_ready() == [1]
    assert not membership.renewed(1, 3.1), "it must join again first"
    assert not membership.announce(2, 3.2)
    membership.joined(1, 3.3)
    assert membership.announce(3, 3.4)


def test_one_that_is_gone_keeps_nobody_waiting() -> None:
    membership = joined()
    assert membership.announce(1, 0.1)
    membership.lost(1)
    assert membership.due() is not None, "what can go ahead is looked at"
    assert membership.take_ready() == [1]


def test_a_lease_that_a_predecessor_may_have_given_is_waited_out() -> None:
    membership = two(now=10.0)
    assert membership.announce(1, 10.1)
    membership.expire(11.9)
    assert membership.take_ready() == []
    membership.expire(12.0)
    assert membership.take_ready() == [1]


def test_an_empty_place_is_not_waited_for() -> None:
    membership = two()
    assert membership.announce(1, 0.1)
    membership.absent(1, 0.05)
    assert membership.take_ready() == [1]


def test_an_old_look_at_a_place_does_not_put_out_who_came_since() -> None:
    membership = joined()
    membership.absent(1, 0.0)
    assert membership.members == [1]


def test_one_who_joins_while_a_write_waits_has_been_told_of_it() -> None:
    membership = two()
    assert membership.announce(1, 0.1)
    membership.joined(1, 0.2)
    assert membership.take_ready() == [1]


def test_what_was_withdrawn_is_never_ready() -> None:
    membership = joined()
    membership.announce(1, 0.1)
    membership.withdraw(1)
    membership.acknowledged(1, 1)
    assert membership.take_ready() == []
    assert membership.due() is None


def test_a_change_of_the_catalogue_waits_for_the_judgement_of_all_and_of_ourselves() -> None:
    membership = joined()
    membership.landed(1, 1.0)
    membership.judged(0, 1)
    assert membership.take_judged() == []
    membership.judged(1, 1)
    assert membership.take_judged() == [1]
    assert membership.is_settled


def test_a_lease_that_is_over_is_no_judgement() -> None:
    membership = joined()
    membership.landed(1, 1.0)
    membership.judged(0, 1)
    membership.announce(2, 50.0)
    membership.lost(1)
    assert membership.take_judged() == [], "its successor may have begun before the change"


def test_a_place_that_was_empty_after_the_change_has_nothing_to_judge() -> None:
    membership = joined()
    membership.landed(1, 1.0)
    membership.judged(0, 1)
    membership.lost(1)
    membership.absent(1, 0.9)
    assert membership.take_judged() == []
    membership.absent(1, 1.1)
    assert membership.take_judged() == [1]


@dataclass(slots=True)
class Worker:
    """One of two, as a model: ``mail`` is under way to it; ``memory`` None: it remembers nothing."""

    membership: Membership
    leases: Leases
    mail: list[tuple[object, ...]] = field(default_factory=list)
    memory: int | None = 0
    suspended: set[int] = field(default_factory=set)  # numbers of the other's writes
    own: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    sent: set[int] = field(
        default_factory=set
    )  # on their way to the origin, which may carry them out any time
    is_in: bool = False
    asks_to_join: bool = False


class TwoWorkers(RuleBasedStateMachine):
    """One register at the origin, two workers that write it and remember it; messages wait as long as they
    like, clocks go on, either worker stops for any time. Whoever answers must answer what the origin holds.
    """

    waits_for_acknowledgements = True
    waits_for_leases = True
    joins_with_an_empty_memory = True

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.value = 0
        self.numbers = 0
        self.workers = [
            Worker(Membership(slot, (1 - slot,), 0.0, LEASE), Leases((1 - slot,), LEASE)) for slot in (0, 1)
        ]

    def to(self, slot: int, *message: object) -> None:
        self.workers[slot].mail.append(message)

    who = st.integers(0, 1)

    @rule(seconds=st.sampled_from((0.1, 0.5, 1.0, 2.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(slot=who)
    def beat(self, slot: int) -> None:
        worker = self.workers[slot]
        if worker.is_in:
            self.to(1 - slot, "renew", self.now)
        elif not worker.asks_to_join:
            worker.leases.lost(1 - slot)
            worker.asks_to_join = True
            self.to(1 - slot, "join", self.now)

    @rule(slot=who)
    def a_write_is_announced(self, slot: int) -> None:
        worker = self.workers[slot]
        self.numbers += 1
        number = self.numbers
        worker.own.add(number)
        if worker.membership.announce(number, self.now) and self.waits_for_acknowledgements:
            worker.waiting.add(number)
        else:
            worker.sent.add(number)
        if worker.membership.members:
            self.to(1 - slot, "suspend", number)
        self._go_on(slot)

    def _go_on(self, slot: int) -> None:
        worker = self.workers[slot]
        for number in worker.membership.take_ready():
            if number in worker.waiting:
                worker.waiting.discard(number)
                worker.sent.add(number)

    @rule(slot=who)
    def the_leader_looks_at_leases(self, slot: int) -> None:
        self.workers[slot].membership.expire(self.now if self.waits_for_leases else math.inf)
        self._go_on(slot)

    @rule(slot=who, last=st.booleans())
    def a_write_is_carried_out(self, slot: int, last: bool) -> None:
        worker = self.workers[slot]
        if worker.sent:
            self.value += 1
            if last:
                self._end(slot, min(worker.sent))

    def _end(self, slot: int, number: int) -> None:
        worker = self.workers[slot]
        worker.sent.discard(number)
        worker.own.discard(number)
        worker.memory = None
        if worker.membership.members:
            self.to(1 - slot, "end", number)

    @rule(slot=who)
    def an_answer_is_remembered(self, slot: int) -> None:
        worker = self.workers[slot]
        if not worker.own and not worker.suspended:
            worker.memory = self.value

    @precondition(lambda self: any(worker.mail for worker in self.workers))
    @rule(slot=who)
    def a_message_arrives(self, slot: int) -> None:
        worker, other = self.workers[slot], self.workers[1 - slot]
        if not worker.mail:
            return
        word, value, *rest = worker.mail.pop(0)
        assert isinstance(value, int | float)
        if word == "join":
            worker.membership.joined(1 - slot, self.now)
            self.to(1 - slot, "welcome", value, frozenset(worker.own))
            self._go_on(slot)
        elif word == "renew":
            granted = worker.membership.renewed(1 - slot, self.now)
            self.to(1 - slot, "grant" if granted else "out", value)
        elif word == "ack":
            worker.membership.acknowledged(1 - slot, int(value))
            self._go_on(slot)
        elif word == "welcome":
            (under_way,) = rest
            assert isinstance(under_way, frozenset)
            worker.suspended, worker.is_in, worker.asks_to_join = set(under_way), True, False
            if self.joins_with_an_empty_memory:
                worker.memory = None
            worker.leases.granted(1 - slot, value)
        elif word == "grant":
            if worker.is_in:
                worker.leases.granted(1 - slot, value)
        elif word == "out":
            worker.is_in = worker.asks_to_join = False
            worker.leases.lost(1 - slot)
        elif word == "suspend":
            if worker.is_in:
                worker.suspended.add(int(value))
                other.mail.append(("ack", value))
        else:
            worker.suspended.discard(int(value))
            worker.memory = None

    @invariant()
    def whoever_may_answer_answers_what_is_true(self) -> None:
        for worker in self.workers:
            may = self.now < worker.leases.until and not worker.suspended and not worker.own
            if may and worker.memory is not None:
                assert worker.memory == self.value


RUNS: Final = settings(max_examples=300, stateful_step_count=60, deadline=None)
TestTwoWorkers = TwoWorkers.TestCase
TestTwoWorkers.settings = RUNS


@pytest.mark.parametrize("law", ["waits_for_acknowledgements", "waits_for_leases"])
def test_a_law_that_is_broken_is_noticed(law: str) -> None:
    broken = type("Broken", (TwoWorkers,), {law: False})
    many = settings(RUNS, max_examples=3000, phases=(Phase.generate,), database=None, derandomize=True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=many)


@pytest.mark.parametrize("law_holds", [True, False])
def test_whoever_was_left_out_knows_nothing_any_more(law_holds: bool) -> None:
    world = TwoWorkers()
    world.joins_with_an_empty_memory = law_holds
    _join(world)
    world.an_answer_is_remembered(1)
    world.time_passes(LEASE)
    world.a_write_is_announced(0)
    world.a_write_is_carried_out(0, last=True)
    world.beat(1)
    world.a_message_arrives(0)
    world.a_message_arrives(1)
    _join(world)
    assert world.now < world.workers[1].leases.until
    assert (world.workers[1].memory is None) is law_holds
    assert world.value == 1


def _join(world: TwoWorkers) -> None:
    world.beat(1)
    world.a_message_arrives(0)
    world.a_message_arrives(1)
