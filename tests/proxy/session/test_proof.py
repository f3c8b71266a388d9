"""session.proof: a statement of unproven reach that changed nothing drops nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session import proof
from proxy.wire import backend, frontend
from tests.doubles.origin import Refusal
from tests.proxy.session import sky
from tests.proxy.session.world import (
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    Conversation,
    World,
    rerun,
    run,
)

QUERY = frontend.query
CALL_IT = b"SELECT mystery()"
PROBE = ["C", "probe", "B", "E", "C", "S"]
PROOF = ["C", "C", "proof", "B", "E", "C", "C"]
ANSWER = "T D:0 C:SELECT 1 Z:I"


def a_world() -> World:
    """Its transactions tell all that they do."""
    world = World()
    world.learn(replace(sky.catalogue(), id_is_public=True))
    return world


def expectant(world: World) -> Conversation:
    """A client whose prepared call ``s`` was proven to change nothing when it last ran."""
    client = world.client()
    client.ask(run(CALL_IT, b"s"), SYNC)
    client.heard()
    return client


def asks(client: Conversation, *frames: bytes) -> bool:
    """Is the question asked with these?"""
    client.ask(*frames)
    return any("proof" in word for word in client.heard())


# What it says, and what it hides


def test_a_text_that_changed_nothing_drops_nothing_and_leaves_no_doubt() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    assert writer.query(CALL_IT) == ANSWER
    assert writer.heard() == ["SELECT mystery()\n; proof", *PROBE]
    assert reader.hits()
    assert writer.hits()


def test_an_extended_statement_that_changed_nothing_drops_nothing_and_leaves_no_doubt() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    assert writer.ask(run(CALL_IT), SYNC) == "1 2 T D:0 C:SELECT 1 Z:I"
    assert writer.heard() == ["P:SELECT mystery()", "B", "D", "E", *PROOF, "S", *PROBE]
    assert reader.hits()
    assert writer.hits()


@pytest.mark.parametrize("frames", [(QUERY(CALL_IT),), (run(CALL_IT), SYNC)], ids=["simple", "extended"])
def test_one_that_wrote_drops_everything(frames: tuple[bytes, ...]) -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.origin.writing.add(CALL_IT)
    writer.ask(*frames)
    assert not reader.hits(OTHER_READ)


def test_a_cursor_that_runs_at_commit_spoils_the_proof() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.holdable = True
    writer.query(CALL_IT)
    assert not reader.hits()


def test_a_write_of_known_reach_is_not_asked_about() -> None:
    assert not asks(a_world().client(), QUERY(WRITE))


def test_a_write_whose_trigger_nobody_knows_is() -> None:
    assert asks(a_world().client(), QUERY(b"UPDATE planet SET name = 'x' WHERE mystery() = id"))


@pytest.mark.parametrize("end", [b"", b";", b" ; ;", b" -- then", b"; -- then", b" /* x */", b" --\r"])
def test_however_the_text_ends_the_question_is_a_statement_of_its_own(end: bytes) -> None:
    client = a_world().client()
    client.say(QUERY(CALL_IT + end))
    client.attach()
    (query,) = [frame for frame in client.origin.heard if frame.kind == frontend.QUERY]
    text = frontend.read_query(query.raw)
    assert text == CALL_IT + end + b"\n; " + proof.TEXT.encode()


def test_a_command_tag_without_rows_is_told_before_the_question_is_answered_away() -> None:
    client = a_world().client()
    write = b"UPDATE planet SET name = 'x' WHERE mystery() = id"
    assert client.query(write) == "C:UPDATE 1 Z:I"
    assert client.ask(run(write), SYNC) == "1 2 n C:UPDATE 1 Z:I"


def test_the_unnamed_statement_of_the_client_survives() -> None:
    client = a_world().client()
    client.ask(run(CALL_IT), SYNC)
    assert client.ask(rerun(b""), SYNC) == "2 T D:0 C:SELECT 1 Z:I"


def test_a_missing_row_proves_nothing() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(QUERY(CALL_IT))
    described = backend.row_description([])
    tag, ready = backend.command_complete(b"SELECT 1"), backend.READY[ord("I")]
    writer.session.origin_received(described + tag + described + tag + ready, 0.0)
    assert writer.told() == "T C:SELECT 1 Z:I"
    assert not reader.hits()


def test_settings_and_role_are_learnt_behind_the_transaction() -> None:
    """Inside of it a SET LOCAL would still show."""
    world = a_world()
    client = world.client()
    client.attach()
    client.say(QUERY(CALL_IT))
    client.origin.learnt[1] = "bob"
    client.settle()
    assert client.session.state.current_user == "bob"
    assert not client.session.state.doubt


def test_what_came_of_it_is_counted() -> None:
    world = a_world()
    client = world.client()
    client.query(CALL_IT, WRITE)
    client.origin.writing.add(CALL_IT)
    client.query(CALL_IT)
    assert (world.counters.proven_unchanged, world.counters.not_proven) == (1, 1)
    assert world.counters.write == 3


# Where it is never asked


@pytest.mark.parametrize(
    "text",
    [
        b"CALL mystery()",
        b"DO $$ $$",
        b"COPY planet FROM STDIN",
        b"SELECT mystery(); SELECT mystery()",
        b"BEGIN; SELECT mystery()",
        b"SELECT mystery(); COMMIT",
        b"EXPLAIN ANALYZE SELECT mystery()",
        b"EXECUTE nobody",
        b"CREATE TABLE t AS SELECT mystery()",
        b"SELECT mystery() INTO t",
        b"LOAD 'library'",
        b"SELEKT",
    ],
)
def test_it_is_asked_behind_nothing_but_one_query_or_dml(text: bytes) -> None:
    assert not asks(a_world().client(), QUERY(text))


LIMITED = frontend.parse(b"", CALL_IT) + frontend.bind(b"", b"") + frontend.execute(b"", 1)
TWICE = frontend.execute(b"")


@pytest.mark.parametrize(
    "frames",
    [
        (LIMITED, SYNC),
        (LIMITED, TWICE, SYNC),
        (run(CALL_IT), run(CALL_IT), SYNC),
        (run(CALL_IT), frontend.bind(b"other", b""), SYNC),
        (run(CALL_IT), FLUSH, SYNC),
        (frontend.parse(b"", CALL_IT), frontend.bind(b"", b""), SYNC),
        (run(CALL_IT), QUERY(CALL_IT)),
        (run(b"CALL mystery()"), SYNC),
    ],
    ids=["limit", "rest", "two", "a portal more", "flush", "planned only", "query behind", "call"],
)
def test_a_flight_of_more_than_one_whole_run_is_not_asked_about(frames: tuple[bytes, ...]) -> None:
    assert not asks(a_world().client(), *frames)


def test_what_is_sent_before_an_earlier_answer_is_there_is_not_asked_about() -> None:
    client = a_world().client()
    client.ask(QUERY(READ))
    client.heard()
    assert not asks(client, QUERY(OTHER_READ), QUERY(CALL_IT))


def test_in_a_database_whose_code_reaches_further_it_is_never_asked() -> None:
    world = a_world()
    world.learn(replace(sky.catalogue(), id_is_public=True, foreign_servers=True))
    assert not asks(world.client(), QUERY(CALL_IT))


def test_without_a_catalogue_it_is_never_asked() -> None:
    world = a_world()
    world.learn(None)
    client = world.client()
    client.port.catalogue_is_young = True
    assert not asks(client, QUERY(CALL_IT))


# Errors


def test_an_error_drops_nothing() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[CALL_IT] = Refusal("22012")
    assert writer.query(CALL_IT) == "E:22012 Z:I"
    assert writer.ask(run(CALL_IT), SYNC) == "1 2 T E:22012 Z:I"
    assert reader.hits()


def test_an_error_in_the_question_is_the_statements_own() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.writing.add(CALL_IT)
    writer.origin.faults[proof.TEXT.encode()] = Refusal("57014")
    assert writer.query(CALL_IT) == "T D:1 E:57014 Z:I"
    assert writer.last == ("error", "")
    assert world.data.number == 0
    assert reader.hits()


def test_after_an_error_in_the_question_it_can_be_asked_again() -> None:
    client = a_world().client()
    client.origin.faults[proof.TEXT.encode()] = Refusal("57014")
    assert client.ask(run(CALL_IT), SYNC) == "1 2 T D:0 C:SELECT 1 E:57014 Z:I"
    client.origin.faults.clear()
    assert client.ask(run(CALL_IT), SYNC) == "1 2 T D:0 C:SELECT 1 Z:I"


# Told early, once it is what to expect


def test_what_was_proven_last_time_suspends_nothing_and_is_answered_before_its_sync() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.say(rerun(b"s"), SYNC)
    assert world.memory.suspended == 0
    assert reader.hits()
    assert writer.heard() == ["B", "D", "E", *PROOF, "H"]
    writer.answer()
    assert writer.told() == "2 T D:0 C:SELECT 1 Z:I"
    assert writer.heard() == ["S", *PROBE]
    writer.settle()
    assert writer.told() == ""
    assert reader.hits()
    assert writer.hits()


def test_what_wrote_after_all_is_suspended_before_its_sync_is_sent() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.told()
    writer.origin.writing.add(CALL_IT)
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    assert writer.told() == "2 T D:1"
    assert writer.heard()[-7:] == ["S", *PROBE]
    assert world.memory.suspended == 1
    assert world.data.number == 0
    writer.settle()
    assert writer.told() == "C:SELECT 1 Z:I"
    assert not reader.hits()


def test_what_wrote_last_time_is_suspended_from_the_start() -> None:
    world = a_world()
    writer = expectant(world)
    writer.origin.writing.add(CALL_IT)
    writer.ask(rerun(b"s"), SYNC)
    world.learn(replace(sky.catalogue(), id_is_public=True))
    writer.say(rerun(b"s"), SYNC)
    assert world.memory.suspended == 1


def test_an_error_is_answered_at_once_as_well() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.told()
    writer.origin.faults[CALL_IT] = Refusal("22012")
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    assert writer.told() == "2 T E:22012 Z:I"
    writer.settle()
    assert writer.told() == ""
    assert writer.origin.status == ord("I")
    assert reader.hits()
    assert writer.hits()


def test_a_fatal_error_is_not_followed_by_anything() -> None:
    writer = expectant(a_world())
    writer.told()
    writer.origin.faults[CALL_IT] = Refusal("57P01", S="FATAL", V="FATAL")
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    assert writer.told() == "2 T E:57P01"
    writer.session.origin_lost(0.0)
    assert writer.told() == ""
    assert writer.port.doubts == []
    assert "close_client" in writer.port.asked


def test_a_client_that_does_not_wait_is_served_as_if_nothing_were_expected() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.told()
    writer.origin.writing.add(CALL_IT)
    writer.say(rerun(b"s"), SYNC)
    writer.say(QUERY(READ))
    assert world.memory.suspended >= 1
    writer.settle()
    assert writer.told() == "2 T D:1 C:SELECT 1 Z:I T D:1 C:SELECT 1 Z:I"
    assert not reader.hits()


def test_a_flush_behind_the_sync_changes_nothing() -> None:
    writer = expectant(a_world())
    writer.told()
    writer.say(rerun(b"s"), SYNC, FLUSH)
    writer.settle()
    assert writer.told() == "2 T D:0 C:SELECT 1 Z:I"


def test_a_client_that_vanishes_has_its_statement_carried_out_all_the_same() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.origin.writing.add(CALL_IT)
    writer.say(rerun(b"s"), SYNC)
    assert writer.session.client_gone(0.0)
    writer.settle()
    assert writer.session.is_settled
    assert world.data.number == 1
    assert not reader.hits()


def test_a_client_that_vanishes_once_it_was_told_has_its_transaction_ended() -> None:
    writer = expectant(a_world())
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    assert writer.session.client_gone(0.0)
    writer.settle()
    assert writer.session.is_settled


def test_who_was_told_early_hears_of_the_loss_of_the_origin() -> None:
    writer = expectant(a_world())
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    writer.told()
    writer.session.origin_lost(0.0)
    assert writer.told() == "E:08006"
    assert writer.port.doubts == []


def test_an_origin_lost_before_the_sync_was_sent_leaves_nothing_in_doubt() -> None:
    world = a_world()
    writer, reader = expectant(world), world.client()
    reader.remember()
    writer.told()
    writer.say(rerun(b"s"), SYNC)
    writer.session.origin_lost(0.0)
    assert writer.told() == "E:08006"
    assert writer.port.doubts == []
    assert reader.hits()


def test_who_was_told_early_does_not_go_on_if_the_transaction_cannot_end() -> None:
    writer = expectant(a_world())
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    writer.told()
    refused = Refusal("54000", "too many notifications").frame
    writer.session.origin_received(refused + backend.READY[ord("I")], 0.0)
    assert writer.told() == "E:54000"
    assert "close_client" in writer.port.asked


def test_nobody_is_told_early_where_a_read_may_fail_at_the_end() -> None:
    world = a_world()
    client = world.client(default_transaction_isolation="serializable")
    client.ask(run(CALL_IT, b"s"), SYNC)
    client.say(rerun(b"s"), SYNC)
    assert client.heard()[-7] == "S"
    assert world.memory.suspended == 1


def test_what_comes_next_waits_for_the_settings_alone() -> None:
    world = a_world()
    world.client().remember()
    writer = expectant(world)
    writer.say(rerun(b"s"), SYNC)
    writer.answer()
    writer.told()
    writer.say(QUERY(READ))
    assert writer.told() == ""
    writer.settle()
    assert writer.told() == ANSWER
    assert writer.last == ("hit", "")


# COMMIT


def test_commit_of_a_block_that_changed_nothing_drops_nothing() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", CALL_IT)
    writer.heard()
    assert writer.query(b"COMMIT") == "C:COMMIT Z:I"
    assert writer.heard() == ["proof; COMMIT", *PROBE]
    assert reader.hits()
    assert writer.hits()


def test_commit_in_the_extended_protocol_is_asked_about_just_before_it() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", CALL_IT)
    writer.heard()
    assert writer.ask(run(b"COMMIT"), SYNC) == "1 2 n C:COMMIT Z:I"
    assert writer.heard() == [*PROOF, "P:COMMIT", "B", "D", "E", "S", *PROBE]
    assert reader.hits()


@pytest.mark.parametrize("frames", [(QUERY(b"COMMIT"),), (run(b"COMMIT"), SYNC)], ids=["simple", "extended"])
@pytest.mark.parametrize("write", [CALL_IT, b"CREATE TABLE t (id int)", WRITE])
def test_commit_of_a_block_that_wrote_drops(write: bytes, frames: tuple[bytes, ...]) -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.writing.add(CALL_IT)
    writer.query(b"BEGIN", b"SELECT mystery() + 1", write)
    writer.ask(*frames)
    assert not reader.hits()


def test_a_procedure_in_a_block_is_part_of_it() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[b"DO $$ $$"] = Refusal("22012")
    writer.query(b"BEGIN", b"SAVEPOINT s", b"DO $$ $$", b"ROLLBACK TO s")
    writer.heard()
    writer.query(b"COMMIT")
    assert writer.heard()[0] == "proof; COMMIT"


@pytest.mark.parametrize("text", [b"LOAD 'library'", b"COPY planet TO PROGRAM 'x'", b"SELEKT"])
def test_a_block_with_effects_that_may_be_no_part_of_it_proves_nothing(text: bytes) -> None:
    client = a_world().client()
    client.query(b"BEGIN", CALL_IT, text)
    client.heard()
    assert not asks(client, QUERY(b"COMMIT"))


@pytest.mark.parametrize(
    "text", [b"COMMIT AND CHAIN", b"ROLLBACK", b"PREPARE TRANSACTION 'x'", b"SELECT 1; COMMIT", b"RELEASE s"]
)
def test_no_other_transaction_command_is_asked_about(text: bytes) -> None:
    client = a_world().client()
    client.query(b"BEGIN", CALL_IT)
    client.heard()
    assert not asks(client, QUERY(text))


def test_inside_a_block_nothing_is_asked_before_its_end() -> None:
    client = a_world().client()
    client.query(b"BEGIN")
    assert not asks(client, QUERY(CALL_IT))


def test_commit_of_a_failed_block_is_not_asked_about() -> None:
    client = a_world().client()
    client.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    client.query(b"BEGIN", CALL_IT, b"SELECT 1/0")
    client.heard()
    assert not asks(client, QUERY(b"COMMIT"))


def test_an_error_in_the_question_fails_the_block_as_an_error_of_commit_would() -> None:
    world = a_world()
    writer = world.client()
    writer.origin.writing.add(CALL_IT)
    writer.query(b"BEGIN", CALL_IT)
    writer.origin.faults[proof.TEXT.encode()] = Refusal("57014")
    assert writer.ask(run(b"COMMIT"), SYNC) == "E:57014 Z:E"
    assert writer.query(b"ROLLBACK") == "C:ROLLBACK Z:I"
    assert world.data.number == 0


def test_the_memory_is_suspended_while_the_commit_is_on_its_way() -> None:
    world = a_world()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", CALL_IT)
    writer.say(QUERY(b"COMMIT"))
    assert not reader.hits()
