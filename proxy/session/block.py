"""A transaction block that the client has begun, and of which the origin has not heard.

BEGIN is answered at once. The origin hears of it in the flight of the first message that it has to answer
itself, or once the client has been promised a block for ``HOLD_SECONDS``: now() is not much younger than
what has been answered meanwhile. If nothing but answers from memory follow, COMMIT or ROLLBACK is answered
at once as well, and the block was never opened. It never goes on in autocommit: BEGIN travels in extended
messages without a Sync of their own, so whatever it fails for, what follows is skipped by the origin.

Source: PostgreSQL docs, protocol-flow, "Extended Query": after an error, messages are discarded up to Sync.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.session import batch as steps
from proxy.session.batch import Batch
from proxy.session.port import CERTAINTY
from proxy.session.state import EACH_STATEMENT_ITS_SNAPSHOT
from proxy.session.transaction import FAILED, IDLE
from proxy.sql.analysis import Control, Statement
from proxy.wire import backend, frontend

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.session.shapes import Shape

HOLD_SECONDS: Final = 0.1

_DEFAULT: Final = "default_transaction_isolation"
# Reserved, never unnamed: the unnamed ones are the client's.
_NAME: Final = b"orrery_begin"
# No parameters, and at most one format for results there are none of.
_TAILS: Final = frozenset((b"\0\0\0\0\0\0", b"\0\0\0\0\0\1\0\0", b"\0\0\0\0\0\1\0\1"))


def answer(session: Session, batch: Batch) -> bool:
    """Answer a BEGIN that may be held, or the end of a block that the origin has not heard of, but for
    ReadyForQuery. Nothing may be on its way.
    """
    found = _only_command(session, batch)
    tag = _act(session, *found) if found is not None else b""
    if tag:
        _reply(session, batch, tag)
    return bool(tag)


def answer_query(session: Session, shape: Shape) -> bool:
    """The same for a Query that is known, whole."""
    assert shape.command is not None
    tag = _act(session, shape.command, shape.key)
    if not tag:
        return False
    session.statements.end_unnamed()
    session.out += (backend.command_complete(tag), backend.READY[session.transaction.status])
    return True


def _act(session: Session, statement: Statement, text: bytes) -> bytes:
    """Begin or end the block here; the command tag, b"" where that is for the origin to do."""
    command, transaction = statement.transaction, session.transaction
    assert command is not None
    tag = statement.verb.upper().encode()
    if command.control == Control.BEGIN:
        isolation = command.isolation or session.state.value(_DEFAULT)
        if transaction.status != IDLE or isolation not in EACH_STATEMENT_ITS_SNAPSHOT:
            return b""
        # Notifications do not arrive inside of a block, and READ WRITE is an error at a standby.
        if session.outlook.refusal() or session.state.listening or b"write" in text.lower():
            return b""
        session.state.begin()
        transaction.begin(isolation)
        transaction.hold(text, command.isolation or "", session.now)
        session.port.hold_block(HOLD_SECONDS)
    elif transaction.unsent and _ends(statement):
        if command.control == Control.ROLLBACK or transaction.status == FAILED:
            tag = b"ROLLBACK"
            session.state.rollback()
        else:
            session.state.commit()
        transaction.end()
        session.statements.end_transaction()
        if session.is_queued:
            session.is_queued = not session.port.withdraw_origin()
        session.shared.counters.blocks_withdrawn += 1
    else:
        return b""
    session.reconsider()  # the scope is what it was: a SET would have opened the block
    session.uplink.probe_if_in_doubt()
    return tag


def comes_first(session: Session, batch: Batch) -> bool:
    """Must the origin have begun the block before this can be looked at? Then it waits. A command of ours may
    fail, and in a block that has failed the origin has the say.
    """
    transaction, uplink = session.transaction, session.uplink
    if transaction.unsent and batch.plan:
        is_end = not uplink.exchanges and _is_end(session, batch)
        failed = transaction.status == FAILED and not is_end
        if failed or batch.concerns_us:
            if uplink.origin is None:
                session.wait_for_origin(batch)
                return True
            uplink.open_block(batch)
    if uplink.is_opening or (batch.concerns_us and transaction.status != IDLE and uplink.asks):
        session.wait(batch, CERTAINTY)
        return True
    return False


def _is_end(session: Session, batch: Batch) -> bool:
    """Does it end the block, and nothing else?"""
    found = _only_command(session, batch)
    return found is not None and _ends(found[0])


def _ends(statement: Statement) -> bool:
    command = statement.transaction
    return command is not None and command.control in (Control.COMMIT, Control.ROLLBACK) and not command.chain


def _only_command(session: Session, batch: Batch) -> tuple[Statement, bytes] | None:
    """The transaction command that is all of this batch, and its text."""
    if batch.simple is not None:
        if len(batch.plan) != 1:
            return None
        shape, text = batch.simple, batch.simple.key
    else:
        if len(batch.reads) != 1 or not batch.plain or batch.opened:
            return None
        read = batch.reads[0]
        prepared = read.statement
        if prepared is None or prepared.shape is None or prepared.types or read.tail not in _TAILS:
            return None
        if not read.executed or read.max_rows > 0 or (read.parsed and prepared.name):
            return None
        shape, text = prepared.shape, prepared.text
    session.outlook.understand(shape)
    assert shape.analysis is not None
    found = shape.analysis.statements
    return (found[0], text) if len(found) == 1 and found[0].transaction is not None else None


def _reply(session: Session, batch: Batch, tag: bytes) -> None:
    out = session.out
    for read in batch.reads:
        if read.parsed:
            out.append(backend.PARSE_COMPLETE_FRAME)
        out.append(backend.BIND_COMPLETE_FRAME)
        if read.described:
            out.append(backend.NO_DATA_FRAME)
        session.statements.portal_is_ours = session.transaction.status != IDLE
    if batch.simple is not None:
        session.statements.end_unnamed()
    out.append(backend.command_complete(tag))


def opening(session: Session) -> list[tuple[int, bytes]]:
    """What begins the block at the origin, each message with its step; no reply of it is the client's."""
    transaction = session.transaction
    # The connection that serves it may have been opened under another default than the one that was known.
    text = transaction.send(transaction.named_isolation or session.state.value(_DEFAULT))
    session.shared.counters.blocks_opened += 1
    return [
        (steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, _NAME)),
        (steps.LATE_PARSE, frontend.parse(_NAME, text)),
        (steps.LATE_BIND, frontend.bind(_NAME, _NAME)),
        (steps.BEGIN, frontend.execute(_NAME)),
        (steps.LATE_CLOSE, frontend.close(frontend.PORTAL, _NAME)),
        # A cancel for what follows waits for the reply to BEGIN: the origin is not to keep it back.
        (steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, _NAME) + frontend.FLUSH_FRAME),
    ]
