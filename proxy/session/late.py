"""What the origin is told late: statements that only the memory has answered, names that answering ended.

Source: PostgreSQL docs, protocol-flow, "Extended Query".
"""

from __future__ import annotations

from typing import Final

from proxy.session import batch as steps
from proxy.session.batch import Batch
from proxy.session.statements import Prepared, Statements
from proxy.sql.analysis import Statement
from proxy.wire import frontend

_CLOSE_PORTAL: Final = frontend.close(frontend.PORTAL, b"")
_CLOSE_UNNAMED: Final = (frontend.close(frontend.STATEMENT, b""), _CLOSE_PORTAL)
# Messages at which the origin may read a statement's text or plan it.
_PLANNING: Final = frozenset((steps.PARSE, steps.BIND, steps.DESCRIBE_STATEMENT))


def parses(batch: Batch, scope: int | None, literals: tuple[str, ...]) -> list[bytes]:
    """Parse for each statement that this batch uses and the origin has not heard of.

    ``scope``: the present one, None where it is uncertain. Literals became values under the settings of a
    statement's own Parse: prepared under others it would be another one. The origin's error, that there is
    no such statement, is better than that. ``literals``: those settings now.
    """
    fresh = {prepared for prepared, _ in batch.parsed}
    used = [r.statement for r in batch.reads] + batch.named
    late: dict[Prepared, None] = {}
    for statement in used:
        if statement is None or statement in fresh or not statement.is_local:
            continue
        if statement.scope == scope:
            late[statement] = None
    for _, previous in batch.parsed:
        if previous is not None and previous.name and previous.is_local:
            late[previous] = None
    for statement in late:
        statement.at_origin = True
        statement.literals = literals
    return [statement.parse_frame() for statement in late]


def closes(batch: Batch, statements: Statements) -> tuple[bytes, ...]:
    """Close of what the memory has ended or replaced by answering: the unnamed statement by a Query, the
    unnamed portal by a Bind in a block. What is sent instead does so by itself.
    """
    ended, statements.unnamed_ended = statements.unnamed_ended, False
    portal, statements.portal_is_ours = statements.portal_is_ours, False
    if batch.simple is not None:
        return ()
    return (_CLOSE_UNNAMED if ended else ()) + ((_CLOSE_PORTAL,) if portal and not ended else ())


def note_uses(
    batch: Batch, ran: tuple[Statement, ...], statements: Statements, literals: tuple[str, ...] | None
) -> None:
    """Note that the origin may plan anew what this batch brings, describes or runs, also by EXECUTE.

    ``literals``: the settings that then shape literals, None where they are uncertain.
    """
    executed = [one.named.name for one in ran if one.named is not None and one.named.action == "execute"]
    used = [prepared for prepared, _ in batch.parsed]
    used += [r.statement for r in batch.reads if r.statement is not None]
    used += [prepared for prepared in batch.named if prepared is not None]
    used += [found for name in executed if (found := statements.named.get(name.encode())) is not None]
    known = None if _sets_ahead(batch, ran) else literals
    for statement in used:
        statement.used(known)


def _sets_ahead(batch: Batch, ran: tuple[Statement, ...]) -> bool:
    """May the batch change a setting before another statement of its own is parsed or planned?"""
    first = batch.plan.find(steps.EXECUTE)
    behind = batch.plan[first + 1 :] if first >= 0 else b""
    return bool(_PLANNING.intersection(behind)) and any(statement.state for statement in ran)
