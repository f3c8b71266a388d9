"""session.session: who answers, what waits for what, and that nothing overtakes anything."""

from __future__ import annotations

import math

import pytest

from proxy.errors import ClientFault, OriginUnreachable
from proxy.session.port import CATALOGUE, ORIGIN, ROOM
from proxy.session.shared import SessionOptions
from proxy.wire import frontend
from tests.proxy.session import sky
from tests.proxy.session.world import (
    BINARY_RESULT,
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    TEXT_RESULT,
    WRITE,
    World,
    rerun,
    run,
)

QUERY = frontend.query
ANSWER = "T D:0 C:SELECT 1 Z:I"


# Hits


def test_the_second_identical_read_is_a_hit_and_needs_no_origin() -> None:
    world = World()
    world.client().query(READ)
    other = world.client()
    assert other.query(READ) == ANSWER
    assert other.last == ("hit", "")
    assert other.port.asked == []


def test_bytes_from_memory_are_the_bytes_of_the_origin() -> None:
    world = World()
    filler, reader = world.client(), world.client()
    filler.say(run(READ), SYNC)
    filler.attach()
    filler.settle()
    reader.say(run(READ), SYNC)
    assert b"".join(reader.port.writes) == b"".join(filler.port.writes)


@pytest.mark.parametrize("tail", [TEXT_RESULT, BINARY_RESULT])
def test_an_extended_read_is_a_hit_in_text_and_in_binary(tail: bytes) -> None:
    client = World().client()
    client.ask(run(READ, tail=tail), SYNC)
    client.heard()
    assert client.ask(run(READ, tail=tail), SYNC) == "1 2 T D:0 C:SELECT 1 Z:I"
    assert client.heard() == []


@pytest.mark.soundness("3.1")
@pytest.mark.parametrize(
    "other",
    [
        run(READ, tail=BINARY_RESULT),
        run(READ, tail=b"\0\0\0\1\0\0\0\1x\0\0"),
        frontend.parse(b"", READ) + frontend.bind(b"", b"") + frontend.execute(b""),
        frontend.parse(b"", READ, b"\0\0\0\x17") + rerun(b""),
        frontend.parse(b"", b"SELECT name FROM  planet") + rerun(b""),
        QUERY(READ),
    ],
    ids=["formats", "parameters", "no Describe", "types", "text", "simple"],
)
def test_what_shapes_the_answer_is_part_of_the_key(other: bytes) -> None:
    client = World().client()
    client.ask(run(READ), SYNC)
    client.heard()
    client.ask(other, b"" if other[0] == frontend.QUERY else SYNC)
    assert client.heard() != []


def test_a_prepared_statement_is_a_hit_when_it_runs_again() -> None:
    client = World().client()
    client.ask(run(READ, b"s"), SYNC)
    client.heard()
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:0 C:SELECT 1 Z:I"
    assert client.heard() == []


def test_a_pipeline_of_hits_is_answered_in_one_write() -> None:
    client = World().client()
    client.remember()
    client.remember(OTHER_READ)
    before = len(client.port.writes)
    assert client.ask(QUERY(READ), QUERY(OTHER_READ), QUERY(READ)) == " ".join([ANSWER] * 3)
    assert len(client.port.writes) == before + 1


def test_several_syncs_in_one_packet_are_answered_each() -> None:
    client = World().client()
    client.ask(run(READ), SYNC)
    assert client.ask(run(READ), SYNC, run(OTHER_READ), SYNC, SYNC, run(READ), SYNC) == (
        "1 2 T D:0 C:SELECT 1 Z:I 1 2 T D:0 C:SELECT 1 Z:I Z:I 1 2 T D:0 C:SELECT 1 Z:I"
    )


@pytest.mark.soundness("2.8")
def test_a_hit_behind_a_miss_waits_for_it() -> None:
    client = World().client()
    client.remember()
    client.say(QUERY(OTHER_READ), QUERY(READ))
    assert client.told() == ""
    client.answer(1)
    assert client.told() == ANSWER
    client.settle()
    assert client.told() == ANSWER


def test_messages_may_come_in_any_pieces() -> None:
    client = World().client()
    client.remember()
    for byte in run(READ) + SYNC + QUERY(READ):
        client.say(bytes((byte,)))
    client.settle()
    assert client.told() == f"1 2 {ANSWER} {ANSWER}"


def test_terminate_closes_the_client() -> None:
    client = World().client()
    client.say(frontend.TERMINATE_FRAME)
    assert client.port.asked == ["close_client"]


def test_nothing_behind_terminate_is_carried_out() -> None:
    client = World().client()
    client.remember()
    client.port.asked.clear()
    client.say(frontend.TERMINATE_FRAME, frontend.query(WRITE), frontend.query(READ))
    assert (client.port.asked, client.heard(), client.told()) == (["close_client"], [], "")


def test_a_message_of_unknown_kind_is_the_clients_fault() -> None:
    client = World().client()
    with pytest.raises(ClientFault):
        client.say(b"?\0\0\0\4")


def test_what_a_client_says_that_does_not_read_is_left_until_it_does() -> None:
    client = World().client()
    client.remember()
    client.session.client_is_full = True
    client.say(QUERY(READ) * 3)
    assert client.told() == ANSWER
    assert client.waits_for(ROOM)
    client.session.client_is_full = False
    client.session.resume(0.0)
    assert client.told() == f"{ANSWER} {ANSWER}"


def test_so_many_batches_are_on_their_way_and_no_more() -> None:
    client = World().client()
    client.attach()
    client.say(QUERY(WRITE) * 1000)
    assert client.waits_for(ROOM)
    assert len(client.session.uplink.exchanges) == 256
    client.settle()
    assert client.told() == " ".join(["C:UPDATE 1 Z:I"] * 1000)


def test_a_sync_with_a_body_is_the_clients_fault() -> None:
    with pytest.raises(ClientFault):
        World().client().say(b"S\0\0\0\5x")


def test_what_came_before_a_fault_is_answered() -> None:
    client = World().client()
    client.remember()
    with pytest.raises(ClientFault):
        client.say(QUERY(READ), b"?\0\0\0\4")
    assert client.told() == ""  # the framing is lost: nothing in this packet can be trusted
    with pytest.raises(ClientFault):
        client.say(QUERY(READ), b"S\0\0\0\5x")
    assert client.told() == ANSWER


def test_a_fault_of_the_client_behind_what_waits_is_told_to_the_client() -> None:
    client = World().client()
    client.say(QUERY(READ), b"S\0\0\0\5x", QUERY(OTHER_READ))
    assert client.told() == ""
    client.settle()
    assert client.told() == f"E:08P01 {ANSWER}"
    assert client.port.asked[-1] == "close_client"


def test_nothing_is_a_hit_when_the_memory_is_off() -> None:
    world = World(SessionOptions(cache=False))
    client = world.client()
    client.query(READ)
    assert not client.hits()
    assert client.last == ("bypass", "off")


@pytest.mark.soundness("7.2")
def test_nothing_is_a_hit_after_the_lease() -> None:
    world = World()
    client = world.client()
    client.remember()
    world.memory.lease_until = -math.inf
    assert not client.hits()


def test_an_answer_expires_where_answers_do() -> None:
    world = World(expiring=True)
    client = world.client()
    client.remember()
    world.clock.pass_(61.0)
    assert not client.hits()


@pytest.mark.soundness("3.1", "7.1")
def test_an_answer_of_another_role_is_never_given() -> None:
    world = World()
    world.client().query(READ)
    client = world.client()
    client.query(b"SET ROLE bob")
    assert not client.hits()


@pytest.mark.soundness("3.1")
def test_an_answer_under_another_search_path_is_never_given() -> None:
    world = World()
    world.client().query(READ)
    assert not world.client(search_path="other").hits()


# Flush


def test_flush_after_parse_and_describe_then_fills_and_hits() -> None:
    client = World().client()
    described = frontend.parse(b"s", READ) + frontend.describe(frontend.STATEMENT, b"s") + FLUSH
    bound = frontend.bind(b"", b"s") + frontend.execute(b"") + SYNC
    assert client.ask(described) == "1 t T"
    assert client.ask(bound) == "2 D:0 C:SELECT 1 Z:I"
    assert client.last == ("fill", "")
    client.ask(frontend.close(frontend.STATEMENT, b"s"), SYNC)
    assert client.ask(described) == "1 t T"
    client.heard()
    assert client.ask(bound) == "2 D:0 C:SELECT 1 Z:I"
    assert client.last == ("hit", "")
    assert client.heard() == ["S"]


@pytest.mark.parametrize("place", range(1, 5))
def test_a_flush_anywhere_in_a_batch_changes_no_answer(place: int) -> None:
    client = World().client()
    client.remember()
    parts = [
        frontend.parse(b"", READ),
        frontend.bind(b"", b""),
        frontend.describe(frontend.PORTAL, b""),
        frontend.execute(b""),
    ]
    first = client.ask(*parts[:place], FLUSH)
    assert first == " ".join(["1", "2", "T"][:place]) + (" D:0 C:SELECT 1" if place == 4 else "")
    assert f"{first} {client.ask(*parts[place:], SYNC)}" == f"1 2 {ANSWER}"
    assert client.query(READ) == ANSWER


def test_a_batch_larger_than_what_is_held_is_sent_on() -> None:
    world = World(SessionOptions(hold_bytes=200))
    client = world.client()
    client.attach()
    client.say(*[run(READ)] * 10)
    assert len(client.heard()) > 20
    assert client.ask(SYNC).count("D:0") == 10


# The catalogue


def test_a_read_waits_once_for_a_catalogue_that_is_not_there() -> None:
    world = World()
    world.learn(None)
    client = world.client()
    client.say(QUERY(READ))
    assert client.waits_for(CATALOGUE)
    world.learn(sky.catalogue())
    client.session.resume(world.clock.now)
    client.settle()
    assert client.told() == ANSWER
    assert client.last == ("fill", "")
    assert client.port.asked.count("need_catalogue") == 1


def test_a_read_whose_catalogue_does_not_come_goes_to_the_origin() -> None:
    world = World()
    world.learn(None)
    client = world.client()
    client.say(QUERY(READ))
    client.session.resume(world.clock.now)
    client.settle()
    assert client.told() == ANSWER
    assert client.port.asked.count("need_catalogue") == 1


def test_an_unknown_relation_makes_the_catalogue_be_read_again() -> None:
    world = World()
    client = world.client()
    client.say(QUERY(b"SELECT name FROM comet"))
    assert client.waits_for(CATALOGUE)
    world.learn(sky.catalogue(sky.table(16500, "comet", ("name", 25)), fingerprint="second"))
    client.session.resume(world.clock.now)
    client.settle()
    assert client.last == ("fill", "")
    assert client.hits(b"SELECT name FROM comet")


def test_a_read_does_not_wait_for_a_catalogue_that_was_read_a_moment_ago() -> None:
    client = World().client()
    client.port.catalogue_is_young = True
    client.say(QUERY(b"SELECT name FROM comet"))
    assert client.waits_for(ORIGIN)
    client.settle()
    assert client.last == ("write", "")


def test_an_entry_outlives_a_catalogue_only_by_a_new_analysis() -> None:
    world = World()
    client = world.client()
    client.remember()
    world.learn(sky.catalogue(fingerprint="second"))
    client.query(b"SELECT 1")
    shapes = [s for s in client.session.outlook.here.values() if s.key == READ]
    assert shapes[0].catalogue is not world.database.catalogue
    client.session.would_be(READ)
    assert shapes[0].catalogue is world.database.catalogue


# The origin


def test_without_an_origin_the_batch_waits_and_the_rest_queues_behind_it() -> None:
    client = World().client()
    client.say(QUERY(READ), QUERY(OTHER_READ))
    assert client.waits_for(ORIGIN)
    assert client.port.asked == ["need_origin"]
    client.settle()
    assert client.told() == f"{ANSWER} {ANSWER}"


def test_an_origin_that_cannot_be_had_is_an_error_and_the_session_goes_on() -> None:
    client = World().client()
    client.say(QUERY(READ))
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006 Z:I"
    assert client.last == ("error", "")
    assert client.query(READ) == ANSWER


def test_an_origin_that_cannot_be_had_fails_each_statement_that_waits() -> None:
    client = World().client()
    client.say(QUERY(READ), QUERY(OTHER_READ))
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006 Z:I"
    assert client.waits_for(ORIGIN)


def test_only_statements_of_the_client_may_be_cancelled() -> None:
    client = World().client()
    client.attach()
    client.say(QUERY(b"SELECT mystery()"))
    before = client.session.runs_at_origin
    client.answer(1)
    assert client.origin.has_work
    assert (before, client.session.runs_at_origin) == (True, False)


def test_a_session_is_idle_between_transactions_only() -> None:
    client = World().client()
    idle = [client.session.is_idle]
    client.say(QUERY(b"BEGIN"))
    idle.append(client.session.is_idle)
    client.settle()
    idle.append(client.session.is_idle)
    client.query(b"COMMIT")
    idle.append(client.session.is_idle)
    assert idle == [True, False, False, True]


def test_the_time_of_hits_is_shared_among_their_templates() -> None:
    world = World()
    client = world.client()
    client.remember()
    before = client.session.templates.seen_by(None)[0].mean_hit_ms
    client.session.receive(QUERY(READ) * 2, world.clock.now)
    client.session.timed(0.004)
    (template,) = client.session.templates.seen_by(None)
    assert template.hits == 3
    assert template.mean_hit_ms == pytest.approx((before + 4) / 3)
    assert client.session.hits == []


def test_the_hit_of_a_chosen_count_is_handed_over_to_be_audited() -> None:
    world = World()
    client = world.client()
    client.remember()
    assert client.port.audited == []
    world.shared.audit_at = world.counters.hit + 2
    client.query(READ)
    assert client.port.audited == []
    client.ask(run(READ), SYNC)
    client.query(READ)
    ((shape, entry),) = client.port.audited
    assert shape.slot is entry.slot
    assert entry.payload.endswith(b"SELECT 1\0")
