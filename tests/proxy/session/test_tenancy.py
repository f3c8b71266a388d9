"""session.tenancy: sessions take turns at one connection, and none notices the others."""

from __future__ import annotations

import pytest

from proxy.session import probe
from proxy.session.port import ORIGIN
from proxy.session.shared import SessionOptions
from proxy.session.standing import Standing
from proxy.wire import backend, frontend
from tests.doubles.origin import Refusal, ScriptedOrigin
from tests.proxy.session.world import (
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
STATUSES = {"TimeZone": "UTC", "DateStyle": "ISO, MDY"}
CALL = b"SELECT mystery()"
REMOVAL = b"DELETE FROM planet"
SHADOW = b"CREATE TEMPORARY TABLE planet (name text)"


class Turns:
    """One connection, and clients that get it when they ask and keep it until they give it back."""

    def __init__(self, max_statements: int = 200) -> None:
        self.world = World(SessionOptions(sharing=True))
        self.origin = ScriptedOrigin(self.world.data)
        self.origin.learnt = learnt()
        self.origin.standing = Standing(probe.Learnt(learnt()), STATUSES, max_statements)
        self.heard: list[str] = []

    def client(self) -> Conversation:
        client = self.world.client()
        client.session.uplink.tenancy.told = dict(STATUSES)
        client.origin = self.origin
        return client

    def ask(self, client: Conversation, *frames: bytes) -> str:
        """What the client is told; ``heard`` is what the origin was sent meanwhile."""
        client.heard()
        told = client.ask(*frames)
        self.heard = client.heard()
        return told


def another(turns: Turns) -> ScriptedOrigin:
    """A second connection to the same origin."""
    origin = ScriptedOrigin(turns.world.data)
    origin.learnt = learnt()
    origin.standing = Standing(probe.Learnt(learnt()), STATUSES, 200)
    return origin


def is_free(client: Conversation) -> bool:
    return client.session.uplink.origin is None


def test_between_transactions_the_connection_is_given_back() -> None:
    turns = Turns()
    client = turns.client()
    assert turns.ask(client, QUERY(WRITE)) == "C:UPDATE 1 Z:I"
    assert client.port.asked[-1] == "give_back_origin"
    assert turns.ask(client, QUERY(b"BEGIN"), QUERY(WRITE)) == "C:BEGIN Z:T C:UPDATE 1 Z:T"
    assert not is_free(client)
    assert turns.ask(client, QUERY(b"COMMIT")) == "C:COMMIT Z:I"
    assert is_free(client)


def test_a_session_has_its_settings_wherever_it_goes_and_no_other_has_them() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"SET application_name TO 'one'"))
    assert turns.ask(two, QUERY(WRITE)) == "C:UPDATE 1 Z:I"
    assert turns.heard[1] == "Porrery_settings:SELECT pg_catalog.set_config($1, $2, false)"
    assert turns.origin.standing is not None
    assert turns.origin.standing.settings == {}
    assert turns.ask(one, QUERY(WRITE)) == "C:UPDATE 1 Z:I"
    assert turns.origin.standing.settings == {"application_name": "one"}
    turns.ask(one, QUERY(WRITE))
    assert turns.heard == ["UPDATE planet SET name = 'x'"], "only what differs is sent"


def test_settings_and_statement_travel_in_one_flight() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"SET application_name TO 'one'"))
    before = len(turns.origin.writes)
    turns.ask(two, QUERY(WRITE))
    assert len(turns.origin.writes) == before + 1


def test_a_setting_that_is_reported_is_told_to_the_client_that_has_it_alone() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    tokyo = backend.parameter_status("TimeZone", "Asia/Tokyo")
    turns.origin.aside[b"SET timezone TO 'Asia/Tokyo'"] = tokyo
    assert turns.ask(one, QUERY(b"SET timezone TO 'Asia/Tokyo'")) == "S C:SET Z:I"
    reset = b"SELECT pg_catalog.set_config($1, $2, false)"
    turns.origin.aside[reset] = backend.parameter_status("TimeZone", "UTC")
    assert turns.ask(two, QUERY(WRITE)) == "C:UPDATE 1 Z:I"
    assert two.session.state.value("timezone") == "UTC"
    turns.origin.aside[reset] = tokyo
    assert turns.ask(one, QUERY(WRITE)) == "C:UPDATE 1 Z:I"
    assert one.session.state.value("timezone") == "Asia/Tokyo"


def test_a_set_that_was_rolled_back_is_not_carried() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"BEGIN"))
    turns.ask(one, QUERY(b"SET application_name TO 'one'"))
    turns.ask(one, QUERY(b"ROLLBACK"))
    turns.ask(two, QUERY(WRITE))
    assert turns.heard == ["UPDATE planet SET name = 'x'"]


def test_where_the_origin_refuses_the_settings_the_statement_is_not_answered() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"SET application_name TO 'one'"))
    turns.origin.faults[b"SELECT pg_catalog.set_config($1, $2, false)"] = Refusal("57014")
    two.say(QUERY(WRITE))
    two.attach()
    with pytest.raises(Exception, match="refused the settings"):
        two.answer()
    two.session.origin_lost(0.0)
    assert two.told() == "E:08006"
    assert len(two.port.doubts) == 1, "what ran may have committed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CALL, "unproven"),
        (b"CREATE TEMP TABLE t (id int)", "temporary"),
        (b"SELECT pg_advisory_lock(1)", "lock"),
        (b"LISTEN news", "listen"),
        (b"PREPARE s AS SELECT 1", "prepare"),
        (b"DECLARE c CURSOR WITH HOLD FOR SELECT name FROM planet", "cursor"),
        (b"LOAD 'x'", "unproven"),
        (b"SET ROLE bob", "role"),
        (b"SET temp_tablespaces TO 'x'", "setting"),
        (b"SET statement_timeout TO 10", "setting"),
        (b"SET seed = 1", "seed"),
    ],
)
def test_what_cannot_be_carried_keeps_the_session_where_it_is(text: bytes, reason: str) -> None:
    turns = Turns()
    turns.origin.learnt = learnt(
        temporary=reason == "temporary",
        locked=reason == "lock",
        prepared_by_sql=reason == "prepare",
        listening=reason == "listen",
        holding=reason == "cursor",
    )
    client = turns.client()
    turns.ask(client, QUERY(text))
    assert not is_free(client)
    assert client.session.pinned_for == reason
    assert turns.world.counters.pin_reasons == {reason: 1}
    turns.origin.learnt = learnt()
    turns.ask(client, QUERY(b"DISCARD ALL"))
    assert is_free(client) == (reason != "seed")
    if is_free(client) and reason in ("unproven", "temporary"):
        assert client.port.asked[-1] == "give_back_origin spoiled", "a library, or a schema, stays"


@pytest.mark.parametrize(
    ("begin", "end", "flag"),
    [
        (b"SELECT pg_advisory_lock(1)", b"SELECT pg_advisory_unlock_all()", "locked"),
        (b"LISTEN news", b"UNLISTEN news", "listening"),
        (b"PREPARE s AS SELECT 1", b"DEALLOCATE s", "prepared_by_sql"),
        (b"DECLARE c CURSOR WITH HOLD FOR SELECT name FROM planet", b"CLOSE c", "holding"),
        (b"SET temp_tablespaces TO 'x'", b"RESET temp_tablespaces", ""),
        (b"SET ROLE bob", b"RESET ROLE", ""),
    ],
)
def test_it_is_pinned_for_just_as_long_as_that_holds(begin: bytes, end: bytes, flag: str) -> None:
    turns = Turns()
    turns.origin.learnt = learnt(
        locked=flag == "locked",
        listening=flag == "listening",
        prepared_by_sql=flag == "prepared_by_sql",
        holding=flag == "holding",
    )
    client = turns.client()
    turns.ask(client, QUERY(begin))
    turns.ask(client, QUERY(WRITE))
    assert not is_free(client)
    turns.origin.learnt = learnt()
    turns.ask(client, QUERY(end))
    assert is_free(client)
    assert client.port.asked[-1] == "give_back_origin"


def test_a_statement_follows_its_client_under_a_name_that_others_can_use() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    assert turns.ask(one, run(WRITE, b"mine"), SYNC) == "1 2 n C:UPDATE 1 Z:I"
    assert turns.heard[:2] == ["C", "Porrery_1:UPDATE planet SET name = 'x'"]
    assert turns.ask(two, run(WRITE, b"other"), SYNC) == "1 2 n C:UPDATE 1 Z:I"
    assert turns.ask(one, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"
    assert not [word for word in turns.heard if "UPDATE" in word], "it is there already"
    assert turns.ask(two, rerun(b"mine"), SYNC) == "E:26000 Z:I", "names are each client's own"


def test_on_another_connection_it_is_prepared_in_the_flight_that_needs_it() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    client.origin = other = another(turns)
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"
    assert len(other.writes) == 1


def test_an_error_of_preparing_it_again_is_that_of_its_statement() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    client.origin = other = another(turns)
    other.faults[b"PARSE " + WRITE] = Refusal("42P01")
    assert turns.ask(client, rerun(b"mine"), SYNC) == "E:42P01 Z:I"
    del other.faults[b"PARSE " + WRITE]
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"


def test_the_least_used_of_too_many_statements_is_closed() -> None:
    turns = Turns(max_statements=2)
    client = turns.client()
    texts = [b"UPDATE planet SET name = '%d'" % n for n in range(4)]
    for n, text in enumerate(texts):
        turns.ask(client, run(text, b"s%d" % n), SYNC)
    for n in (0, 3):
        assert turns.ask(client, rerun(b"s%d" % n), SYNC) == "2 n C:UPDATE 1 Z:I"


def test_an_unnamed_statement_of_one_client_is_not_the_other_s() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, frontend.parse(b"", WRITE), SYNC)
    assert turns.ask(two, rerun(b""), SYNC) == "E:26000 Z:I"
    one.origin = another(turns)
    assert turns.ask(one, rerun(b""), SYNC) == "2 n C:UPDATE 1 Z:I"


def test_a_name_in_use_is_refused_by_the_origin_itself() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    assert turns.ask(client, run(READ, b"mine"), SYNC) == "E:42P05 Z:I"
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"
    assert is_free(client)


def test_closing_a_name_leaves_the_statement_to_others() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    for client in (one, two):
        turns.ask(client, run(WRITE, b"s"), SYNC)
    assert turns.ask(one, frontend.close(frontend.STATEMENT, b"s"), SYNC) == "3 Z:I"
    assert turns.ask(one, rerun(b"s"), SYNC) == "E:26000 Z:I"
    assert turns.ask(two, rerun(b"s"), SYNC) == "2 n C:UPDATE 1 Z:I"


def test_sql_finds_a_statement_by_the_client_s_own_name() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    turns.ask(client, QUERY(b"DEALLOCATE mine"))
    assert "Pmine:UPDATE planet SET name = 'x'" in turns.heard
    assert is_free(client)
    assert turns.ask(client, rerun(b"mine"), SYNC) == "E:26000 Z:I"


def test_code_that_nobody_has_read_finds_them_too() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    turns.ask(client, QUERY(CALL))
    assert "Pmine:UPDATE planet SET name = 'x'" in turns.heard
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"


def test_a_statement_of_other_settings_keeps_its_session_where_it_is() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    turns.ask(client, QUERY(b"SET bytea_output TO escape"))
    assert client.session.pinned_for == "statement"
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:UPDATE 1 Z:I"
    turns.ask(client, frontend.close(frontend.STATEMENT, b"mine"), SYNC)
    assert is_free(client)


def test_before_settings_move_the_connection_hears_of_the_client_s_statements() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(REMOVAL, b"mine"), SYNC)
    client.origin = another(turns)
    turns.ask(client, QUERY(b"BEGIN"))
    turns.ask(client, QUERY(b"SET LOCAL bytea_output TO escape"))
    assert turns.ask(client, rerun(b"mine"), SYNC) == "2 n C:DELETE 1 Z:T"
    turns.ask(client, QUERY(b"COMMIT"))
    assert is_free(client)


def test_before_a_temporary_relation_shadows_names_the_connection_hears_of_the_client_s_statements() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(READ, b"s"), SYNC)
    client.origin = another(turns)
    turns.ask(client, QUERY(SHADOW))
    assert turns.heard[:4] == ["C", f"Porrery_1:{READ.decode()}", "S", SHADOW.decode()]
    assert turns.ask(client, rerun(b"s"), SYNC).startswith("2 T ")


def test_inside_a_block_it_hears_of_none_for_an_error_would_end_the_block() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(READ, b"s"), SYNC)
    client.origin = another(turns)
    turns.ask(client, QUERY(b"BEGIN"), QUERY(WRITE))
    turns.ask(client, QUERY(SHADOW))
    assert not [word for word in turns.heard if word.startswith("Porrery_1")]


def test_sequences_count_for_the_session_that_used_them() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"INSERT INTO planet VALUES (1)"))
    assert is_free(one)
    turns.ask(two, QUERY(b"DELETE FROM planet"))
    assert "Porrery_sequences:DISCARD SEQUENCES" in turns.heard


def test_a_client_that_leaves_leaves_its_connection_to_others_unless_it_holds_something() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, QUERY(b"SET temp_tablespaces TO 'x'"))
    assert not client.session.client_gone(0.0)
    client.session.leave()
    assert not is_free(client)
    other = turns.client()
    turns.ask(other, QUERY(b"BEGIN; SAVEPOINT a"))
    other.session.client_gone(0.0)
    other.session.leave()
    assert not is_free(other)


def test_a_cancel_waits_until_the_settings_are_there() -> None:
    turns = Turns()
    one, two = turns.client(), turns.client()
    turns.ask(one, QUERY(b"SET application_name TO 'one'"))
    two.say(QUERY(WRITE))
    assert two.waits_for(ORIGIN)
    two.attach()
    assert not two.session.may_be_cancelled()
    two.answer(6)
    assert two.port.asked[-1] == "pass_on_cancel"
    assert two.session.may_be_cancelled()


def test_an_error_speaks_of_a_statement_by_the_client_s_own_name() -> None:
    turns = Turns()
    client = turns.client()
    turns.ask(client, run(WRITE, b"mine"), SYNC)
    client.say(QUERY(b"BEGIN; SAVEPOINT a"))
    client.settle()
    told = client.session.uplink.tenancy.in_the_client_s_words(
        backend.error_response("ERROR", "08P01", 'prepared statement "orrery_1" requires 2')
    )
    assert told == backend.error_response("ERROR", "08P01", 'prepared statement "mine" requires 2')
