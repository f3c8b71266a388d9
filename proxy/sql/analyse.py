"""Statement text -> ``Analysis``: the door of this room.

Each statement of a text gets the proof that its kind asks for. What goes wrong in here, whatever it is, makes
the text one of unknown reach: a statement is never refused, and never remembered, by accident.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

from pglast import ast

from proxy.schema.catalogue import Catalogue
from proxy.schema.names import usable_path
from proxy.sql.analysis import NOTHING, UNKNOWN, UNREAD, Analysis, Control, Doubt, SetSetting, Statement
from proxy.sql.compound import VERBS_WITH_NAMES, compound
from proxy.sql.memo import Memo, Parsed
from proxy.sql.proof.elsewhere import acts_elsewhere, reaches_other_databases
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context
from proxy.sql.utility import UNKNOWN_STATEMENT, WITHOUT_EVENTS, utility

__all__ = [
    "Context",
    "analyse",
    "analyse_without_catalogue",
    "reaches_other_databases",
    "transactions_tell_all",
]

# ROLLBACK takes back a SET, and so may COMMIT: of SET LOCAL, or in a failed transaction.
_UNDOING: Final = frozenset({Control.COMMIT, Control.ROLLBACK, Control.ROLLBACK_TO})
# Settings that change what a text means.
_NAME_SETTINGS: Final = frozenset(
    {"search_path", "role", "transform_null_equals", "standard_conforming_strings", "row_security"}
)
# One memory of parse trees for the process, and the knowledge of the few catalogues in use (one a database).
_memo: Final = Memo()
_MAX_CATALOGUES: Final = 8
_known: Final[dict[int, Knowledge]] = {}


def analyse(text: str, catalogue: Catalogue, context: Context, types: tuple[int, ...] = ()) -> Analysis:
    """What ``text`` may do under ``catalogue``; ``types``: parameter types given by Parse, 0 for none.

    Never raises, whatever the text.
    """
    knowledge = _knowledge(catalogue)
    path = knowledge.memory.recall(
        ("usable", context.path, context.user), lambda: usable_path(catalogue, context.path, context.user)
    )
    return _analyse(text, knowledge, replace(context, path=path), types)


def analyse_without_catalogue(text: str) -> Analysis:
    """What ``text`` may do while no catalogue is there: reads bypass, writes reach everything."""
    return _analyse(text, None, Context(path=()), ())


def transactions_tell_all(catalogue: Catalogue) -> bool:
    """Has a transaction of this database that was given no id changed nothing, and may every role ask?"""
    memory = _knowledge(catalogue).memory
    return catalogue.id_is_public and not memory.recall("elsewhere", lambda: acts_elsewhere(catalogue))


def _knowledge(catalogue: Catalogue) -> Knowledge:
    known = _known.get(id(catalogue))
    if known is None or known.catalogue is not catalogue:
        if len(_known) >= _MAX_CATALOGUES:
            _known.clear()
        known = _known[id(catalogue)] = Knowledge(catalogue)
    return known


def _analyse(text: str, knowledge: Knowledge | None, context: Context, types: tuple[int, ...]) -> Analysis:
    parsed = _memo.parse(text)
    if parsed.failure:
        return _summed(parsed, (replace(UNKNOWN_STATEMENT, reason=parsed.failure),), parsed.failure != "size")
    try:
        statements = _after_each_other(
            _statement(knowledge, context, _root(raw), types) for raw in parsed.statements
        )
    except (RecursionError, AttributeError, LookupError, TypeError, ValueError):
        # A tree too deep for the interpreter, or a form that no rule here foresaw.
        statements = (UNKNOWN_STATEMENT,)
    if not context.standard_conforming_strings and "\\" in text:
        # The origin reads other strings than the parser here did.
        statements = tuple(replace(one, reason="settings", reach=one.reach | UNREAD) for one in statements)
    return _summed(parsed, statements)


def _summed(parsed: Parsed, statements: tuple[Statement, ...], unparsed: bool = False) -> Analysis:
    reach = reduce(or_, (one.reach for one in statements), NOTHING)
    unresolved = any(one.reason == "unresolved" for one in statements)
    return Analysis(statements, unparsed, unresolved, parsed.template, reach)


def _root(raw: ast.RawStmt) -> ast.Node:
    if raw.stmt is None:
        raise TypeError
    return raw.stmt


def _after_each_other(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Each statement was proven under the names and settings before the text: one that changes them leaves
    nothing proven of those behind it."""
    found: list[Statement] = []
    shifted = False
    for proven in statements:
        names_moved = shifted and proven.verb in VERBS_WITH_NAMES
        found.append(_unproven(proven) if names_moved else proven)
        shifted = shifted or _shifts_names(found[-1])
    return tuple(found)


def _unproven(one: Statement) -> Statement:
    return replace(one, reason="settings", reach=one.reach | UNREAD, state=(*one.state, Doubt()))


def _shifts_names(statement: Statement) -> bool:
    """May names, settings or rights mean something else behind it?"""
    if statement.reach.ddl or statement.temporary or not statement.reach.proven:
        return True
    if statement.transaction is not None and statement.transaction.control in _UNDOING:
        return True
    return any(
        not (isinstance(change, SetSetting) and change.name not in _NAME_SETTINGS)
        for change in statement.state
    )


def _statement(
    knowledge: Knowledge | None, context: Context, node: ast.Node, types: tuple[int, ...]
) -> Statement:
    statement = compound(knowledge, context, node, types) or utility(knowledge, context, node)
    triggered = knowledge is not None and knowledge.catalogue.command_triggers
    if triggered and statement.verb not in WITHOUT_EVENTS:
        statement = replace(statement, reach=statement.reach | UNKNOWN)
    if statement.reach.proven or Doubt() in statement.state:
        return statement
    # A function that nobody vouches for may set, lock or assume anything.
    return replace(statement, state=(*statement.state, Doubt()))
