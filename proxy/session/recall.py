"""Answers from memory on the long way: of whole batches, after an analysis, after somebody else's fill.

``hits.py`` answers the runs that drivers send for one read from their bytes alone. What comes here was cut
into messages first: several statements in one batch, named ones prepared with it, and whatever had to wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session import batch as steps
from proxy.session.batch import Batch
from proxy.session.transaction import IDLE
from proxy.wire import backend

if TYPE_CHECKING:
    from proxy.cache.entry import Entry
    from proxy.session.session import Session
    from proxy.session.shapes import Shape


def answer(session: Session, batch: Batch) -> bool:
    """Answer the whole batch from memory, or nothing of it."""
    parts = remembered(session, batch)
    if parts is None:
        return False
    session.out += parts
    session.out.append(backend.READY[session.transaction.status])
    return True


def remembered(session: Session, batch: Batch) -> list[bytes] | None:
    """The frames that answer every read of this batch, without ReadyForQuery."""
    parts: list[bytes] = []
    hits: list[tuple[Shape, Entry]] = []
    scope, in_block = session.outlook.scope, session.transaction.status != IDLE
    for read in batch.reads:
        statement = read.statement
        if statement is None or statement.scope != scope or not read.executed or read.max_rows > 0:
            return None
        if read.parsed and statement.name and in_block:
            return None  # prepared late, it could fail in the client's transaction and end it
        shape = statement.shape
        if shape is None or shape.slot is None or statement.form is not shape.form:
            return None
        entry = session.memory.lookup(shape.slot, read.key, session.now)
        if entry is None:
            return None
        hits.append((shape, entry))
        if read.parsed:
            parts.append(backend.PARSE_COMPLETE_FRAME)
        parts.append(backend.BIND_COMPLETE_FRAME)
        parts.append(entry.payload)
    if not hits or batch.plan[-1] != steps.EXECUTE:
        return None
    for shape, entry in hits:
        session.hit(shape, entry)
    session.statements.portal_is_ours = in_block
    return parts


def look_again(session: Session, batch: Batch, reads: list[tuple[Shape, bytes]]) -> bool:
    """The memory may answer in principle: has it the answer by now, is it on its way?

    True where that settles what happens next.
    """
    if batch.waited_flight and _after_flight(session, batch):
        return True
    if len(reads) != 1 or batch.waited_flight:
        return False
    shape, key = reads[0]
    assert shape.slot is not None
    if session.memory.lookup(shape.slot, key, session.now) is not None and _answer_now(session, batch):
        return True
    flight = session.memory.join(shape.slot, key, session.now)
    return flight is not None and session.follow(flight, batch)


def _answer_now(session: Session, batch: Batch) -> bool:
    """What was just analysed anew, or has landed meanwhile, is there after all."""
    if batch.simple is None:
        return answer(session, batch)
    shape = batch.simple
    entry = session.memory.lookup(shape.slot, b"", session.now) if shape.slot is not None else None
    if entry is None:
        return False
    session.hit(shape, entry)
    session.out.append(entry.payload)
    session.out.append(backend.READY[session.transaction.status])
    return True


def _after_flight(session: Session, batch: Batch) -> bool:
    if not _answer_now(session, batch):
        return False
    session.shared.counters.hit -= 1
    session.shared.counters.coalesced += 1
    session.hits.pop().coalesce()
    session.last.outcome = "coalesced"
    return True
