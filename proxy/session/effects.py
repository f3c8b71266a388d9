"""What a batch does to the world and to its session: decided before it is sent, settled when it has landed.

Source: PostgreSQL docs, protocol-flow, "Multiple Statements in a Simple Query", "Pipelining"; sql-commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from proxy.session.exchange import Exchange
from proxy.session.proof import BEHIND
from proxy.session.state import KEY_SETTINGS, State
from proxy.session.statements import Prepared, Statements
from proxy.session.transaction import FAILED, IDLE, OPEN, Transaction
from proxy.sql.analysis import (
    NOTHING,
    UNKNOWN,
    UNREAD,
    Control,
    DiscardAll,
    Doubt,
    Lock,
    Named,
    Reach,
    ResetSetting,
    SetRole,
    SetSetting,
    StateChange,
    Statement,
)
from proxy.wire import frontend

# Commands after which what was pending, or what follows in the same batch, may be visible to everybody.
_ENDING: Final = frozenset(
    (
        Control.COMMIT,
        Control.ROLLBACK,
        Control.PREPARE_TRANSACTION,
        Control.COMMIT_PREPARED,
        Control.ROLLBACK_PREPARED,
    )
)

# Commands that may end what the session leaves behind at its connection; the origin knows whether they did.
_MAY_FREE: Final = frozenset(("close", "deallocate", "unlisten"))

_WHATEVER_NAMES_MEAN: Final = frozenset(
    (
        *("begin", "start transaction", "savepoint", "set", "reset", "show", "discard", "discard all"),
        *("listen", "unlisten", "notify", "create database", "drop database"),
    )
)

# An unparsable text changed nothing if the origin says first that it cannot parse it either: 42601 with a
# position in the client's own text, not in a function's.
_SYNTAX_ERROR: Final = "42601"
_NO_SUCH_STATEMENT: Final = "26000"

# What Bind may do that its Execute has not done yet: planning runs functions that claim to be immutable.
UNKNOWN_STATEMENT: Final = Statement("unknown", reason="unknown", reach=UNKNOWN, state=(Doubt(),))


def resolve_names(
    statement: Statement, statements: Statements, meaning: Callable[[Prepared], tuple[Statement, ...]]
) -> Statement:
    """EXECUTE and FETCH do what stands behind the name; what is not known may do anything.

    ``meaning``: what a statement prepared through the
    protocol does now; both ways of preparing share names.
    """
    named = statement.named
    if named is None or named.action not in ("execute", "fetch"):
        return statement
    inner = _behind(named, statements, meaning)
    if inner is None:
        return replace(statement, reach=UNKNOWN, state=(Doubt(),))
    return replace(
        statement,
        reach=inner.reach | named.arguments,
        lock=inner.lock,
        state=inner.state,
        commits_itself=inner.commits_itself,
        temporary=inner.temporary,
    )


def with_parameters(statement: Statement, tail: bytes) -> Statement:
    """set_config() with its value in a parameter: read it from the Bind, where it is plain text."""
    state = tuple(_with_parameter(change, tail) for change in statement.state)
    return statement if state == statement.state else replace(statement, state=state)


def _with_parameter(change: StateChange, tail: bytes) -> StateChange:
    if not isinstance(change, SetSetting | SetRole) or not change.parameter:
        return change
    parameters = frontend.bind_parameters(tail) if tail and frontend.bind_is_well_formed(tail) else []
    if change.parameter > len(parameters):
        return Doubt()
    code, value = parameters[change.parameter - 1]
    if code != 0 or value is None or not value.isascii():
        return Doubt()
    if isinstance(change, SetRole):
        role = value.decode()
        return SetRole(None if role == "none" else role, change.local)
    return SetSetting(change.name, value.decode(), change.local)


def moves_scope(statement: Statement) -> bool:
    """May it change what the texts behind it mean: a setting in the key, the role, or nobody knows what?"""
    for change in statement.state:
        if not isinstance(change, SetSetting | ResetSetting) or change.name in KEY_SETTINGS:
            return True
    return not statement.reach.proven


def hangs_on_names(statement: Statement) -> bool:
    """May it do something else once names mean something else? A COMMIT may: deferred triggers run in it."""
    return statement.verb not in _WHATEVER_NAMES_MEAN


def in_doubt(statement: Statement) -> Statement:
    """The same statement where names may mean something else than was thought."""
    return replace(statement, reach=statement.reach | UNREAD, state=(*statement.state, Doubt()))


def _behind(
    named: Named, statements: Statements, meaning: Callable[[Prepared], tuple[Statement, ...]]
) -> Statement | None:
    if named.action == "fetch":
        declared = statements.cursors.get(named.name)
        return None if declared is None else declared.inner
    found = statements.sql_named.get(named.name)
    if found is not None:
        return found
    prepared = statements.named.get(named.name.encode())
    if prepared is None or prepared.own is not None:
        return None
    inner = meaning(prepared)
    return inner[0] if len(inner) == 1 else None


def controls(ran: Iterable[Statement]) -> frozenset[Control]:
    """The transaction commands among these statements."""
    return frozenset(s.transaction.control for s in ran if s.transaction is not None)


def _may_hide_an_end(ran: Iterable[Statement]) -> bool:
    """Is a text among them that only the origin can read? COMMIT may stand in it."""
    return any(s.verb == "unknown" for s in ran)


def at_risk(
    ran: tuple[Statement, ...], transaction: Transaction, before_is_certain: bool
) -> tuple[Reach, bool]:
    """What may become visible once this batch is sent, and whether anything may.

    ``before_is_certain``: no earlier batch is on its way, so the transaction's status is the origin's own.
    """
    ends = controls(ran) & _ENDING
    hidden = _may_hide_an_end(ran)
    commits = not before_is_certain or transaction.status == IDLE or bool(ends) or hidden
    reach = NOTHING
    for statement in ran:
        reach |= statement.reach
    if ends - {Control.ROLLBACK} or (ends and len(ran) > 1) or hidden or not before_is_certain:
        reach |= transaction.pending
    return reach, commits


def changed(exchange: Exchange, before: int, after: int) -> bool:
    """May anything have become visible by this batch? ``before`` and ``after`` are transaction statuses.

    An error lifts without dropping only where nothing in that batch could have committed: ``UPDATE; COMMIT;
    SELECT 1/0`` answers an error and has committed.
    """
    if exchange.unparsed and was_never_parsed(exchange):
        return False
    if exchange.changed_nothing or (exchange.failed and exchange.proof == BEHIND):
        return False
    ends = controls(exchange.ran) & _ENDING
    if _may_hide_an_end(exchange.ran):
        return True
    if not ends and (before != IDLE or (after != IDLE and Control.BEGIN in controls(exchange.ran[:1]))):
        return False
    if not exchange.failed:
        return not (len(exchange.ran) == 1 and ends and exchange.tag == b"ROLLBACK")
    own = any(s.commits_itself or not s.reach.proven or s.reach.ddl for s in exchange.ran)
    return bool(ends) or own or after != IDLE


def was_never_parsed(exchange: Exchange) -> bool:
    """Did the origin refuse the text itself, as its first word?"""
    fault = exchange.fault
    return (
        exchange.failed
        and bool(fault.get("first"))
        and fault.get("C") == _SYNTAX_ERROR
        and "P" in fault
        and not {"W", "q", "p"} & fault.keys()
    )


def _names_nothing(exchange: Exchange) -> bool:
    """Was the first of its messages a Bind or Describe of a name that the origin does not know? Then it runs
    none of those behind it.
    """
    fault = exchange.fault
    return bool(fault.get("first")) and fault.get("C") == _NO_SUCH_STATEMENT and exchange.batch.simple is None


def settle(
    exchange: Exchange, after: int, transaction: Transaction, state: State, statements: Statements
) -> None:
    """Bring the session's picture of itself in line with what the origin has done."""
    refused = (exchange.unparsed and was_never_parsed(exchange)) or _names_nothing(exchange)
    if exchange.failed:
        _settle_failure(exchange, after, transaction, state, statements, refused)
    else:
        _settle_success(exchange, transaction, state, statements)
    if not refused and any(not s.reach.proven for s in exchange.ran):
        state.suspect()
        statements.sql_named.clear()
        statements.cursors.clear()
    _reconcile(after, transaction, state, statements)
    if after != IDLE:
        # What stood before BEGIN in the same batch belongs to the block as well.
        for statement in exchange.ran:
            transaction.holds(statement)


def _settle_success(
    exchange: Exchange, transaction: Transaction, state: State, statements: Statements
) -> None:
    loose = shifted = False
    for statement in exchange.ran:
        # BEGIN takes an implicit transaction over, ROLLBACK undoes it: with it what was set in it so far.
        shifted |= loose and statement.transaction is not None
        _settle_statement(statement, exchange.tag, transaction, state, statements)
        loose |= transaction.status == IDLE and bool(statement.state)
    if shifted:
        state.suspect()


def _settle_failure(
    exchange: Exchange,
    after: int,
    transaction: Transaction,
    state: State,
    statements: Statements,
    refused: bool,
) -> None:
    for statement in exchange.ran:
        transaction.pending |= statement.reach
        if statement.lock == Lock.SESSION:
            state.locked = True  # session-level locks survive the rollback
        if statement.named is not None:
            _forget_name(statement.named, statements)
        state.temporary |= statement.temporary
        _note_what_stays(statement, state)
        for change in statement.state:
            state.failed(change)
    several = len(exchange.ran) > 1 and any(s.state or s.transaction for s in exchange.ran)
    if several and not refused:
        state.suspect()
    if after == IDLE and transaction.status != IDLE:
        state.rollback()
        transaction.end()


def _settle_statement(
    statement: Statement, tag: bytes, transaction: Transaction, state: State, statements: Statements
) -> None:
    if statement.transaction is not None:
        if _settle_control(statement, tag, transaction, state):
            # One WITH HOLD that stood before is lost sight of as well: its next FETCH counts as unknown.
            statements.cursors.clear()
        return
    in_transaction = transaction.status != IDLE
    if in_transaction:
        transaction.ran(statement)
    if statement.lock == Lock.SESSION:
        state.locked = True
    if statement.releases_locks:
        state.locked = False
    for change in statement.state:
        state.apply(change, in_transaction=in_transaction)
        if isinstance(change, DiscardAll):
            statements.drop_all()
            statements.cursors.clear()
    # Where the path begins with it, CREATE TABLE makes a temporary one.
    state.temporary |= statement.temporary or (
        statement.reach.ddl and "pg_temp" in state.value("search_path")
    )
    _note_what_stays(statement, state)
    if statement.named is not None:
        _settle_name(statement.named, statements)


def _note_what_stays(statement: Statement, state: State) -> None:
    """What it leaves behind would be missed on another connection, and no error would tell."""
    state.listening |= statement.verb == "listen"
    state.prepared |= statement.verb == "prepare"
    state.holding |= statement.named is not None and statement.named.hold
    if statement.verb in _MAY_FREE and (state.listening or state.prepared or state.holding):
        state.doubt = True


def _settle_control(statement: Statement, tag: bytes, transaction: Transaction, state: State) -> bool:
    """Carry out a transaction command; has it undone anything?"""
    command = statement.transaction
    assert command is not None
    control = command.control
    if control == Control.BEGIN:
        if transaction.status == IDLE:
            state.begin()
            transaction.begin(command.isolation or state.value("default_transaction_isolation"))
        elif command.isolation:
            transaction.isolation = command.isolation  # only a warning comes, and the level is set
    elif control in (Control.COMMIT, Control.ROLLBACK, Control.PREPARE_TRANSACTION):
        undone = control == Control.ROLLBACK or tag == b"ROLLBACK"
        if undone:
            state.rollback()
        else:
            state.commit()
        isolation = transaction.isolation
        transaction.end()
        if command.chain:
            state.begin()
            transaction.begin(isolation)
        return undone
    elif control == Control.SAVEPOINT:
        state.savepoint(command.savepoint)
    elif control == Control.ROLLBACK_TO:
        state.rollback_to(command.savepoint)
        transaction.status = OPEN
        return True
    elif control == Control.RELEASE:
        state.release(command.savepoint)
    elif control == Control.SET_TRANSACTION:
        transaction.ran(statement)
    return False


def _settle_name(named: Named, statements: Statements) -> None:
    if named.action == "prepare" and named.inner is not None:
        statements.sql_named[named.name] = named.inner
    elif named.action == "declare" and named.inner is not None:
        statements.cursors[named.name] = named
    else:
        _forget_name(named, statements)


def _forget_name(named: Named, statements: Statements) -> None:
    if named.action in ("prepare", "deallocate"):
        if not named.name:
            statements.drop_all()
        statements.sql_named.pop(named.name, None)
        if named.action == "deallocate":
            statements.named.pop(named.name.encode(), None)
    elif named.action in ("declare", "close"):
        if not named.name:
            statements.cursors.clear()
        statements.cursors.pop(named.name, None)


def _reconcile(after: int, transaction: Transaction, state: State, statements: Statements) -> None:
    """The origin's own status byte has the last word; where
    ours says something else, we have missed something.
    """
    if after == IDLE:
        if transaction.status != IDLE:
            state.commit()
            state.suspect()
        transaction.end()
        statements.end_transaction()
    elif transaction.status == IDLE:
        state.begin()
        state.suspect()
        transaction.begin("unknown")
    transaction.status = after if after in (IDLE, OPEN, FAILED) else FAILED
