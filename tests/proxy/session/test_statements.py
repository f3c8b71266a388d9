"""session.statements: names, and which of them the origin has heard of."""

from __future__ import annotations

import pytest

from proxy.session.statements import UNKNOWN_SCOPE, Prepared, Statements
from proxy.sql.analysis import Named, Statement
from proxy.sql.commands import Show
from proxy.wire import frontend


def prepared(name: bytes, text: bytes = b"SELECT 1", types: bytes = b"") -> Prepared:
    return Prepared(name, text, types, 0, None, None)


def test_a_statement_can_be_parsed_late_as_the_client_parsed_it() -> None:
    made = prepared(b"s", b"SELECT $1", b"\0\0\0\x17")
    assert frontend.read_parse(made.parse_frame()) == (b"s", b"SELECT $1", b"\0\0\0\x17")


def test_what_the_origin_has_not_heard_of_is_listed() -> None:
    statements = Statements()
    here, there = prepared(b"here"), prepared(b"there")
    there.at_origin = True
    ours = Prepared(b"ours", b"SHOW orrery.last", b"", 0, None, Show("last"))
    statements.named = {s.name: s for s in (here, there, ours)}
    assert statements.local() == [here]


def test_dropping_all_names_forgets_sql_level_ones_too() -> None:
    statements = Statements()
    statements.named[b"s"] = prepared(b"s")
    statements.sql_named["p"] = Statement("select")
    statements.drop_all()
    assert (statements.named, statements.sql_named) == ({}, {})


def test_a_transaction_ends_all_cursors_but_those_with_hold() -> None:
    statements = Statements()
    statements.cursors = {"c": Named("declare", "c"), "h": Named("declare", "h", hold=True)}
    statements.portals[b"p"] = None
    statements.end_transaction()
    assert list(statements.cursors) == ["h"]
    assert not statements.portals


def test_a_new_origin_has_heard_of_nothing() -> None:
    statements = Statements()
    made = statements.named[b"s"] = prepared(b"s")
    made.at_origin = True
    statements.sql_named["p"] = Statement("select")
    statements.cursors["c"] = Named("declare", "c")
    statements.portals[b""] = made
    statements.forget_origin()
    assert statements.local() == [made]
    assert (statements.sql_named, statements.cursors, statements.portals) == ({}, {}, {})


def test_a_parse_that_did_not_succeed_leaves_the_name_as_it_was() -> None:
    statements = Statements()
    before, failed, fresh = prepared(b"s"), prepared(b"s", b"SELECT 2"), prepared(b"t")
    statements.named = {b"s": failed, b"t": fresh}
    statements.restore([(failed, before), (fresh, None)])
    assert statements.named == {b"s": before}


@pytest.mark.soundness("3.5")
@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (b"SELECT a FROM t WHERE b = $1", True),
        (b"SELECT a FROM t WHERE b = '2020-01-01'", False),
        (b"SELECT a FROM t WHERE b = $$2020-01-01$$", False),
        (b"SELECT a FROM t WHERE b = NULL", False),
    ],
)
def test_only_a_text_with_literals_can_change_its_meaning_by_other_settings(text: bytes, stays: bool) -> None:
    statement = prepared(b"s", text)
    statement.literals = ("UTC",)
    statement.used(("UTC",))
    assert statement.scope == 0
    statement.used(("Asia/Tokyo",))
    assert (statement.scope == 0) is stays


@pytest.mark.soundness("3.5")
def test_a_use_under_settings_that_are_not_certain_counts_as_one_under_others() -> None:
    statement = prepared(b"s", b"SELECT a FROM t WHERE b = '2020-01-01'")
    statement.used(None)
    assert statement.scope == UNKNOWN_SCOPE


def test_names_that_prepare_may_have_taken_are_known_no_more() -> None:
    statements = Statements()
    for name, at_origin in ((b"", True), (b"asked", True), (b"unasked", False)):
        statements.named[name] = prepared(name)
        statements.named[name].at_origin = at_origin
    statements.distrust_names()
    assert set(statements.named) == {b"", b"unasked"}
