"""What the origin must hear of before a batch of the client's: statements by name, and room for them.

What would fail there must not fail the client's own. So each statement comes in an exchange of its own,
before anything that may change what its Parse means.

Source: PostgreSQL docs, protocol-flow, "Extended Query".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session import batch as steps
from proxy.session import late, naming, rows
from proxy.session.batch import Batch
from proxy.sql.analysis import QUERIES
from proxy.wire import frontend

if TYPE_CHECKING:
    from proxy.session.statements import Prepared
    from proxy.session.uplink import Uplink
    from proxy.sql.analysis import Statement


def ahead(uplink: Uplink, batch: Batch, ran: tuple[Statement, ...]) -> list[tuple[int, bytes]]:
    """Steps and messages of ours for the batch's own flight; what cannot stand there is sent before."""
    session, tenancy = uplink.session, uplink.tenancy
    if tenancy.standing is None:
        telling = bool(session.transaction.unsent) or not all(_is_ordinary(s) for s in ran)
        if telling and not _may_be_in_block(uplink):
            all_but(uplink, batch)
        return []
    _introduce(uplink, tenancy.to_introduce(batch, ran, in_block=_may_be_in_block(uplink)))
    for statement in tenancy.to_reveal(batch, ran):
        shown = Batch()
        shown.add(steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, statement.name))
        shown.add(steps.LATE_PARSE, statement.parse_frame())
        session.statements.reveal(statement)
        uplink.send_silently(shown).late.append(statement)
    for frame in tenancy.names_spoken_of(ran):
        shown = Batch()
        shown.add(steps.LATE_PARSE, frame)
        uplink.send_silently(shown)
    return [(steps.LATE_CLOSE, frame) for frame in tenancy.ahead(batch, ran)]


def all_but(uplink: Uplink, batch: Batch | None) -> None:
    """All statements that it does not know, but for those that this batch brings itself."""
    brought = {prepared for prepared, _ in batch.parsed} if batch is not None else set()
    _introduce(uplink, [one for one in uplink.session.statements.local() if one not in brought])


def mark_sent(uplink: Uplink, batch: Batch, ran: tuple[Statement, ...]) -> None:
    """The origin parses these statements now, under the present settings and columns."""
    session = uplink.session
    uncertain = uplink.is_uncertain()
    literals = session.outlook.literals
    if batch.parsed:
        certain = not uncertain and not any(s.state or not s.reach.proven for s in ran)
        expected = not uncertain and not late.sets_ahead(batch, ran)
        for prepared, _ in batch.parsed:
            if prepared.own is None:
                session.statements.told(prepared)
            if prepared.shape is not None:
                session.outlook.understand(prepared.shape)
                prepared.form = prepared.shape.form
                prepared.parameters = rows.parameters(prepared.shape) if certain else frozenset()
            prepared.literals = literals
            naming.parsed(session, prepared, certain=expected)
    reread = late.note_uses(batch, ran, session.statements, None if uncertain else literals)
    for prepared in reread:
        uplink.tenancy.reread(prepared)


def _introduce(uplink: Uplink, statements: list[Prepared]) -> None:
    session = uplink.session
    for statement in statements:
        said, _ = late.parses(
            [statement], session.outlook.literals, session.statements, uplink.tenancy.standing
        )
        if said:
            batch = Batch()
            for step, frame in said:
                batch.add(step, frame)
            uplink.send_silently(batch).late.append(statement)


def _may_be_in_block(uplink: Uplink) -> bool:
    """May a transaction block stand open when the origin runs what is sent now? An error would end it."""
    return uplink.session.transaction.is_open_at_origin or any(
        s.transaction is not None or s.verb == "unknown" for e in uplink.exchanges for s in e.ran
    )


def _is_ordinary(statement: Statement) -> bool:
    """Does it leave prepared statements and settings alone? Not ``SELECT set_config(...)``, for one."""
    return statement.verb in QUERIES and statement.reach.proven and not statement.state
