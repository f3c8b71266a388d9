"""session.outlook: scope and shapes of one session, and why a batch may not be remembered, in one word."""

from __future__ import annotations

import pytest

from proxy.session.batch import Batch, Read
from proxy.session.outlook import Outlook
from proxy.session.shared import SessionOptions
from proxy.session.state import State
from proxy.session.statements import UNKNOWN_SCOPE, Prepared
from proxy.session.transaction import Transaction
from proxy.sql.analysis import SetSetting
from tests.proxy.session import sky
from tests.proxy.session.world import OTHER_READ, READ, TEXT_RESULT, WRITE, World, a_state


class Desk:
    """An outlook with all that it looks at."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.state: State = a_state()
        self.transaction = Transaction()
        self.outlook = Outlook(self.world.shared, self.world.database, self.state, self.transaction)

    def simple(self, text: bytes) -> Batch:
        batch = Batch()
        batch.simple = self.outlook.shape_of(text)
        batch.add(ord("Q"), text)
        return batch

    def extended(self, text: bytes, scope: int | None = None, tail: bytes = TEXT_RESULT) -> Batch:
        batch = Batch()
        shape = self.outlook.shape_of(text + b"\0")
        self.outlook.understand(shape)
        prepared = Prepared(b"", text, b"", self.outlook.scope if scope is None else scope, shape, None)
        prepared.form = shape.form
        read = Read(prepared, b"", tail, parsed=True)
        read.executed = True
        batch.reads.append(read)
        batch.add(ord("B"), b"")
        return batch

    def reason(self, batch: Batch) -> str:
        return self.outlook.examine(batch, self.outlook.refusal())[0]


def test_equal_state_is_one_scope_and_one_table_of_shapes() -> None:
    world = World()
    here, there = Desk(world), Desk(world)
    assert here.outlook.scope == there.outlook.scope
    assert here.outlook.shape_of(READ) is there.outlook.shape_of(READ)


def test_a_setting_moves_the_scope_at_the_next_refresh() -> None:
    desk = Desk()
    before = desk.outlook.scope
    desk.state.apply(SetSetting("search_path", "other"), in_transaction=False)
    desk.outlook.refresh()
    assert desk.outlook.scope == before
    desk.outlook.state_moved()
    desk.outlook.refresh()
    assert desk.outlook.scope != before
    assert desk.outlook.here is desk.world.shared.shapes.of(desk.outlook.scope)


def test_a_read_that_may_be_remembered_has_no_reason_against_it() -> None:
    desk = Desk()
    assert desk.outlook.examine(desk.simple(READ), "")[0] == ""
    refusal, reads = desk.outlook.examine(desk.extended(READ), "")
    assert (refusal, [key for _, key in reads]) == ("", [b"-" + TEXT_RESULT])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (WRITE, "write"),
        (b"SELECT 1", "tableless"),
        (READ + b";" + OTHER_READ, "several"),
        (b"", "empty"),
        (b"SELEKT", "unparsable"),
    ],
)
def test_a_text_has_its_own_reason(text: bytes, reason: str) -> None:
    desk = Desk()
    assert desk.reason(desk.simple(text)) == reason


def test_the_reason_of_the_text_comes_before_that_of_the_session() -> None:
    desk = Desk()
    desk.state.doubt = True
    assert desk.reason(desk.simple(WRITE)) == "write"
    assert desk.reason(desk.simple(READ)) == "doubt"


def test_a_session_may_have_reasons_against_everything() -> None:
    desk = Desk()
    assert desk.outlook.refusal() == ""
    desk.transaction.begin("serializable")
    assert desk.outlook.refusal() == "isolation"
    desk.transaction.end()
    desk.world.learn(None)
    assert desk.outlook.refusal() == "catalogue"
    assert Desk(World(SessionOptions(cache=False))).outlook.refusal() == "off"


@pytest.mark.soundness("2.8")
def test_a_query_behind_other_messages_is_part_of_a_pipeline() -> None:
    desk = Desk()
    batch = desk.simple(READ)
    batch.add(ord("Q"), READ)
    assert desk.reason(batch) == "pipeline"


@pytest.mark.soundness("3.5")
def test_a_statement_of_other_settings_is_not_answered() -> None:
    desk = Desk()
    for scope in (desk.outlook.scope + 1, UNKNOWN_SCOPE):
        assert desk.reason(desk.extended(READ, scope)) == "settings"


@pytest.mark.soundness("3.6")
def test_a_statement_prepared_when_its_relations_had_other_columns_is_not_answered() -> None:
    desk = Desk()
    batch = desk.extended(READ)
    altered = sky.table(sky.PLANET, "planet", ("id", 23), ("name", 25), ("mass", 23))
    desk.world.learn(sky.catalogue(altered, fingerprint="second"))
    assert desk.reason(batch) == "form"


def test_a_run_of_an_unknown_statement_is_unknown() -> None:
    desk = Desk()
    batch = Batch()
    batch.reads.append(Read(None, b"", b"", parsed=False))
    assert desk.reason(batch) == "unknown"
    assert desk.reason(Batch()) == "unknown"


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    ("value", "reason"), [(b"1846-09-23", ""), (b"today", "date"), (b" Tomorrow ", "date"), (None, "")]
)
def test_a_parameter_that_moves_with_the_clock_is_a_reason(value: bytes | None, reason: str) -> None:
    desk = Desk()
    length = -1 if value is None else len(value)
    tail = b"\0\0\0\1" + length.to_bytes(4, "big", signed=True) + (value or b"") + b"\0\0"
    batch = desk.extended(b"SELECT name FROM planet WHERE discovered = $1", tail=tail)
    assert desk.reason(batch) == reason


@pytest.mark.soundness("2.5")
def test_a_bind_that_nobody_can_read_may_hold_a_moving_date() -> None:
    desk = Desk()
    batch = desk.extended(b"SELECT name FROM planet WHERE discovered = $1", tail=b"\0")
    assert desk.reason(batch) == "date"


def test_only_a_read_that_a_catalogue_might_admit_waits_for_one() -> None:
    desk = Desk()
    comet, write = desk.simple(b"SELECT name FROM comet"), desk.simple(b"UPDATE comet SET name = 'x'")
    for batch in (comet, write):
        desk.reason(batch)
    assert desk.outlook.lacks_catalogue(comet, "")
    assert not desk.outlook.lacks_catalogue(write, "")
    assert not desk.outlook.lacks_catalogue(comet, "isolation")
    comet.waited_catalogue = True
    assert not desk.outlook.lacks_catalogue(comet, "")


def test_a_prepared_statement_does_what_its_text_means_now() -> None:
    desk = Desk()
    batch = desk.extended(WRITE)
    prepared = batch.reads[0].statement
    (before,) = desk.outlook.statements_now(prepared)
    assert before.reach.tables
    desk.state.apply(SetSetting("search_path", "other"), in_transaction=False)
    desk.outlook.state_moved()
    desk.outlook.refresh()
    (after,) = desk.outlook.statements_now(prepared)
    assert not after.reach.proven


def test_a_name_that_nobody_knows_may_do_anything() -> None:
    (statement,) = Desk().outlook.statements_now(None)
    assert not statement.reach.proven
