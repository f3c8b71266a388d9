"""session.uplink: the origin hears of what it must know, in the right order, and what is ours stays ours."""

from __future__ import annotations

import pytest

from proxy.errors import OriginFault
from proxy.session import probe
from proxy.wire import backend, frontend
from proxy.wire.framing import Frame, FrameSplitter, compose
from tests.doubles.origin import Refusal
from tests.proxy.session.world import (
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    Conversation,
    World,
    learnt,
    rerun,
    run,
)

QUERY = frontend.query


def with_known_statement(world: World, name: bytes = b"s") -> Conversation:
    """A client whose only prepared statement was answered from memory: the origin has not heard of it."""
    world.client().ask(run(READ), SYNC)
    client = world.client()
    assert client.ask(run(READ, name), SYNC) == "1 2 T D:0 C:SELECT 1 Z:I"
    assert client.heard() == []
    client.attach()
    return client


def test_a_statement_known_only_here_is_parsed_late_when_its_run_must_go_to_the_origin() -> None:
    world = World()
    client = with_known_statement(world)
    world.client().query(WRITE)
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:1 C:SELECT 1 Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "B", "D", "E", "S"]
    world.client().query(WRITE)
    client.ask(rerun(b"s"), SYNC)
    assert client.heard() == ["B", "D", "E", "S"]


def test_describe_of_a_statement_known_only_here_parses_it_late() -> None:
    client = with_known_statement(World())
    assert client.ask(frontend.describe(frontend.STATEMENT, b"s"), SYNC) == "t T Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "D", "S"]


@pytest.mark.soundness("3.5")
def test_statements_known_only_here_are_introduced_before_a_set() -> None:
    client = with_known_statement(World())
    assert client.query(b"SET search_path = other") == "C:SET Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "S", "SET search_path = other"]


def test_a_failing_introduction_touches_nothing_of_the_clients() -> None:
    client = with_known_statement(World())
    client.origin.faults[b"PARSE " + READ] = Refusal("42P01")
    assert client.query(b"SET search_path = other") == "C:SET Z:I"


@pytest.mark.parametrize("text", [b"SET search_path = other", b"SELECT mystery()"])
def test_a_statement_that_its_own_batch_brings_is_parsed_once(text: bytes) -> None:
    client = World().client()
    client.attach()
    assert client.ask(run(text, b"s"), SYNC).startswith("1 2")
    assert [word for word in client.heard() if word.startswith("Ps:")] == [f"Ps:{text.decode()}"]


def test_a_name_in_use_only_here_is_refused_by_the_origin_itself() -> None:
    client = with_known_statement(World())
    assert client.ask(frontend.parse(b"s", OTHER_READ), SYNC) == "E:42P05 Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "Ps:SELECT name FROM star", "S"]
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:0 C:SELECT 1 Z:I"


def test_a_name_whose_parse_failed_does_not_exist() -> None:
    client = World().client()
    client.origin.faults[b"PARSE SELEKT"] = Refusal("42601", P="1")
    assert client.ask(frontend.parse(b"s", b"SELEKT"), SYNC) == "E:42601 Z:I"
    assert client.ask(rerun(b"s"), SYNC) == "E:26000 Z:I"


def test_a_parse_that_an_earlier_error_skipped_makes_no_statement() -> None:
    client = World().client()
    assert client.ask(rerun(b"nobody"), frontend.parse(b"s", READ), SYNC) == "E:26000 Z:I"
    assert b"s" not in client.session.statements.named


def test_a_parse_before_the_error_stays() -> None:
    client = World().client()
    client.ask(frontend.parse(b"s", READ), rerun(b"nobody"), SYNC)
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:0 C:SELECT 1 Z:I"


def test_data_of_a_copy_goes_straight_on_and_is_ignored_without_one() -> None:
    client = World().client()
    client.say(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME)
    assert client.heard() == []
    assert client.ask(QUERY(b"COPY planet FROM STDIN")) == "G"
    assert client.ask(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME) == "C:COPY 1 Z:I"


def test_a_copy_that_ends_by_copyfail_drops_nothing() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    assert client.ask(frontend.copy_fail(b"no")) == "E:57014 Z:I"
    assert client.hits()


def test_a_copy_suspends_what_it_reaches_and_drops_it_at_its_end() -> None:
    world = World()
    client, reader = world.client(), world.client()
    reader.remember()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    assert not reader.hits()
    client.ask(frontend.COPY_DONE_FRAME)
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_sync_that_came_before_the_copy_began_is_ignored_and_the_next_one_ends_it() -> None:
    world = World()
    client, reader = world.client(), world.client()
    reader.remember()
    assert client.ask(run(b"COPY planet FROM STDIN"), SYNC) == "1 2 n G"
    assert client.ask(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME) == "C:COPY 1"
    assert not reader.hits()
    assert client.ask(SYNC) == "Z:I"
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"
    assert client.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_sync_in_the_middle_of_a_copy_is_ignored_whatever_asked_for_it() -> None:
    for ask in (QUERY(b"COPY planet FROM STDIN"), run(b"COPY planet FROM STDIN") + SYNC):
        client = World().client()
        client.attach()
        client.ask(ask, SYNC)
        assert client.ask(b"d\0\0\0\5x", SYNC) == ""
        client.ask(frontend.COPY_DONE_FRAME, SYNC)
        assert client.query(b"SHOW orrery.last").startswith("T D:write")


def test_a_command_of_ours_during_a_copy_breaks_it_as_any_query_does() -> None:
    client = World().client()
    client.attach()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    client.say(QUERY(b"SHOW orrery.last"))
    assert client.heard() == ["COPY planet FROM STDIN", "C", "S"]


@pytest.mark.parametrize("ask", [QUERY(b"COPY planet FROM STDIN"), run(b"COPY planet FROM STDIN") + FLUSH])
def test_a_command_of_ours_behind_what_begins_a_copy_breaks_it_too(ask: bytes) -> None:
    client = World().client()
    client.attach()
    client.say(ask, frontend.parse(b"", b"SET orrery.cache = on"), SYNC)
    assert client.heard()[-2:] == ["C", "S"]


def test_what_comes_behind_the_end_of_a_copy_that_swallowed_its_sync_is_run() -> None:
    client = World().client()
    client.attach()
    copied = (run(b"COPY planet FROM STDIN"), SYNC, SYNC, frontend.COPY_DONE_FRAME)
    assert client.ask(*copied, QUERY(READ), QUERY(OTHER_READ)) == (
        "1 2 n G C:COPY 1 T D:1 C:SELECT 1 Z:I T D:1 C:SELECT 1 Z:I"
    )
    assert client.session.is_idle
    assert client.ask(*copied, run(READ), SYNC) == "1 2 n G C:COPY 1 1 2 T D:2 C:SELECT 1 Z:I"
    assert client.session.is_idle


def test_the_data_of_a_copy_may_come_in_one_packet_with_what_asks_for_it() -> None:
    client = World().client()
    data = b"d\0\0\0\5x" + frontend.COPY_DONE_FRAME
    assert client.ask(run(b"COPY planet FROM STDIN"), data, SYNC, QUERY(READ)) == (
        "1 2 n G C:COPY 1 Z:I T D:1 C:SELECT 1 Z:I"
    )
    assert client.session.is_idle


@pytest.mark.parametrize("stray", [b"d\0\0\0\5x", frontend.COPY_DONE_FRAME, frontend.copy_fail(b"none")])
def test_data_that_came_before_a_copy_was_asked_for_is_no_part_of_it(stray: bytes) -> None:
    client = World().client()
    assert client.ask(run(READ), stray, QUERY(b"COPY planet FROM STDIN")) == "1 2 T D:0 C:SELECT 1 G"
    assert client.ask(b"d\0\0\0\5x", SYNC) == ""
    assert client.ask(frontend.copy_fail(b"enough"), SYNC) == "E:57014 Z:I Z:I"
    assert client.session.is_idle


def test_data_in_two_packets_never_leaves_the_origin_in_the_middle_of_a_message() -> None:
    client = World().client()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    data = compose(frontend.COPY_DATA, bytes(1000))
    client.say(data[:500])
    reader = FrameSplitter(1 << 20)
    assert sum(len(frame.body) for frame in reader.feed(client.origin.writes[-1])) == 495
    assert reader.release() == b""
    client.say(data[500:])
    assert client.ask(frontend.COPY_DONE_FRAME) == "C:COPY 1 Z:I"


def test_each_copy_of_one_batch_has_the_end_that_was_sent_behind_it() -> None:
    client = World().client()
    client.attach()
    copy, data = run(b"COPY planet FROM STDIN"), b"d\0\0\0\5x" + frontend.COPY_DONE_FRAME
    assert client.ask(copy, data, copy, data, SYNC) == "1 2 n G C:COPY 1 1 2 n G C:COPY 1 Z:I"
    assert client.session.is_idle


def test_every_query_up_to_the_sync_is_skipped_after_an_error() -> None:
    client = World().client()
    client.attach()
    assert client.ask(rerun(b"nobody"), QUERY(READ), QUERY(OTHER_READ), QUERY(READ)) == "E:26000"
    assert client.ask(SYNC) == "Z:I"
    assert client.session.is_idle
    assert client.query(b"SHOW orrery.cache") == "T D:on C:SHOW Z:I"


def test_a_functioncall_after_unsynced_messages_is_answered_or_skipped_as_a_query_is() -> None:
    call = compose(frontend.FUNCTION_CALL, b"\0\0\0\0\0\0\0\0\0\0")
    client = World().client()
    client.attach()
    assert client.ask(run(READ), call) == "1 2 T D:0 C:SELECT 1 V Z:I"
    assert client.session.is_idle
    assert client.ask(rerun(b"nobody"), FLUSH) == "E:26000"
    assert client.ask(call) == ""
    assert client.ask(SYNC) == "Z:I"
    assert client.session.is_idle


def test_a_failed_command_of_ours_says_nothing_into_a_batch_that_is_half_sent() -> None:
    client = World().client()
    client.query(b"BEGIN")
    client.say(QUERY(OTHER_READ), QUERY(b"SHOW orrery.nothing"), rerun(b"nobody"), FLUSH)
    client.settle()
    assert client.ask(SYNC).endswith("Z:E")
    assert client.session.is_settled


def test_a_ready_for_query_with_an_unknown_status_ends_no_suspension() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(QUERY(WRITE))
    with pytest.raises(OriginFault):
        client.session.origin_received(b"Z\0\0\0\5?", 0.0)
    client.session.origin_lost(0.0)
    assert len(client.port.doubts) == world.memory.suspended == 1


def test_a_read_whose_ready_for_query_is_broken_is_not_waited_for() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(QUERY(READ))
    with pytest.raises(OriginFault):
        client.session.origin_received(b"Z\0\0\0\5?", 0.0)
    client.session.origin_lost(0.0)
    assert world.memory.flights == 0


def test_an_origin_that_wants_data_for_a_question_of_ours_ends_no_suspension() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.session.state.doubt = True
    client.session.uplink.probe_if_in_doubt()
    client.say(QUERY(WRITE))
    client.session.resume(0.0)
    with pytest.raises(OriginFault):
        client.session.origin_received(b"G\0\0\0\7\0\0\0" + backend.READY_IDLE * 2, 0.0)
    client.session.origin_lost(0.0)
    assert len(client.port.doubts) == world.memory.suspended == 1


def test_replies_before_a_fault_of_the_origin_reach_the_client() -> None:
    client = World().client()
    client.attach()
    client.say(QUERY(READ))
    with pytest.raises(OriginFault):
        client.session.origin_received(client.origin.answer() + backend.READY_IDLE, 0.0)
    assert client.told() == "T D:0 C:SELECT 1 Z:I"


def test_a_query_after_unsynced_messages_that_failed_is_skipped_like_them() -> None:
    client = World().client()
    client.attach()
    assert client.ask(frontend.parse(b"", READ), rerun(b"nobody"), FLUSH) == "1 E:26000"
    assert client.ask(QUERY(READ)) == ""
    assert client.ask(SYNC) == "Z:I"
    assert client.query(READ) == "T D:0 C:SELECT 1 Z:I"


def test_a_query_that_ends_a_pipeline_after_an_error_has_no_ready_for_query() -> None:
    client = World().client()
    client.attach()
    assert client.ask(rerun(b"nobody"), QUERY(READ)) == "E:26000"
    assert client.ask(SYNC) == "Z:I"
    assert client.query(READ) == "T D:0 C:SELECT 1 Z:I"


def test_a_query_after_unsynced_messages_ends_their_transaction() -> None:
    world = World()
    client, reader = world.client(), world.client()
    reader.remember()
    assert client.ask(run(WRITE), QUERY(READ)) == "1 2 n C:UPDATE 1 T D:1 C:SELECT 1 Z:I"
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


@pytest.mark.soundness("3.3")
def test_doubt_is_settled_by_a_question_that_the_client_does_not_see() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.origin.learnt = learnt({"search_path": "other"}, role="bob")
    assert client.query(b"SELECT mystery()") == "T D:0 C:SELECT 1 Z:I"
    state = client.session.state
    assert (state.doubt, state.current_user, state.value("search_path")) == (False, "bob", "other")


def test_no_question_is_asked_inside_a_transaction() -> None:
    client = World().client()
    client.query(b"BEGIN", b"SELECT mystery()")
    assert "probe" not in client.heard()
    assert client.session.state.doubt
    client.query(b"COMMIT")
    assert "probe" in client.heard()


@pytest.mark.soundness("4.2")
def test_a_session_lock_bypasses_until_the_origin_says_that_it_is_gone() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.origin.learnt = learnt(locked=True)
    client.query(b"SELECT pg_advisory_lock(1)")
    assert not client.hits()
    assert client.last == ("bypass", "locked")
    client.origin.learnt = learnt()
    client.query(READ)
    assert client.hits()


def test_the_probe_replaces_neither_the_unnamed_statement_nor_a_client_name() -> None:
    names = [frontend.read_parse(f.raw)[0] for f in frontend_frames(probe.FRAMES) if f.kind == frontend.PARSE]
    assert names == [b"orrery_probe"]


def frontend_frames(data: bytes) -> list[Frame]:
    return FrameSplitter(1 << 20).feed(data)


def test_an_idle_pristine_session_outlives_its_origin() -> None:
    world = World()
    client = world.client()
    client.ask(run(READ, b"s"), SYNC)
    client.session.origin_lost(world.clock.now)
    assert client.told() == ""
    assert "close_client" not in client.port.asked
    client.world.memory.clear("purge")
    client.say(rerun(b"s"), SYNC)
    client.origin = type(client.origin)(world.data)
    client.origin.learnt = learnt()
    client.settle()
    assert client.told() == "2 T D:0 C:SELECT 1 Z:I"


def test_a_session_with_settings_is_told_that_its_origin_is_lost() -> None:
    world = World()
    client = world.client()
    client.query(b"SET search_path = other")
    client.session.origin_lost(world.clock.now)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"


@pytest.mark.soundness("7.5")
def test_a_session_in_a_transaction_is_told_that_its_origin_is_lost() -> None:
    world = World()
    client = world.client()
    client.query(b"BEGIN", b"SAVEPOINT a")
    client.session.origin_lost(world.clock.now)
    assert client.told() == "E:08006"


def test_the_last_words_of_the_origin_are_handed_on() -> None:
    world = World()
    client = world.client()
    client.query(b"SET search_path = other")
    client.session.origin_received(backend.error_response("FATAL", "57P01", "going down"), 0.0)
    assert client.told() == ""
    client.session.origin_lost(world.clock.now)
    assert client.told() == "E:57P01"


def test_a_fatal_error_in_answer_to_a_statement_is_not_told_twice() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(QUERY(READ))
    client.session.origin_received(backend.error_response("FATAL", "57P01", "going down"), 0.0)
    client.session.origin_lost(world.clock.now)
    assert client.told() == "E:57P01"


def test_notices_and_notifications_between_statements_reach_the_client() -> None:
    client = World().client()
    client.query(READ)
    client.session.origin_received(backend.notice_response("NOTICE", "00000", "hello"), 0.0)
    assert client.told() == "N"


def test_a_reply_that_nothing_asked_for_is_a_fault_of_the_origin() -> None:
    client = World().client()
    client.query(READ)
    with pytest.raises(OriginFault):
        client.session.origin_received(backend.command_complete(b"SELECT 1"), 0.0)


@pytest.mark.soundness("3.3")
def test_a_reported_setting_holds_for_the_next_statement() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.origin.aside[b"SET timezone = 'Mars'"] = backend.parameter_status("TimeZone", "Mars")
    assert client.query(b"SET timezone = 'Mars'") == "S C:SET Z:I"
    assert not client.hits()
    assert client.session.state.value("timezone") == "Mars"


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(("behind", "kept"), [(1, 0), (2, 1)])
def test_what_is_answered_once_a_setting_has_changed_unasked_is_not_kept(behind: int, kept: int) -> None:
    # The origin has read its configuration again: it says so behind the first answer that it gives by it.
    world = World()
    client = world.client()
    client.query(b"SELECT 1")
    client.say(run(READ), SYNC, run(OTHER_READ), SYNC)
    answers = client.origin.answer().split(backend.READY_IDLE)
    answers[behind - 1] += backend.parameter_status("TimeZone", "Mars")
    client.session.origin_received(backend.READY_IDLE.join(answers), world.clock.now)
    assert world.memory.entries == kept


def test_every_suspension_is_told_to_the_other_workers_and_nothing_else() -> None:
    world = World()
    client = world.client()
    client.query(READ, b"BEGIN", WRITE)
    assert client.port.announced == []
    client.query(b"COMMIT")
    client.query(WRITE)
    client.query(b"CREATE TABLE t ()")
    assert [ddl for _, _, ddl in client.port.announced] == [False, False, True]
    assert not any(suspension.open for suspension, _, _ in client.port.announced)
