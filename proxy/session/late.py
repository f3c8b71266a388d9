"""What the origin is told late: statements that only the memory has answered, names that answering ended.

Source: PostgreSQL docs, protocol-flow, "Extended Query".
"""

from __future__ import annotations

from typing import Final

from proxy.session import batch as steps
from proxy.session.batch import Batch
from proxy.session.standing import Standing
from proxy.session.statements import Prepared, Statements
from proxy.sql.analysis import Statement
from proxy.wire import frontend

_CLOSE_PORTAL: Final = frontend.close(frontend.PORTAL, b"")
_CLOSE_UNNAMED: Final = (frontend.close(frontend.STATEMENT, b""), _CLOSE_PORTAL)
# Messages at which the origin may read a statement's text or plan it.
_PLANNING: Final = frozenset((steps.PARSE, steps.BIND, steps.DESCRIBE_STATEMENT))


def unknown_to_origin(batch: Batch, scope: int | None) -> list[Prepared]:
    """The statements that this batch uses and the origin has not heard of.

    ``scope``: the present one, None where it is uncertain. Literals became values under the settings of a
    statement's own Parse: prepared under others it would be another one. The origin's error, that there is
    no such statement, is better than that.
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
        if previous is not None and previous.name and previous.is_local and previous.virtual is None:
            late[previous] = None
    return list(late)


def parses(
    late: list[Prepared], literals: tuple[str, ...], statements: Statements, standing: Standing | None
) -> tuple[list[tuple[int, bytes]], list[Prepared]]:
    """Parse for each of these, as steps and messages, and for which; ``literals``: the settings that shape
    literals now.

    Where connections are shared another client may have prepared the same before, which serves as well.
    """
    said: list[tuple[int, bytes]] = []
    parsed: list[Prepared] = []
    for statement in late:
        statements.told(statement)
        statement.literals = literals
        virtual = statement.virtual
        if virtual is None or standing is None:
            said.append((steps.LATE_PARSE, statement.parse_frame()))
        elif standing.knows(virtual):
            continue
        else:
            # What stood behind the name is not certain to be gone.
            said += [(steps.LATE_CLOSE, virtual.close_frame), (steps.LATE_PARSE, virtual.parse_frame)]
            standing.prepared(virtual)
        parsed.append(statement)
    return said, parsed


def closes(batch: Batch, statements: Statements) -> tuple[bytes, ...]:
    """Close of what the memory has ended or replaced by answering: the unnamed statement by a Query, the
    unnamed portal by a Bind in a block. What is sent instead does so by itself. Likewise of an unnamed
    statement that another client has left behind at the connection.
    """
    ended, statements.unnamed_ended = statements.unnamed_ended, False
    portal, statements.portal_is_ours = statements.portal_is_ours, False
    if batch.simple is not None:
        statements.foreign_unnamed = False
        return ()
    if statements.foreign_unnamed and not ended:
        statements.foreign_unnamed = not any(not prepared.name for prepared, _ in batch.parsed)
        if None in batch.named or any(read.statement is None for read in batch.reads):
            statements.foreign_unnamed = False
            return _CLOSE_UNNAMED
    return (_CLOSE_UNNAMED if ended else ()) + ((_CLOSE_PORTAL,) if portal and not ended else ())


def note_uses(
    batch: Batch, ran: tuple[Statement, ...], statements: Statements, literals: tuple[str, ...] | None
) -> list[Prepared]:
    """Note that the origin may plan anew what this batch brings, describes or runs, also by EXECUTE.

    ``literals``: the settings that then shape literals, None where they are uncertain. Returned: those that
    may have another meaning thereby.
    """
    executed = [one.named.name for one in ran if one.named is not None and one.named.action == "execute"]
    used = [prepared for prepared, _ in batch.parsed]
    used += [r.statement for r in batch.reads if r.statement is not None]
    used += [prepared for prepared in batch.named if prepared is not None]
    used += [found for name in executed if (found := statements.named.get(name.encode())) is not None]
    known = None if sets_ahead(batch, ran) else literals
    return [statement for statement in dict.fromkeys(used) if statement.used(known)]


def sets_ahead(batch: Batch, ran: tuple[Statement, ...]) -> bool:
    """May the batch change a setting before another statement of its own is parsed or planned?"""
    first = batch.plan.find(steps.EXECUTE)
    behind = batch.plan[first + 1 :] if first >= 0 else b""
    return bool(_PLANNING.intersection(behind)) and any(statement.state for statement in ran)
