"""session.recall: whole batches from memory or nothing of them, and one fill for all who ask the same."""

from __future__ import annotations

import pytest

from proxy.session.port import FLIGHT, ORIGIN
from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import (
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    Conversation,
    World,
    run,
)

QUERY = frontend.query
ANSWER = "T D:0 C:SELECT 1 Z:I"


def test_two_reads_before_one_sync_are_both_answered_from_memory() -> None:
    client = World().client()
    client.ask(run(READ), run(OTHER_READ), SYNC)
    client.heard()
    assert client.ask(run(READ), run(OTHER_READ), SYNC) == "1 2 T D:0 C:SELECT 1 1 2 T D:0 C:SELECT 1 Z:I"
    assert client.heard() == []
    assert client.world.counters.hit == 2


def test_one_miss_sends_the_whole_batch_to_the_origin() -> None:
    client = World().client()
    client.ask(run(READ), SYNC)
    client.heard()
    client.ask(run(READ), run(OTHER_READ), SYNC)
    assert client.heard() == [
        "P:SELECT name FROM planet",
        "B",
        "D",
        "E",
        "P:SELECT name FROM star",
        "B",
        "D",
        "E",
        "S",
    ]


def leader_and_follower(world: World) -> tuple[Conversation, Conversation]:
    """A read on its way, and the same asked by another client."""
    leader, follower = world.client(), world.client()
    leader.attach()
    leader.say(QUERY(READ))
    follower.say(QUERY(READ))
    assert follower.waits_for(FLIGHT)
    assert follower.port.asked == ["wait_for_flight"]
    return leader, follower


def test_an_equal_miss_waits_for_the_answer_on_its_way() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    leader.settle()
    assert leader.port.woken == [follower.session]
    follower.session.resume(world.clock.now)
    assert follower.told() == ANSWER
    assert follower.last == ("coalesced", "")
    assert (world.counters.hit, world.counters.coalesced, world.counters.fill) == (0, 1, 1)
    assert follower.heard() == []


@pytest.mark.soundness("7.3")
def test_errors_are_not_shared() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    leader.origin.faults[READ] = Refusal("57014")
    leader.settle()
    assert leader.told() == "E:57014 Z:I"
    follower.session.resume(world.clock.now)
    follower.settle()
    assert follower.told() == ANSWER
    assert follower.last == ("fill", "")


def test_a_follower_does_not_wait_for_ever() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    follower.session.resume(world.clock.now)
    follower.settle()
    assert follower.told() == ANSWER
    leader.settle()
    assert leader.port.woken == []


@pytest.mark.soundness("7.3")
def test_a_follower_that_is_cancelled_is_told_so_and_goes_on() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    follower.say(QUERY(OTHER_READ))
    follower.session.cancel_waiting(world.clock.now)
    follower.settle()
    assert follower.told() == f"E:57014 Z:I {ANSWER}"
    leader.settle()
    assert leader.port.woken == []


def test_a_follower_that_is_gone_is_not_woken() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    assert not follower.session.client_gone(world.clock.now)
    leader.settle()
    assert leader.port.woken == []


def test_nobody_joins_an_answer_that_a_write_has_overtaken() -> None:
    world = World()
    leader, writer, late = world.client(), world.client(), world.client()
    leader.attach()
    leader.say(QUERY(READ))
    said = leader.origin.answer()
    writer.query(WRITE)
    late.say(QUERY(READ))
    assert late.waits_for(ORIGIN)
    late.settle()
    assert late.told() == "T D:1 C:SELECT 1 Z:I"
    leader.session.origin_received(said, world.clock.now)
    assert not [c for c in (late,) if c.session.last.outcome == "coalesced"]


def test_what_a_follower_says_meanwhile_waits_its_turn() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    follower.say(QUERY(WRITE), QUERY(READ))
    leader.settle()
    follower.session.resume(world.clock.now)
    follower.settle()
    assert follower.told() == f"{ANSWER} C:UPDATE 1 Z:I T D:1 C:SELECT 1 Z:I"


def test_a_read_is_a_hit_by_the_time_that_its_origin_is_there() -> None:
    world = World()
    client, other = world.client(), world.client()
    client.say(QUERY(READ))
    other.query(READ)
    client.settle()
    assert client.told() == ANSWER
    assert client.last == ("hit", "")


def test_followers_of_a_leader_whose_origin_is_lost_ask_for_themselves() -> None:
    world = World()
    leader, follower = leader_and_follower(world)
    leader.session.origin_lost(world.clock.now)
    assert leader.port.woken == [follower.session]
    follower.session.resume(world.clock.now)
    follower.settle()
    assert follower.told() == ANSWER
