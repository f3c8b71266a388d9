"""A batch has landed: what its replies settle, in this order, before the client hears of its end.

First the session's picture of itself, then the suspensions, then the fills; only then what was held of the
answer, and ReadyForQuery: whoever has been told of a write is never again given what stood before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session import effects, proof, tally
from proxy.session.outlook import shapes_in
from proxy.session.transaction import IDLE
from proxy.sql.analysis import Extent
from proxy.wire import backend

if TYPE_CHECKING:
    from proxy.cache.entry import Entry
    from proxy.session.exchange import Exchange
    from proxy.session.session import Session


def settle(session: Session, exchange: Exchange, ready: bytes, after: int) -> None:
    """``ready`` is the ReadyForQuery that ends it, ``after`` the transaction status in it."""
    changed = effects.changed(exchange, session.transaction.status, after)
    was_set = session.state.set_since_begin  # the end of a block undoes what was set in it
    if exchange.proof and not exchange.failed:
        _note_proof(session, exchange)
    effects.settle(exchange, after, session.transaction, session.state, session.statements)
    for suspension in exchange.suspensions:
        session.memory.end(suspension, changed=changed, cause="ddl" if exchange.reach.ddl else "own_write")
    entries = _land_recordings(session, exchange)
    session.uplink.tenancy.settled(exchange)
    if exchange.failed:
        session.statements.restore(exchange.batch.parsed[exchange.parses_done :])
    session.out += exchange.held
    session.out.append(ready)
    _count(session, exchange, entries)
    if changed and exchange.reach.ddl:
        session.database.catalogue = None
        session.port.catalogue_changed(everywhere=exchange.reach.extent == Extent.ORIGIN)
    undoes = was_set and any(statement.transaction for statement in exchange.ran)
    if exchange.failed or undoes or any(s.state or not s.reach.proven for s in exchange.ran):
        session.outlook.state_moved()
    session.reconsider()


def settle_ordinary(session: Session, exchange: Exchange, answer: bytes) -> None:
    """The same for an ordinary statement that went well; ``answer`` is all of it. But for what the block has
    changed that it stands in, the session's picture of itself is what it was.
    """
    transaction = session.transaction
    if exchange.ran[0].transaction is not None:
        exchange.tag = backend.command_tag(answer[: -len(exchange.ready)])
        settle(session, exchange, answer, backend.transaction_status(exchange.ready))
        return
    for suspension in exchange.suspensions:
        session.memory.end(suspension, changed=True, cause="own_write")
    exchange.record_whole(answer)
    entries = _land_recordings(session, exchange)
    session.uplink.tenancy.settled_ordinary()
    if transaction.status == IDLE:
        transaction.end()
        session.statements.end_transaction()
    elif exchange.reach.extent != Extent.NOTHING:
        is_first = transaction.pending.extent == Extent.NOTHING
        transaction.holds(exchange.ran[0])
        if is_first:
            session.reconsider()
    session.out.append(answer)
    _count(session, exchange, entries)


def finish_flights(session: Session, exchange: Exchange) -> None:
    """Nothing more comes of its fills: whoever waits for one looks for itself."""
    followers: list[Session] = []
    for recording in exchange.every_recording:
        if recording.flight is not None:
            followers += session.memory.finish(recording.flight)
    exchange.every_recording.clear()
    if followers:
        session.port.wake(followers)


def _note_proof(session: Session, exchange: Exchange) -> None:
    counters = session.shared.counters
    if exchange.changed_nothing:
        counters.proven_unchanged += 1
    else:
        counters.not_proven += 1
    if exchange.proof == proof.BEHIND:
        shapes_in(exchange.batch)[0].proven_idle = exchange.changed_nothing


def _land_recordings(session: Session, exchange: Exchange) -> list[Entry]:
    entries: list[Entry] = []
    for recording in exchange.every_recording:
        payload = recording.payload()
        if payload and not exchange.failed:
            entry = session.memory.land(recording.ticket, payload)
            if entry is not None:
                entries.append(entry)
            elif not exchange.refusal:
                exchange.refusal = "moved"
        elif recording.refusal and not exchange.refusal:
            exchange.refusal = recording.refusal
    finish_flights(session, exchange)
    return entries


def _count(session: Session, exchange: Exchange, entries: list[Entry]) -> None:
    if not exchange.ran or exchange.counted:
        return
    seconds = session.now - exchange.sent_at
    session.shared.counters.origin_latency.observe(seconds)
    shapes = shapes_in(exchange.batch)
    template = shapes[0].template if shapes else None
    word, reason = tally.count(
        session.shared.counters, template, exchange, entries, seconds, expiring=session.memory.expiring
    )
    session.last.landed(word, reason, entries[-1] if entries else None, session.now)
