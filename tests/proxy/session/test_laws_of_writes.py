"""The laws of the hall that speak of writes: what is suspended, when, and what is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.cache.facets import Part
from proxy.session.port import ORIGIN
from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session import sky
from tests.proxy.session.world import OTHER_READ, READ, SYNC, WRITE, World, rerun, run

QUERY = frontend.query


def test_a_writer_reads_its_own_write_next() -> None:
    world = World()
    writer = world.client()
    writer.remember()
    assert writer.query(WRITE) == "C:UPDATE 1 Z:I"
    assert writer.query(READ) == "T D:1 C:SELECT 1 Z:I"
    assert writer.hits()


def test_an_acknowledged_write_is_seen_by_every_other_client() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(WRITE)
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_write_leaves_answers_that_do_not_read_what_it_reaches() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.query(WRITE)
    assert reader.hits(OTHER_READ)


def test_a_write_drops_what_its_foreign_keys_cascade_to() -> None:
    world = World()
    client = world.client()
    client.remember(b"SELECT id FROM moon")
    client.query(b"DELETE FROM planet")
    assert not client.hits(b"SELECT id FROM moon")


@pytest.mark.soundness("6.3")
def test_a_read_that_began_before_a_write_never_lands() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.attach()
    reader.say(QUERY(READ))
    said = reader.origin.answer()
    writer.query(WRITE)
    reader.session.origin_received(said, world.clock.now)
    assert reader.told() == "T D:0 C:SELECT 1 Z:I"
    assert reader.last == ("bypass", "moved")
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_read_that_runs_while_a_write_is_on_its_way_never_lands() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.attach()
    writer.say(QUERY(WRITE))
    assert reader.query(READ) == "T D:0 C:SELECT 1 Z:I"
    assert reader.last == ("bypass", "suspended")
    writer.settle()
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


@pytest.mark.parametrize("arrived", [0, 1])
def test_from_sending_a_write_to_its_ready_for_query_others_ask_the_origin(arrived: int) -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(run(WRITE), SYNC)
    writer.answer(4 * arrived)
    assert not reader.hits()
    writer.settle()
    assert not reader.hits()
    assert reader.hits()


def test_commandcomplete_of_a_write_is_held_until_the_memory_is_put_right() -> None:
    world = World()
    writer = world.client()
    writer.attach()
    writer.say(run(WRITE), SYNC)
    writer.answer(4)
    assert writer.told() == "1 2 n"
    assert world.memory.suspended == 1
    writer.answer()
    assert writer.told() == "C:UPDATE 1 Z:I"
    assert world.memory.suspended == 0


def test_rows_of_a_write_are_not_held() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(run(b"SELECT mystery()"), SYNC)
    client.answer(4)
    assert client.told() == "1 2 T D:0"


def test_rollback_drops_nothing() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", WRITE)
    assert reader.hits()
    writer.query(b"ROLLBACK")
    assert reader.hits()
    assert writer.hits()


def test_commit_drops_what_the_transaction_wrote() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", WRITE)
    writer.say(QUERY(b"COMMIT"))
    assert not reader.hits()
    writer.settle()
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_commit_of_a_failed_transaction_drops_nothing() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    writer.query(b"BEGIN", WRITE, b"SELECT 1/0")
    assert writer.query(b"COMMIT") == "C:ROLLBACK Z:I"
    assert reader.hits()


def test_an_error_in_autocommit_drops_nothing() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[WRITE] = Refusal("23505")
    assert writer.query(WRITE) == "E:23505 Z:I"
    assert writer.last == ("error", "")
    assert reader.hits()


def test_an_error_after_a_commit_in_the_same_text_drops() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    assert writer.query(WRITE + b"; COMMIT; SELECT 1/0") == "C:UPDATE 1 C:COMMIT E:22012 Z:I"
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_connection_lost_before_ready_for_query_leaves_the_reach_suspended() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(QUERY(WRITE))
    writer.session.origin_lost(world.clock.now)
    assert writer.told() == "E:08006"
    assert "close_client" in writer.port.asked
    ((suspension, ddl),) = writer.port.doubts
    assert not ddl
    assert not reader.hits()
    world.memory.end(suspension, changed=True)
    assert not reader.hits()
    assert reader.hits()


def test_a_connection_lost_while_ddl_is_on_its_way_says_so() -> None:
    world = World()
    writer = world.client()
    writer.attach()
    writer.say(QUERY(b"CREATE TABLE t (id int)"))
    writer.session.origin_lost(world.clock.now)
    ((_, ddl),) = writer.port.doubts
    assert ddl


def test_a_client_that_vanishes_in_mid_write_leaves_the_origin_until_the_write_is_settled() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(QUERY(WRITE))
    assert writer.session.client_gone(world.clock.now)
    assert not reader.hits()
    writer.settle()
    assert writer.session.is_settled
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_client_that_vanishes_in_mid_copy_has_its_copy_failed() -> None:
    world = World()
    writer = world.client()
    writer.ask(QUERY(b"COPY planet FROM STDIN"))
    assert writer.session.client_gone(world.clock.now)
    writer.settle()
    assert writer.heard()[-1] == "f"
    assert writer.session.is_settled
    assert world.memory.suspended == 0


def test_a_client_that_vanishes_while_reading_leaves_nothing_behind() -> None:
    world = World()
    reader, follower = world.client(), world.client()
    reader.attach()
    reader.say(QUERY(READ))
    follower.say(QUERY(READ))
    assert not reader.session.client_gone(world.clock.now)
    assert reader.port.woken == [follower.session]


def test_a_statement_of_unknown_reach_drops_everything_and_asks_what_it_did_to_the_session() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    reader.remember(OTHER_READ)
    writer.query(b"SELECT mystery()")
    assert writer.heard() == ["SELECT mystery()", "C", "probe", "B", "E", "C", "S"]
    assert not reader.hits()
    assert not reader.hits(OTHER_READ)


def test_unparsable_text_that_the_origin_cannot_parse_either_drops_nothing() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.origin.faults[b"SELEKT"] = Refusal("42601", P="1")
    assert client.query(b"SELEKT") == "E:42601 Z:I"
    assert client.hits()


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("42601"),
        Refusal("42601", P="1", W="PL/pgSQL function"),
        Refusal("42601", p="1", q="inner"),
        Refusal("42703", P="1"),
    ],
    ids=["no position", "inside a function", "in an inner query", "another error"],
)
def test_unparsable_text_that_may_have_run_drops(refusal: Refusal) -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.origin.faults[b"SELEKT"] = refusal
    writer.query(b"SELEKT")
    assert not reader.hits()


def test_unparsable_text_that_the_origin_understands_drops() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"SELEKT")
    assert not reader.hits()


def test_execute_does_what_stands_behind_the_name() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    reader.remember(OTHER_READ)
    writer.query(b"PREPARE p AS UPDATE planet SET name = 'x'")
    assert reader.hits()
    writer.query(b"EXECUTE p")
    assert not reader.hits()
    assert reader.hits(OTHER_READ)


def test_execute_of_an_unknown_name_may_do_anything() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.query(b"EXECUTE nobody")
    assert not reader.hits(OTHER_READ)


def test_execute_of_a_deallocated_name_may_do_anything() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.query(b"PREPARE p AS UPDATE planet SET name = 'x'", b"DEALLOCATE p", b"EXECUTE p")
    assert not reader.hits(OTHER_READ)


def test_execute_knows_the_statements_that_parse_made() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.ask(run(WRITE, b"p"), SYNC)
    writer.query(b"EXECUTE p")
    assert reader.hits(OTHER_READ)


def test_fetch_from_a_known_cursor_drops_nothing() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", b"DECLARE c CURSOR FOR SELECT name FROM planet", b"FETCH c", b"COMMIT")
    assert reader.hits()


def test_fetch_from_an_unknown_cursor_may_do_anything() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", b"FETCH c", b"COMMIT")
    assert not reader.hits()


def test_running_a_prepared_write_again_drops_again() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.ask(run(WRITE, b"w"), SYNC)
    reader.remember()
    assert writer.ask(rerun(b"w"), SYNC) == "2 n C:UPDATE 1 Z:I"
    assert reader.query(READ) == "T D:2 C:SELECT 1 Z:I"


@pytest.mark.parametrize("text", [b"CREATE TABLE t (id int)", b"GRANT SELECT ON planet TO bob"])
def test_ddl_drops_all_and_asks_for_the_catalogue(text: bytes) -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(OTHER_READ)
    writer.query(text)
    assert writer.port.asked[-1] == "catalogue_changed"
    assert world.database.catalogue is None
    reader.port.catalogue_is_young = True
    assert not reader.hits(OTHER_READ)
    assert not reader.hits(OTHER_READ)
    assert world.memory.invalidations["ddl"] == 1


def test_ddl_of_shared_objects_concerns_the_whole_origin() -> None:
    world = World()
    writer = world.client()
    writer.query(b"CREATE ROLE bob")
    assert writer.port.asked[-1] == "catalogue_changed everywhere"


def test_ddl_that_is_rolled_back_changes_no_catalogue() -> None:
    world = World()
    writer = world.client()
    writer.query(b"BEGIN", b"CREATE TABLE t (id int)", b"ROLLBACK")
    assert "catalogue_changed" not in writer.port.asked


def test_ddl_in_a_transaction_changes_the_catalogue_at_commit() -> None:
    world = World()
    writer = world.client()
    writer.query(b"BEGIN", b"CREATE TABLE t (id int)")
    assert "catalogue_changed" not in writer.port.asked
    writer.query(b"COMMIT")
    assert "catalogue_changed" in writer.port.asked


def test_functioncall_may_do_anything() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    call = b"F" + (16).to_bytes(4, "big") + b"\0\0\0\1\0\0\0\0\0\0\0\0"
    assert writer.ask(call) == "V Z:I"
    assert not reader.hits()


def test_a_pipeline_that_writes_suspends_before_its_sync() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(run(WRITE), frontend.FLUSH_FRAME)
    assert not reader.hits()
    writer.settle()
    assert not reader.hits()
    writer.say(SYNC)
    writer.settle()
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


@pytest.mark.soundness("4.3")
def test_a_read_after_a_write_in_one_pipeline_is_not_remembered() -> None:
    world = World()
    client = world.client()
    client.remember()
    assert client.ask(run(WRITE), run(READ), SYNC) == "1 2 n C:UPDATE 1 1 2 T D:1 C:SELECT 1 Z:I"
    assert client.session.memory.suspended == 0
    assert not client.hits()


def test_a_write_sent_before_an_earlier_write_is_answered_is_suspended_as_well() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.attach()
    writer.say(QUERY(b"UPDATE star SET name = 'y'"), QUERY(WRITE))
    writer.answer(1)
    assert not reader.hits()
    writer.settle()
    assert reader.query(READ) == "T D:2 C:SELECT 1 Z:I"


def test_commit_sent_before_the_write_is_answered_is_suspended() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.query(b"BEGIN", b"SAVEPOINT a")
    writer.say(QUERY(WRITE), QUERY(b"COMMIT"))
    writer.answer(1)
    assert not reader.hits()
    writer.settle()
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_write_that_waits_for_its_connection_suspends_nothing_yet() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember()
    writer.say(QUERY(WRITE))
    assert writer.waits_for(ORIGIN)
    assert reader.hits()


@pytest.mark.soundness("6.2")
def test_a_write_on_its_way_under_another_catalogue_suspends_and_drops_all() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.attach()
    writer.say(QUERY(WRITE))
    world.database.judged_anew()
    reader.query(OTHER_READ)
    assert reader.last == ("bypass", "suspended")
    writer.settle()
    reader.remember(OTHER_READ)


@pytest.mark.soundness("6.2")
def test_what_a_block_did_under_another_catalogue_is_dropped_whole_at_its_commit() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.query(b"BEGIN", WRITE)
    world.database.judged_anew()
    reader.remember(OTHER_READ)
    writer.query(b"COMMIT")
    assert not reader.hits(OTHER_READ)


@pytest.mark.soundness("5.3")
def test_where_links_lead_to_other_databases_code_of_users_reaches_them() -> None:
    world = World()
    world.learn(replace(sky.catalogue(), foreign_servers=True))
    client = world.client()
    slot = world.memory.slot(sky.DATABASE + 1, (Part(1),))
    ticket = world.memory.ticket(slot, b"", 0.0)
    client.query(b"SELECT mystery()")
    assert ticket is not None
    assert not ticket.is_valid()
