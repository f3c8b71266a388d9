"""session.effects: what a batch puts at risk, what it may have changed, what it leaves behind."""

from __future__ import annotations

import pytest

from proxy.session import effects
from proxy.session.batch import Batch
from proxy.session.exchange import Exchange
from proxy.session.statements import Prepared, Statements
from proxy.session.transaction import FAILED, IDLE, OPEN, Transaction
from proxy.sql import analysis
from proxy.sql.analysis import UNKNOWN, UNREAD, Control, Doubt, Extent, Named, Reach, SetSetting, Statement
from tests.proxy.session.world import a_state

TABLE = Reach(Extent.TABLES, frozenset((1,)))
OTHER = Reach(Extent.TABLES, frozenset((2,)))
READS = Statement("select")
WRITES = Statement("update", reach=TABLE)
ANYTHING = Statement("select", reach=UNKNOWN, state=(Doubt(),))
CALLS = Statement("call", reach=TABLE, commits_itself=True)


def control(command: Control, **more: str) -> Statement:
    return Statement(command.name.lower(), transaction=analysis.Transaction(command, **more))  # type: ignore[arg-type]  # texts only


BEGIN, COMMIT, ROLLBACK = map(control, (Control.BEGIN, Control.COMMIT, Control.ROLLBACK))


def transaction(status: int = IDLE, pending: Reach = analysis.NOTHING) -> Transaction:
    made = Transaction()
    if status != IDLE:
        made.begin("read committed")
    made.status, made.pending = status, pending
    return made


def landed(
    *ran: Statement, tag: bytes = b"", fault: str = "", first: bool = False, unparsed: bool = False
) -> Exchange:
    exchange = Exchange(Batch(), ran, 0.0)
    exchange.tag = tag
    exchange.failed = bool(fault)
    exchange.fault = {"C": fault, "P": "1", "first": "yes" if first else ""} if fault else {}
    exchange.unparsed = unparsed
    return exchange


@pytest.mark.parametrize(
    ("ran", "status", "certain", "reach", "commits"),
    [
        ((WRITES,), IDLE, True, TABLE, True),
        ((WRITES,), OPEN, True, TABLE, False),
        ((COMMIT,), OPEN, True, OTHER, True),
        ((ROLLBACK,), OPEN, True, analysis.NOTHING, True),
        ((WRITES, COMMIT), OPEN, True, TABLE | OTHER, True),
        ((ROLLBACK, WRITES), OPEN, True, TABLE | OTHER, True),
        ((READS,), OPEN, False, OTHER, True),
        ((READS,), IDLE, True, analysis.NOTHING, True),
    ],
)
def test_what_is_at_risk(
    ran: tuple[Statement, ...], status: int, certain: bool, reach: Reach, commits: bool
) -> None:
    pending = OTHER if status == OPEN else analysis.NOTHING
    assert effects.at_risk(ran, transaction(status, pending), certain) == (reach, commits)


@pytest.mark.parametrize(
    ("exchange", "before", "after", "changed"),
    [
        (landed(WRITES), IDLE, IDLE, True),
        (landed(WRITES, fault="23505"), IDLE, IDLE, False),
        (landed(WRITES), OPEN, OPEN, False),
        (landed(COMMIT, tag=b"COMMIT"), OPEN, IDLE, True),
        (landed(COMMIT, tag=b"ROLLBACK"), FAILED, IDLE, False),
        (landed(ROLLBACK, tag=b"ROLLBACK"), OPEN, IDLE, False),
        (landed(WRITES, COMMIT, READS, fault="22012"), IDLE, IDLE, True),
        (landed(BEGIN, WRITES), IDLE, OPEN, False),
        (landed(CALLS, fault="22012"), IDLE, IDLE, True),
        (landed(ANYTHING, fault="22012"), IDLE, IDLE, True),
        (landed(ANYTHING, fault="42601", first=True, unparsed=True), IDLE, IDLE, False),
        (landed(ANYTHING, fault="42601", first=False, unparsed=True), IDLE, IDLE, True),
    ],
)
def test_what_may_have_changed(exchange: Exchange, before: int, after: int, changed: bool) -> None:
    assert effects.changed(exchange, before, after) == changed


def settled(
    exchange: Exchange, after: int, before: Transaction | None = None
) -> tuple[Transaction, Statements, bool]:
    """The picture that a session has of itself afterwards, and whether it doubts it."""
    own, state, statements = before or transaction(), a_state(), Statements()
    if own.status != IDLE:
        state.begin()
    effects.settle(exchange, after, own, state, statements)
    return own, statements, state.doubt


def test_the_origin_s_status_has_the_last_word() -> None:
    own, _, doubt = settled(landed(READS), OPEN)
    assert (own.status, own.refusal(), doubt) == (OPEN, "isolation", True)
    own, _, doubt = settled(landed(READS), IDLE, transaction(OPEN))
    assert (own.status, doubt) == (IDLE, True)


def test_what_agrees_with_the_origin_leaves_no_doubt() -> None:
    own, _, doubt = settled(landed(BEGIN, tag=b"BEGIN"), OPEN)
    assert (own.status, own.isolation, doubt) == (OPEN, "read committed", False)
    own, _, doubt = settled(landed(COMMIT, tag=b"COMMIT"), IDLE, transaction(OPEN))
    assert (own.status, doubt) == (IDLE, False)


@pytest.mark.soundness("4.1")
def test_and_chain_begins_the_next_block_at_the_same_isolation() -> None:
    chained = Statement("commit", transaction=analysis.Transaction(Control.COMMIT, chain=True))
    own, _, doubt = settled(landed(chained, tag=b"COMMIT"), OPEN, transaction(OPEN, TABLE))
    assert (own.status, own.isolation, own.pending, doubt) == (
        OPEN,
        "read committed",
        analysis.NOTHING,
        False,
    )


def test_a_write_in_a_block_is_pending_even_if_it_failed() -> None:
    for exchange, after in ((landed(WRITES), OPEN), (landed(WRITES, fault="23505"), FAILED)):
        own, _, _ = settled(exchange, after, transaction(OPEN))
        assert (own.status, own.pending) == (after, TABLE)


@pytest.mark.soundness("3.3")
def test_an_error_among_several_statements_with_settings_leaves_doubt() -> None:
    sets = Statement("set", state=(SetSetting("search_path", "other"),))
    assert settled(landed(sets, READS, fault="22012"), IDLE)[2]
    assert not settled(landed(sets, fault="22012"), IDLE)[2]


def test_a_statement_that_may_do_anything_forgets_what_names_mean() -> None:
    state, statements = a_state(), Statements()
    statements.sql_named["p"] = READS
    statements.cursors["c"] = Named("declare", "c", READS, hold=True)
    effects.settle(landed(ANYTHING), IDLE, transaction(), state, statements)
    assert (statements.sql_named, statements.cursors, state.doubt) == ({}, {}, True)


def test_names_come_and_go_with_their_statements() -> None:
    state, statements, own = a_state(), Statements(), transaction()
    declared = Named("declare", "c", READS, hold=True)
    for named in (Named("prepare", "p", WRITES), declared):
        effects.settle(landed(Statement("x", named=named)), IDLE, own, state, statements)
    assert statements.sql_named == {"p": WRITES}
    assert statements.cursors == {"c": declared}
    for named in (Named("deallocate", "p"), Named("close", "")):
        effects.settle(landed(Statement("x", named=named)), IDLE, own, state, statements)
    assert not statements.sql_named
    assert not statements.cursors


def test_execute_and_fetch_do_what_stands_behind_the_name() -> None:
    statements = Statements()
    statements.sql_named["p"] = WRITES
    statements.cursors["c"] = Named("declare", "c", WRITES)
    for action, name in (("execute", "p"), ("fetch", "c")):
        asked = Statement(action, reach=UNKNOWN, named=Named(action, name))
        assert effects.resolve_names(asked, statements, lambda _: ()).reach == TABLE
        unknown = Statement(action, reach=UNKNOWN, named=Named(action, "nobody"))
        assert effects.resolve_names(unknown, statements, lambda _: ()).reach == UNKNOWN


def test_execute_sees_what_parse_prepared_as_it_means_now() -> None:
    statements = Statements()
    statements.named[b"p"] = Prepared(b"p", b"", b"", 0, None, None)
    asked = Statement("execute", reach=UNKNOWN, named=Named("execute", "p", arguments=OTHER))
    assert effects.resolve_names(asked, statements, lambda _: (WRITES,)).reach == TABLE | OTHER
    assert effects.resolve_names(asked, statements, lambda _: (WRITES, READS)).reach == UNKNOWN


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(
    ("tail", "change"),
    [
        (b"\0\0\0\1\0\0\0\5other\0\0", SetSetting("search_path", "other")),
        (b"\0\0\0\0\0\0", Doubt()),
        (b"\0\0\0\1\xff\xff\xff\xff\0\0", Doubt()),
        (b"\0\1\0\1\0\1\0\0\0\5other\0\0", Doubt()),
        (b"?", Doubt()),
    ],
    ids=["text", "missing", "NULL", "binary", "malformed"],
)
def test_set_config_reads_its_value_from_the_bind(tail: bytes, change: SetSetting | Doubt) -> None:
    asked = Statement("select", state=(SetSetting("search_path", None, parameter=1),))
    assert effects.with_parameters(asked, tail).state == (change,)


def test_names_in_doubt_may_mean_anything() -> None:
    assert effects.in_doubt(READS).reach == UNREAD
    assert Doubt() in effects.in_doubt(READS).state
