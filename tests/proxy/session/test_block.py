"""session.block: a BEGIN that was answered, and of which the origin has not heard."""

from __future__ import annotations

import pytest

from proxy.errors import OriginUnreachable
from proxy.session import block
from proxy.session.session import CERTAINTY, FLIGHT, ORIGIN
from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import READ, WRITE, Conversation, World, learnt, run

pytestmark = pytest.mark.soundness("4.5")

SYNC = frontend.SYNC_FRAME
BEGIN = ["C", "Porrery_begin:BEGIN", "B", "E", "C", "C", "H"]


def a_client(world: World | None = None) -> Conversation:
    """One who finds READ in the memory, and has said nothing yet."""
    world = world or World()
    world.client().query(READ)
    return world.client()


def test_a_block_of_answers_from_memory_is_unknown_to_the_origin() -> None:
    client = a_client()
    assert client.query(b"BEGIN", READ, b"COMMIT") == "C:BEGIN Z:T T D:0 C:SELECT 1 Z:T C:COMMIT Z:I"
    assert client.heard() == []
    assert "need_origin" not in client.port.asked
    assert client.world.counters.blocks_withdrawn == 1


@pytest.mark.parametrize(
    ("begin", "end", "tags"),
    [
        (b"begin work;", b"end", ("BEGIN", "COMMIT")),
        (b"START TRANSACTION", b"ABORT", ("START TRANSACTION", "ROLLBACK")),
        (b"BEGIN READ ONLY", b"rollback", ("BEGIN", "ROLLBACK")),
        (b"BEGIN ISOLATION LEVEL READ COMMITTED", b"COMMIT AND NO CHAIN", ("BEGIN", "COMMIT")),
    ],
)
def test_its_forms_are_answered_in_postgresql_s_words(
    begin: bytes, end: bytes, tags: tuple[str, str]
) -> None:
    client = a_client()
    assert client.query(begin, end) == f"C:{tags[0]} Z:T C:{tags[1]} Z:I"
    assert client.heard() == []


def test_by_the_extended_protocol_it_is_answered_as_well() -> None:
    client = a_client()
    client.world.client().ask(run(READ), SYNC)
    bare = frontend.parse(b"", b"BEGIN") + frontend.bind(b"", b"") + frontend.execute(b"")
    assert client.ask(bare, SYNC) == "1 2 C:BEGIN Z:T"
    assert client.ask(run(READ), SYNC) == "1 2 T D:0 C:SELECT 1 Z:T"
    assert client.ask(run(b"COMMIT"), SYNC) == "1 2 n C:COMMIT Z:I"
    assert client.heard() == []


@pytest.mark.parametrize(
    "begin",
    [
        b"BEGIN ISOLATION LEVEL REPEATABLE READ",
        b"BEGIN; SELECT 1",
        b"SELECT 1; BEGIN",
    ],
)
def test_other_beginnings_go_to_the_origin(begin: bytes) -> None:
    client = a_client()
    assert client.query(begin).endswith("Z:T")
    assert client.heard() == [begin.decode()]


def test_under_another_default_it_goes_to_the_origin() -> None:
    client = World().client(default_transaction_isolation="serializable")
    client.query(b"BEGIN")
    assert client.heard() == ["BEGIN"]


def test_where_notifications_may_come_it_goes_to_the_origin() -> None:
    client = a_client()
    client.query(b"LISTEN news")
    client.heard()
    client.query(b"BEGIN")
    assert client.heard() == ["BEGIN"]


def test_what_the_origin_must_answer_goes_behind_it_in_one_flight() -> None:
    client = a_client()
    client.query(b"BEGIN", READ)
    client.say(frontend.query(WRITE))
    client.attach()
    assert client.heard() == [*BEGIN, WRITE.decode()]
    assert len(client.origin.writes) == 1
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:T"
    assert client.world.data.number == 0
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"
    assert client.world.data.number == 1
    assert client.world.counters.blocks_opened == 1


def test_a_pipeline_goes_behind_it_as_well() -> None:
    client = a_client()
    client.query(b"BEGIN")
    assert client.ask(run(WRITE), run(READ), SYNC) == "1 2 n C:UPDATE 1 1 2 T D:1 C:SELECT 1 Z:T"
    assert client.heard()[:7] == BEGIN
    assert client.query(b"ROLLBACK", READ) == "C:ROLLBACK Z:I T D:0 C:SELECT 1 Z:I"


@pytest.mark.parametrize("asked", [frontend.query(READ), run(READ) + SYNC])
def test_what_is_remembered_of_the_flight_that_begins_it_is_the_answer_alone(asked: bytes) -> None:
    world = World()
    client, other = world.client(), world.client()
    client.query(b"BEGIN")
    told = client.ask(asked)
    assert client.last == ("fill", "")
    assert other.ask(asked) == told.replace("Z:T", "Z:I")
    assert other.last[0] == "hit"


def test_after_a_write_of_its_own_the_memory_is_silent_in_the_block() -> None:
    client = a_client()
    assert client.query(b"BEGIN", WRITE, READ).endswith("T D:1 C:SELECT 1 Z:T")
    assert client.query(b"ROLLBACK").endswith("Z:I")


def test_its_writes_are_dropped_from_memory_at_its_commit() -> None:
    world = World()
    client, other = a_client(world), world.client()
    client.query(b"BEGIN", WRITE)
    assert other.query(READ) == "T D:0 C:SELECT 1 Z:I"
    client.query(b"COMMIT")
    assert other.query(READ) == "T D:1 C:SELECT 1 Z:I"


@pytest.mark.parametrize("follows", [frontend.query(WRITE), run(WRITE) + SYNC])
def test_if_it_fails_what_follows_does_not_run_and_the_session_ends(follows: bytes) -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(follows)
    client.origin.faults[b"BEGIN"] = Refusal("57014")
    client.attach()
    with pytest.raises(OriginUnreachable):
        client.settle()
    client.session.origin_lost(0.0)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"
    assert (client.world.data.number, client.origin.pending) == (0, 0)


def test_without_a_connection_the_session_ends() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(frontend.query(WRITE), frontend.query(WRITE))
    assert client.waits_for(ORIGIN)
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"
    assert not client.session.waiting_for


def test_a_connection_that_goes_before_it_was_needed_is_not_missed() -> None:
    client = a_client()
    client.query(WRITE, READ, b"BEGIN")
    client.session.origin_lost(0.0)
    assert client.told() == ""
    assert client.query(READ) == "T D:1 C:SELECT 1 Z:T"


def test_in_time_the_origin_hears_of_it() -> None:
    client = a_client()
    client.query(b"BEGIN", READ)
    assert client.port.asked[-1] == f"hold_block {block.HOLD_SECONDS:g}"
    assert client.session.open_block(client.world.clock.now + 0.04) == pytest.approx(0.06)
    assert client.session.open_block(client.world.clock.now + 0.1) == 0.0
    assert client.waits_for(ORIGIN)
    client.attach()
    assert client.heard() == [*BEGIN, "S"]
    client.say(frontend.query(WRITE))
    assert client.waits_for(CERTAINTY)
    assert client.heard() == []
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:T"
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"


def test_in_time_it_is_sent_over_a_connection_that_is_there() -> None:
    client = a_client()
    client.query(WRITE, b"BEGIN")
    client.heard()
    assert client.session.open_block(client.world.clock.now + 1.0) == 0.0
    client.settle()
    assert client.heard() == [*BEGIN, "S"]
    assert client.query(READ, b"ROLLBACK") == "T D:1 C:SELECT 1 Z:T C:ROLLBACK Z:I"


def test_a_block_that_is_over_is_not_opened() -> None:
    client = a_client()
    client.query(b"BEGIN", b"COMMIT")
    assert client.session.open_block(client.world.clock.now + 1.0) == 0.0
    assert client.heard() == []


def test_a_connection_that_fails_in_time_ends_the_session() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.session.open_block(client.world.clock.now + 1.0)
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"


def test_a_command_of_ours_waits_until_the_origin_has_begun() -> None:
    client = a_client()
    client.query(b"BEGIN")
    assert client.ask(frontend.query(b"SHOW orrery.nonsense")).startswith("E:")
    client.settle()
    assert client.query(READ) == "E:25P02 Z:E"
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"


def test_an_error_of_ours_fails_the_block() -> None:
    world = World()
    leader, client = world.client(), world.client()
    client.query(b"BEGIN")
    leader.say(frontend.query(READ))
    leader.attach()
    client.say(frontend.query(READ))
    assert client.waits_for(FLIGHT)
    client.session.cancel_waiting(0.0)
    assert client.told() == "E:57014 Z:E"
    assert client.query(READ) == "E:25P02 Z:E"
    assert client.ask(run(WRITE), SYNC) == "E:25P02 Z:E"
    assert client.session.open_block(world.clock.now + 1.0) == 0.0
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"
    assert client.heard() == []


def test_a_sync_alone_opens_nothing() -> None:
    client = a_client()
    client.query(WRITE, READ, b"BEGIN")
    client.heard()
    assert client.ask(SYNC) == "Z:T"
    client.session.uplink.abort_transaction()
    assert client.ask(SYNC) == "Z:E"
    assert client.heard() == []


def test_a_cancel_while_only_the_block_waits_for_a_connection_changes_nothing() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.session.open_block(client.world.clock.now + 1.0)
    assert client.waits_for(ORIGIN)
    assert not client.session.may_give_up
    client.say(frontend.query(WRITE))
    assert not client.session.may_give_up
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:T"


def test_doubts_that_came_up_meanwhile_are_settled_after_it() -> None:
    client = a_client()
    client.query(WRITE, b"BEGIN")
    client.heard()
    client.session.doubt_settings()
    assert client.heard() == []
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"
    assert "probe" in " ".join(client.heard())


def test_settings_of_the_block_are_undone_with_it() -> None:
    world = World()
    client = a_client(world)
    client.query(b"BEGIN", b"SET search_path = other", b"ROLLBACK")
    assert client.session.state.value("search_path") == '"$user", public'
    client.query(b"BEGIN", b"SET search_path = other", b"COMMIT")
    assert client.session.state.value("search_path") == "other"


def test_the_connection_s_own_default_decides_how_it_is_isolated() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.origin.learnt = learnt({"default_transaction_isolation": "repeatable read"})
    assert (
        client.query(b"SAVEPOINT a", b"RELEASE a", READ)
        == "C:SAVEPOINT Z:T C:RELEASE Z:T T D:0 C:SELECT 1 Z:T"
    )
    assert client.last == ("bypass", "isolation")


def test_a_cancel_waits_until_it_has_begun() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(frontend.query(WRITE))
    client.attach()
    assert not client.session.may_be_cancelled()
    client.answer(3)
    assert "pass_on_cancel" not in client.port.asked
    client.answer(1)
    assert client.port.asked[-1] == "pass_on_cancel"
    assert client.session.may_be_cancelled()
