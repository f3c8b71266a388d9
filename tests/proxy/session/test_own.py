"""session.own: our commands answer as any statement does, in every place that a statement may stand."""

from __future__ import annotations

import pytest

from proxy.errors import ClientFault
from proxy.session.own import FLOAT8, INT8, TEXT, _encode
from proxy.session.port import WORKERS
from proxy.wire import backend, frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import FLUSH, READ, SYNC, WRITE, Conversation, World, rerun, run, values

QUERY = frontend.query
LAST = b"SHOW orrery.last"
PURGE = b"ORRERY PURGE"
OFF = b"SET orrery.cache = off"
BINARY = b"\0\0\0\0\0\1\0\1"


class Denied(ClientFault):
    sqlstate = "42501"


def rows(client: Conversation, text: bytes) -> list[list[bytes | None]]:
    """The rows that this Query is answered with."""
    client.say(QUERY(text))
    client.settle()
    return [values(frame.raw) for frame in client.told_frames() if frame.kind == backend.DATA_ROW]


def test_last_tells_what_became_of_the_statement_before_it() -> None:
    world = World(expiring=True)
    client = world.client()
    assert rows(client, LAST) == [[None, None, None, None]]
    client.query(READ)
    assert rows(client, LAST)[0][:3] == [b"fill", None, None]
    world.clock.pass_(0.25)
    client.query(READ)
    outcome, reason, age, ttl = rows(client, LAST)[0]
    assert (outcome, reason, age) == (b"hit", None, b"250")
    assert ttl is not None
    assert 0 < int(ttl) <= 750
    client.query(b"SELECT 1")
    assert rows(client, LAST) == [[b"bypass", b"tableless", None, None]]


def test_last_does_not_count_as_a_statement_itself() -> None:
    client = World().client()
    client.query(READ)
    assert rows(client, LAST) == rows(client, LAST)


def test_last_tells_no_time_to_live_where_answers_do_not_expire() -> None:
    client = World().client()
    client.remember()
    assert rows(client, LAST)[0][3] is None


def test_status_and_stats_are_the_port_s() -> None:
    client = World().client()
    assert rows(client, b"SHOW orrery.status") == [[b"version", b"test"]]
    assert rows(client, b"SHOW orrery.stats") == [[b"outcomes.hit", b"3"]]


def test_queries_shows_the_asking_role_its_own_templates_only() -> None:
    world = World()
    world.client().remember()
    client = world.client()
    assert [row[:4] for row in rows(client, b"SHOW orrery.queries")] == [[b"alice", READ, b"2", b"1"]]
    client.query(b"SET ROLE bob")
    assert [row[0] for row in rows(client, b"SHOW orrery.queries")] in ([], [b"bob"])
    client.port.sees_all = True
    assert b"alice" in [row[0] for row in rows(client, b"SHOW orrery.queries")]


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        (b"SELECT name FROM planet", b"fill", None),
        (b"SELECT 1", b"bypass", b"tableless"),
        (b"UPDATE planet SET name = 1", b"write", b"write"),
        (b"SELECT name FROM planet FOR UPDATE", b"bypass", b"locking"),
    ],
)
def test_why_tells_the_outcome_that_a_statement_would_have(
    text: bytes, outcome: bytes, reason: bytes | None
) -> None:
    (row,) = rows(World().client(), b"SHOW orrery.why '" + text + b"'")
    assert row[:2] == [outcome, reason]
    assert (row[2] is None) == (reason is None)


def test_why_knows_a_hit_and_asks_the_origin_nothing() -> None:
    client = World().client()
    client.remember()
    assert rows(client, b"SHOW orrery.why 'SELECT name FROM planet'")[0][0] == b"hit"
    assert client.heard() == []


def test_commands_of_ours_need_no_origin() -> None:
    client = World().client()
    client.query(LAST, OFF, b"ORRERY PURGE")
    client.ask(run(LAST), SYNC)
    assert client.port.asked == []


def test_set_cache_off_bypasses_until_it_is_on_again() -> None:
    client = World().client()
    client.remember()
    assert client.query(OFF) == "C:SET Z:I"
    assert not client.hits()
    assert client.last == ("bypass", "off")
    client.query(b"SET orrery.cache = on")
    assert client.hits()


def test_reset_cache_and_discard_all_switch_it_on_again() -> None:
    client = World().client()
    client.remember()
    assert client.query(OFF, b"RESET orrery.cache") == "C:SET Z:I C:RESET Z:I"
    assert client.hits()
    client.query(OFF, b"DISCARD ALL")
    assert client.hits()


def test_set_cache_is_undone_by_rollback() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", OFF)
    assert not client.hits()
    client.query(b"ROLLBACK")
    assert client.hits()


def test_set_local_cache_ends_with_the_transaction() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", b"SET LOCAL orrery.cache = off")
    assert not client.hits()
    client.query(b"COMMIT")
    assert client.hits()


def test_set_local_cache_outside_a_transaction_does_nothing() -> None:
    client = World().client()
    client.remember()
    client.query(b"SET LOCAL orrery.cache = off")
    assert client.hits()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"SHOW orrery.nothing", "42704"),
        (b"SET orrery.cache = maybe", "22023"),
        (b"ORRERY DANCE", "42601"),
    ],
)
def test_what_makes_no_sense_is_refused(text: bytes, code: str) -> None:
    client = World().client()
    assert client.query(text) == f"E:{code} Z:I"
    assert client.ask(run(text), SYNC) == f"1 2 n E:{code} Z:I"


def test_a_refused_command_fails_the_transaction_it_stands_in() -> None:
    client = World().client()
    client.query(b"BEGIN")
    assert client.query(b"SHOW orrery.nothing") == "E:42704 Z:E"
    assert client.query(b"SELECT 1") == "E:25P02 Z:E"
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"


@pytest.mark.parametrize("text", [LAST, OFF, b"ORRERY PURGE"])
def test_in_a_failed_transaction_our_commands_are_refused_as_any(text: bytes) -> None:
    client = World().client()
    client.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    client.query(b"BEGIN", b"SELECT 1/0")
    assert client.query(text) == "E:25P02 Z:E"
    assert client.ask(run(text), SYNC) == "E:25P02 Z:E"
    assert client.query(b"ROLLBACK") == "C:ROLLBACK Z:I"
    assert client.port.purged == []


def test_a_command_in_an_open_transaction_leaves_it_open() -> None:
    client = World().client()
    client.query(b"BEGIN")
    assert client.query(b"SHOW orrery.stats") == "T D:outcomes.hit,3 C:SHOW Z:T"


def test_purge_is_the_port_s_to_allow() -> None:
    client = World().client()
    assert client.query(b"ORRERY PURGE") == "C:ORRERY PURGE Z:I"
    client.query(b'ORRERY PURGE TABLE public."Planet"')
    assert client.port.purged == [None, ("public", "Planet")]
    client.port.purge_fault = ClientFault("must be owner")
    assert client.query(b"ORRERY PURGE") == "E:08P01 Z:I"


def test_the_extended_protocol_describes_and_runs_them() -> None:
    client = World().client()
    assert client.ask(run(b"SHOW orrery.stats"), SYNC).startswith("1 2 T D:")
    described = frontend.parse(b"s", LAST) + frontend.describe(frontend.STATEMENT, b"s")
    assert client.ask(described, SYNC) == "1 t T Z:I"
    assert client.ask(rerun(b"s"), SYNC).startswith("2 T D:")
    assert client.ask(frontend.close(frontend.STATEMENT, b"s"), SYNC) == "3 Z:I"
    assert client.ask(run(OFF), SYNC) == "1 2 n C:SET Z:I"


def test_numbers_travel_in_binary_where_that_is_asked_for() -> None:
    client = World().client()
    client.say(run(b"SHOW orrery.stats", tail=BINARY), SYNC)
    frames = client.told_frames()
    (description,) = [f.raw for f in frames if f.kind == backend.ROW_DESCRIPTION]
    assert [(c.name, c.type_oid, c.format) for c in backend.read_row_description(description)] == [
        ("name", TEXT, 1), ("value", INT8, 1)
    ]  # fmt: skip
    (row,) = [values(f.raw) for f in frames if f.kind == backend.DATA_ROW]
    assert row == [b"outcomes.hit", (3).to_bytes(8, "big")]


def test_ratios_travel_as_float8() -> None:
    client = World().client()
    client.remember()
    client.say(run(b"SHOW orrery.queries", tail=BINARY), SYNC)
    frames = client.told_frames()
    (description,) = [f.raw for f in frames if f.kind == backend.ROW_DESCRIPTION]
    types = {c.name: c.type_oid for c in backend.read_row_description(description)}
    assert types["hit_ratio"] == FLOAT8
    row = next(values(f.raw) for f in frames if f.kind == backend.DATA_ROW)
    assert row[4] == b"\x3f\xe0\0\0\0\0\0\0"  # 0.5


def test_in_a_pipeline_they_are_answered_in_their_place() -> None:
    client = World().client()
    client.attach()
    assert client.ask(run(WRITE), run(OFF), run(WRITE), SYNC) == (
        "1 2 n C:UPDATE 1 1 2 n C:SET 1 2 n C:UPDATE 1 Z:I"
    )
    assert client.heard() == ["P:" + WRITE.decode(), "B", "D", "E", "P:" + WRITE.decode(), "B", "D", "E", "S"]
    assert client.session.state.refusal() == "off"


def test_at_either_end_of_a_pipeline_they_are_answered_in_their_place() -> None:
    client = World().client()
    client.attach()
    assert client.ask(run(OFF), run(WRITE), run(b"RESET orrery.cache"), SYNC) == (
        "1 2 n C:SET 1 2 n C:UPDATE 1 1 2 n C:RESET Z:I"
    )


def test_after_an_error_in_a_pipeline_they_are_skipped() -> None:
    client = World().client()
    client.attach()
    client.origin.faults[WRITE] = Refusal("23505")
    assert client.ask(run(WRITE), run(OFF), SYNC) == "1 2 n E:23505 Z:I"
    assert client.session.state.refusal() == ""


def test_behind_a_statement_on_its_way_they_wait_for_its_answer() -> None:
    client = World().client()
    client.attach()
    client.say(QUERY(READ), QUERY(b"SHOW orrery.stats"))
    assert client.told() == ""
    client.settle()
    assert client.told().startswith("T D:0 C:SELECT 1 Z:I T D:outcomes.hit")


def test_an_error_of_ours_skips_what_follows_it_up_to_sync() -> None:
    client = World().client()
    assert client.ask(run(b"SHOW orrery.nothing"), run(OFF), SYNC) == "1 2 n E:42704 Z:I"
    assert client.session.state.refusal() == ""
    assert client.query(LAST).endswith("Z:I")


def test_an_error_of_ours_undoes_and_skips_as_any_error_in_a_pipeline_does() -> None:
    world = World()
    client = world.client()
    client.attach()
    wrong = run(b"SHOW orrery.nothing")
    assert client.ask(run(WRITE), wrong, run(WRITE), SYNC) == "1 2 n C:UPDATE 1 1 2 n E:42704 Z:I"
    assert client.ask(wrong, run(WRITE), run(OFF), SYNC) == "1 2 n E:42704 Z:I"
    assert world.data.number == 0
    assert client.session.state.refusal() == ""
    client.query(b"BEGIN")
    assert client.ask(run(READ), wrong, SYNC) == "1 2 T D:0 C:SELECT 1 1 2 n E:42704 Z:E"


def test_a_purge_in_a_pipeline_is_made_in_its_place() -> None:
    client = World().client()
    client.attach()
    client.say(run(WRITE), run(PURGE), run(WRITE), SYNC)
    assert client.port.purged == []
    client.settle()
    assert client.told() == "1 2 n C:UPDATE 1 1 2 n C:ORRERY PURGE 1 2 n C:UPDATE 1 Z:I"
    assert client.port.purged == [None]


@pytest.mark.parametrize("flush", [b"", FLUSH], ids=["at once", "after a flush"])
def test_a_purge_that_is_refused_undoes_and_skips_as_any_error_in_a_pipeline_does(flush: bytes) -> None:
    world = World()
    client = world.client()
    client.attach()
    client.port.purge_fault = Denied("must be owner")
    assert client.ask(run(WRITE), flush, run(PURGE), run(WRITE), run(OFF), SYNC) == (
        "1 2 n C:UPDATE 1 1 2 n E:42501 Z:I"
    )
    assert world.data.number == 0
    assert client.session.state.refusal() == ""
    client.query(b"BEGIN")
    assert client.ask(run(READ), flush, run(PURGE), run(READ), SYNC) == (
        "1 2 T D:0 C:SELECT 1 1 2 n E:42501 Z:E"
    )


def test_a_purge_that_was_allowed_is_made_whatever_happens_before_its_turn() -> None:
    client = World().client()
    client.attach()
    client.say(run(WRITE), run(PURGE), SYNC)
    client.port.purge_fault = Denied("must be owner")
    client.settle()
    assert client.told().endswith("C:ORRERY PURGE Z:I")


def test_flush_after_a_command_of_ours_has_it_answered() -> None:
    client = World().client()
    client.attach()
    assert client.ask(run(OFF), FLUSH) == "1 2 n C:SET"
    assert client.ask(SYNC) == "Z:I"


@pytest.mark.parametrize("topic", [b"status", b"stats", b"queries"])
def test_figures_wait_for_the_other_workers(topic: bytes) -> None:
    client = World().client()
    client.port.has_workers = True
    client.say(QUERY(b"SHOW orrery." + topic), QUERY(LAST))
    assert client.waits_for(WORKERS)
    assert client.told() == ""
    client.session.resume(client.world.clock.now)
    assert client.told().count("C:SHOW") == 2
    assert client.port.asked.count("ask_workers with queries" if topic == b"queries" else "ask_workers") == 1


def test_what_concerns_this_session_alone_waits_for_nobody() -> None:
    client = World().client()
    client.port.has_workers = True
    assert "C:SHOW" in client.ask(QUERY(LAST))
    assert "C:SHOW" in client.ask(QUERY(b"SHOW orrery.why 'SELECT 1'"))


def test_a_purge_is_carried_out_when_the_other_workers_have_heard_of_it() -> None:
    client = World().client()
    client.port.has_workers = True
    client.say(run(b"ORRERY PURGE TABLE planet"), SYNC)
    assert (client.port.purged_elsewhere, client.port.purged) == ([("planet",)], [])
    client.session.resume(client.world.clock.now)
    assert client.port.purged == [("planet",)]


def test_a_name_that_is_no_utf_8_is_told_as_the_origin_has_it() -> None:
    assert _encode("\udcff", TEXT, 0) == b"\xff"
