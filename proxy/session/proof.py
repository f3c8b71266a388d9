"""Proof by the origin instead of by guess: did the transaction of this statement change anything?

A transaction that was given no id has changed no row, and no cursor WITH HOLD waits for its COMMIT to run.
The question travels in the same flight and the same transaction, so its answer costs no round trip; an error
in it is the statement's own. What it cannot see it is never asked for: ``place`` is default deny. The
session's settings and locks are no part of it: what a function set LOCAL, and the locks it took, end with
the transaction, so they are asked for behind it (``probe.py``).

Source: PostgreSQL docs, functions-info, "Transaction ID and Snapshot Information Functions"; view-pg-cursors;
protocol-flow, "Extended Query", "Multiple Statements in a Simple Query".
"""

from __future__ import annotations

from typing import Final

from proxy.schema.catalogue import Catalogue
from proxy.session import batch as steps
from proxy.session.batch import Batch
from proxy.session.state import EACH_STATEMENT_ITS_SNAPSHOT, State
from proxy.session.transaction import IDLE, OPEN, Transaction
from proxy.sql.analyse import transactions_tell_all
from proxy.sql.analysis import QUERIES, Control, Extent, Reach, Statement
from proxy.wire import backend, frontend

# Where the question stands in a flight.
NOWHERE: Final = 0
BEHIND: Final = 1  # the flight's only statement, which commits by itself
BEFORE: Final = 2  # the COMMIT that is all of the flight

TEXT: Final = """SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NULL
 AND NOT EXISTS (SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable)"""
NOTHING_CHANGED: Final = backend.data_row([b"t"])

# Reserved, never unnamed, never kept: the unnamed ones are the client's, and a DISCARD would remove a name
# that is thought to be there. A flight that failed may have left either behind, so both are closed first.
_NAME: Final = b"orrery_proof"
_CLOSES: Final = frontend.close(frontend.PORTAL, _NAME) + frontend.close(frontend.STATEMENT, _NAME)
_FRAMES: Final = b"".join(
    (
        _CLOSES,
        frontend.parse(_NAME, TEXT.encode()),
        frontend.bind(_NAME, _NAME),
        frontend.execute(_NAME),
        _CLOSES,
    )
)
_CLOSED: Final = bytes((steps.LATE_CLOSE, steps.LATE_CLOSE))
_PLAN: Final = _CLOSED + bytes((steps.LATE_PARSE, steps.LATE_BIND, steps.PROOF)) + _CLOSED

# What one flight may hold around its only statement.
_ORDINARY: Final = frozenset(
    (
        *(steps.PARSE, steps.BIND, steps.DESCRIBE_STATEMENT, steps.DESCRIBE_PORTAL),
        *(steps.EXECUTE, steps.CLOSE, steps.LATE_CLOSE),
    )
)


def place(
    batch: Batch, ran: tuple[Statement, ...], transaction: Transaction, catalogue: Catalogue | None
) -> int:
    """Where the question may stand in this flight, if anywhere; ``transaction.status`` must be certain."""
    if len(ran) != 1 or not _is_alone(batch):
        return NOWHERE
    if catalogue is None or not transactions_tell_all(catalogue):
        return NOWHERE
    statement = ran[0]
    if transaction.status == IDLE and statement.verb in QUERIES and _is_guess(statement.reach):
        return BEHIND
    if transaction.status == OPEN and _commits(statement) and _is_guess(transaction.pending):
        return NOWHERE if transaction.opaque else BEFORE
    return NOWHERE


def _is_guess(reach: Reach) -> bool:
    return not reach.proven and reach.extent == Extent.DATABASE


def _commits(statement: Statement) -> bool:
    command = statement.transaction
    return command is not None and command.control == Control.COMMIT and not command.chain


def _is_alone(batch: Batch) -> bool:
    """Is it one text, or one Execute without a row limit, its Bind before it and its Sync behind it?"""
    if batch.simple is not None:
        return bytes(batch.plan) == bytes((steps.QUERY,))
    if batch.opened or len(batch.reads) != 1 or batch.frames[-1:] != [frontend.SYNC_FRAME]:
        return False
    read = batch.reads[0]
    once = batch.plan.count(steps.EXECUTE) == 1 and read.executed and read.max_rows <= 0
    return once and _ORDINARY.issuperset(batch.plan)


def may_be_told_early(batch: Batch, state: State) -> bool:
    """May the client be told of the success of its Sync as soon as the proof is there?

    Only where that is what to expect, or writes would wait a trip longer; and where nothing fails at the end
    of a transaction that has changed nothing: a SERIALIZABLE one may.
    """
    statement = batch.reads[0].statement if batch.reads else None
    if statement is None or statement.shape is None or not statement.shape.proven_idle or state.doubt:
        return False
    return state.value("default_transaction_isolation") in EACH_STATEMENT_ITS_SNAPSHOT


def weave(batch: Batch, where: int, *, withhold: bool = False) -> tuple[list[bytes], bytes]:
    """What the origin gets, and the plan of its replies. ``withhold``: a Flush in the place of the Sync."""
    if where == NOWHERE:
        return batch.frames, bytes(batch.plan)
    if batch.simple is not None:
        return _one_text(batch.simple.key, where)
    if where == BEFORE:
        return [_FRAMES, *batch.frames], _PLAN + bytes(batch.plan)
    end = frontend.FLUSH_FRAME if withhold else frontend.SYNC_FRAME
    return [*batch.frames[:-1], _FRAMES, end], bytes(batch.plan) + _PLAN


def _one_text(text: bytes, where: int) -> tuple[list[bytes], bytes]:
    """One Query: a cancel that lands on the first of two would turn COMMIT into a silent ROLLBACK."""
    if where == BEFORE:
        return [frontend.query(TEXT.encode() + b"; " + text)], bytes((steps.PROOF, steps.STATEMENT))
    # The text may end in a comment that only a line's end ends.
    return [frontend.query(text + b"\n; " + TEXT.encode())], bytes((steps.STATEMENT, steps.PROOF))
