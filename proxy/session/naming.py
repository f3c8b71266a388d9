"""A client's prepared statements by the names that the origin has for them, and the columns they were told.

Where connections are shared the origin's names are ours (``virtual.py``), and what one client has prepared
serves the next. A name stands for columns as well: PostgreSQL refuses to run a statement whose row
description has changed since its Parse. Source: PostgreSQL, utils/cache/plancache.c, RevalidateCachedQuery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session.statements import UNKNOWN_SCOPE

if TYPE_CHECKING:
    from proxy.session.batch import Batch
    from proxy.session.session import Session
    from proxy.session.statements import Prepared
    from proxy.session.virtual import Virtual


def name_of(session: Session, prepared: Prepared) -> Virtual | None:
    """The name that the origin gets for this statement; None: the client's own."""
    if not session.shared.options.sharing:
        return None
    if prepared.name.decode(errors="replace") in session.statements.sql_named:
        return None  # the name is in use: the origin has an error to say
    if session.state.unproven:
        return None  # code that nobody has read may speak of it by the client's own name
    form = prepared.shape.form if prepared.shape is not None else None
    prepared.columns = form if form is not None else session.database.moves
    return session.shared.virtuals.of(prepared.text, prepared.types, prepared.scope, prepared.columns)


def parsed(session: Session, prepared: Prepared, *, certain: bool) -> None:
    """Its Parse is sent. Others may use it too, if settings and columns are what its name stands for."""
    virtual = prepared.virtual
    if virtual is None or session.state.unproven:
        return
    if not certain or prepared.scope != session.outlook.scope:
        prepared.scope = UNKNOWN_SCOPE
        return
    fresh = name_of(session, prepared)
    if fresh is virtual:
        session.uplink.tenancy.parsed(virtual)
    else:  # the columns moved while the batch waited: from the next batch on it has another name
        session.statements.untold(virtual)
        prepared.virtual = fresh or virtual


def has_present_types(session: Session, prepared: Prepared) -> bool:
    """Do its parameters have the types at the connection that a Parse would give them now? Whoever has parsed
    it there, under a name that is shared, may have done so before a column became another one.
    """
    virtual, standing = prepared.virtual, session.uplink.tenancy.standing
    if virtual is None or standing is None or not standing.knows(virtual):
        return True
    columns = prepared.columns
    return not isinstance(columns, int) or not session.database.may_have_other_columns(prepared.text, columns)


def has_other_columns(session: Session, batch: Batch) -> bool:
    """Does it run a statement that only we know, for a client that was told other columns than it has now?

    PostgreSQL's own error is due then, as the origin would say it had it prepared the statement when the
    client did.
    """
    if batch.simple is not None or (session.shared.options.sharing and session.uplink.origin is None):
        return False  # whether the origin knows it is seen at the connection
    brought = {prepared for prepared, _ in batch.parsed}
    used = [read.statement for read in batch.reads] + batch.named
    return any(
        _was_told_other_columns(session, one) for one in used if one is not None and one not in brought
    )


def _was_told_other_columns(session: Session, one: Prepared) -> bool:
    if one.at_origin or one.shape is None:
        return False
    standing = session.uplink.tenancy.standing
    if standing is not None and one.virtual is not None and standing.knows(one.virtual):
        return False  # the origin itself tells
    if one.form is not None:
        return one.form != one.shape.form
    if one.virtual is None or not isinstance(one.columns, int):
        return False
    return session.database.may_have_other_columns(one.text, one.columns)
