"""What the proxy answers without the origin and without the memory: its own commands, pings, held blocks.

Never before earlier replies are through: the order of a client's replies is that of its questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session import block, own, ping
from proxy.session.batch import Batch
from proxy.session.transaction import FAILED
from proxy.wire import backend

if TYPE_CHECKING:
    from proxy.session.session import Session


def answer(session: Session, batch: Batch) -> bool:
    """Answer it, if it asks nothing of the origin and nothing is on its way."""
    if session.uplink.exchanges or batch.opened:
        return False
    if batch.own_query is not None:
        session.out += own.query(session, batch.own_query)
    elif batch.own and len(batch.own) == len(batch.plan):
        _answer_own(session, batch)
    elif not (_asks_nothing(session, batch) or _answer_ping(session, batch) or block.answer(session, batch)):
        return False
    session.out.append(backend.READY[session.transaction.status])
    return True


def _asks_nothing(session: Session, batch: Batch) -> bool:
    """A Sync alone; where the origin has a connection for it, it tells its own."""
    return not batch.plan and (session.uplink.origin is None or bool(session.transaction.unsent))


def _answer_own(session: Session, batch: Batch) -> None:
    for step in batch.own:
        reply = own.step(session, step)
        session.out.append(reply)
        if reply[0] == backend.ERROR_RESPONSE:
            return


def _answer_ping(session: Session, batch: Batch) -> bool:
    """``--local-ping``, while the origin was heard of less than a second ago."""
    if session.now >= session.shared.ping_until or not session.shared.options.local_ping:
        return False
    if session.transaction.status == FAILED:
        return False
    if batch.simple is not None:
        text, tail, described = batch.simple.key, b"", True
    elif len(batch.reads) == 1 and batch.plain and batch.reads[0].executed and batch.reads[0].statement:
        read = batch.reads[0]
        text, tail, described = batch.reads[0].statement.text, read.tail, read.described
    else:
        return False
    if not ping.is_ping(text):
        return False
    if batch.parsed:
        session.out.append(backend.PARSE_COMPLETE_FRAME)
    if batch.reads:
        session.out.append(backend.BIND_COMPLETE_FRAME)
    session.out.append(ping.answer(text, tail, described=described))
    session.last.landed("hit", "", None, session.now)
    session.shared.counters.hit += 1
    return True
