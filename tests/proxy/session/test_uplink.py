"""session.uplink: the origin hears of what it must know, in the right order, and what is ours stays ours."""

from __future__ import annotations

import pytest

from proxy.errors import OriginFault
from proxy.session import probe
from proxy.wire import backend, frontend
from proxy.wire.framing import Frame, FrameSplitter, compose
from tests.proxy.session.world import (
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    World,
    learnt,
    rerun,
    run,
)

QUERY = frontend.query


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


def test_a_read_whose_ready_for_query_is_broken_is_not_waited_for() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(QUERY(READ))
    with pytest.raises(OriginFault):
        client.session.origin_received(b"Z\0\0\0\5?", 0.0)
    client.session.origin_lost(0.0)
    assert world.memory.flights == 0


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
