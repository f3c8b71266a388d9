"""Statements that hold expressions or other statements: queries, DML, COPY, EXPLAIN, PREPARE, cursors, CTAS.

Source: PostgreSQL docs, sql-select, sql-copy, sql-explain, sql-prepare, sql-declare, sql-createtableas,
sql-truncate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pglast import ast

from proxy.sql.analysis import NOTHING, UNKNOWN, UNREAD, Doubt, Named, Reach, StateChange, Statement
from proxy.sql.proof import expressions, footprint, queries, relations, row_changes, sources, writes
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context, Proof
from proxy.sql.proof.scope import Scope
from proxy.sql.settings import set_config_calls
from proxy.sql.utility import DDL, UNKNOWN_STATEMENT, is_temporary

_QUERIES: Final[dict[type[ast.Node], str]] = {
    ast.SelectStmt: "select",
    ast.InsertStmt: "insert",
    ast.UpdateStmt: "update",
    ast.DeleteStmt: "delete",
    ast.MergeStmt: "merge",
}
# What is proven by the names in it.
VERBS_WITH_NAMES: Final = frozenset(
    {
        *_QUERIES.values(),
        "copy",
        "create table as",
        "declare",
        "explain",
        "prepare",
        "select into",
        "truncate",
    }
)


def compound(
    knowledge: Knowledge | None, context: Context, node: ast.Node, types: tuple[int, ...]
) -> Statement | None:
    """What the statement may do; None if it is none of this module's."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return None
    if knowledge is None:
        return _without_catalogue(node)
    return handler(Proof(knowledge, context, types), node)


def _without_catalogue(node: ast.Node) -> Statement:
    """Nothing can be proven; but the names behind PREPARE and its like are known."""
    inner = replace(UNKNOWN_STATEMENT, reason="catalogue", reach=UNREAD)
    verb = _QUERIES.get(type(node), "unknown")
    if isinstance(node, ast.PrepareStmt):
        return Statement("prepare", "prepared", named=Named("prepare", node.name or "", inner))
    if isinstance(node, ast.ExecuteStmt):
        return replace(inner, verb="execute", named=Named("execute", node.name or "", arguments=UNREAD))
    if isinstance(node, ast.DeclareCursorStmt):
        named = Named("declare", node.portalname or "", inner, _holds(node))
        return replace(inner, verb="declare", named=named)
    ddl = isinstance(node, ast.CreateTableAsStmt) or _makes_table(node)
    return replace(inner, verb=verb, reach=UNKNOWN if ddl else UNREAD)


def _makes_table(node: ast.Node) -> bool:
    return isinstance(node, ast.SelectStmt) and node.intoClause is not None


def _query(proof: Proof, node: ast.Node) -> Statement:
    queries.query(proof, None, node, proof.context.path)
    proof.finish()
    if isinstance(node, ast.SelectStmt):
        _settings_of_calls(proof, node)
    _judge_session(proof)
    statement = _with_rows(proof, node, _conclude(proof, _QUERIES[type(node)]))
    into = node.intoClause if isinstance(node, ast.SelectStmt) else None
    if into is None:
        return statement
    return _created(statement, "select into", into.rel, proof)


def _with_rows(proof: Proof, node: ast.Node, statement: Statement) -> Statement:
    """Which rows an answer depends on, or a write changes."""
    path = proof.context.path
    if not statement.reason and isinstance(node, ast.SelectStmt):
        return replace(statement, parts=footprint.parts(proof, node, path))
    change = row_changes.change(proof, node, path, statement.reach)
    if change is None:
        return statement
    return replace(statement, reach=replace(statement.reach, changes=frozenset((change,))))


def _settings_of_calls(proof: Proof, node: ast.SelectStmt) -> None:
    """Replace the doubt that each set_config() raised by what it sets, where that is plain to see."""
    doubts = proof.state.count(Doubt())
    if not doubts:
        return
    changes = set_config_calls(node)
    if changes is not None and len(changes) == doubts == len(proof.state) and proof.pure:
        proof.state = list(changes)
    elif changes is None or len(changes) != doubts:
        proof.state = [Doubt()]


def _judge_session(proof: Proof) -> None:
    """What does not depend on the text's own words: settings, the operator's globs, treacherous casts."""
    if proof.context.transform_null_equals:
        proof.deny("settings")
    if proof.knowledge.treacherous:
        proof.deny_unseen("cast")
    if relations.never_cached(proof.knowledge, proof.mentions, proof.context.never_cache):
        proof.deny("never")
    if not proof.reads:
        proof.deny("tableless")


def _conclude(proof: Proof, verb: str) -> Statement:
    state: tuple[StateChange, ...] = tuple(proof.state)
    return Statement(
        verb=verb,
        reason="unresolved" if proof.unresolved else proof.reason,
        reads=frozenset(proof.reads),
        mentions=frozenset(proof.mentions),
        types=frozenset(proof.user_types),
        whole_rows=proof.whole_rows,
        reach=relations.reach_of_writes(proof),
        lock=proof.lock,
        state=state,
        releases_locks=proof.releases_locks,
        date_parameters=proof.date_parameters(),
    )


def _created(statement: Statement, verb: str, relation: ast.RangeVar | None, proof: Proof) -> Statement:
    """A table filled from a query: DDL, and wild if the query is; a temporary one is the session's own."""
    if is_temporary(relation):
        # The query alone counts, and "into" denied it as unseen only because it makes a table.
        return replace(statement, verb=verb, temporary=True)
    return replace(statement, verb=verb, reach=(DDL if proof.pure else UNKNOWN) | statement.reach)


def _copy(proof: Proof, node: ast.CopyStmt) -> Statement:
    proof.deny("copy")
    scope = Scope(proof.context.path)
    if node.is_program:
        proof.pure = False
    if node.query is not None:
        queries.query(proof, None, node.query, proof.context.path)
    elif node.is_from:
        writes.note(proof, writes.target(proof, scope, node.relation), writes.INSERT)
        expressions.condition(proof, scope, node.whereClause)
    elif node.relation is not None:
        sources.from_item(proof, scope, node.relation)
    return _conclude(proof, "copy")


def _truncate(proof: Proof, node: ast.TruncateStmt) -> Statement:
    proof.deny("write")
    for relation in node.relations or ():
        found = writes.target(proof, Scope(proof.context.path), relation)
        writes.note(proof, found, writes.TRUNCATE)
    return _conclude(proof, "truncate")


def _explain(proof: Proof, node: ast.ExplainStmt) -> Statement:
    inner = (
        compound(proof.knowledge, proof.context, node.query, proof.types) if node.query is not None else None
    )
    if inner is None or isinstance(node.query, ast.ExecuteStmt):
        inner = UNKNOWN_STATEMENT
    runs = any(option.defname == "analyze" for option in node.options or ())
    # Planning runs STABLE and IMMUTABLE functions to estimate: even without ANALYZE what is unproven counts.
    reach = inner.reach.blurred() if runs or not inner.reach.proven else NOTHING
    return Statement(
        "explain",
        "utility",
        reach=reach,
        lock=inner.lock,
        state=inner.state if runs else (),
        temporary=inner.temporary,
    )


def _prepare(proof: Proof, node: ast.PrepareStmt) -> Statement:
    inner = compound(proof.knowledge, proof.context, node.query, ()) if node.query is not None else None
    # Parameters of its own numbers, which no Bind brings.
    named = Named("prepare", node.name or "", _blurred(inner or UNKNOWN_STATEMENT))
    return Statement("prepare", "prepared", named=named)


def _blurred(statement: Statement) -> Statement:
    return replace(statement, reach=statement.reach.blurred())


def _execute(proof: Proof, node: ast.ExecuteStmt) -> Statement:
    expressions.walk(proof, Scope(proof.context.path), node.params)
    # They are stored in the types that PREPARE named, which are not known here.
    quiet = proof.pure and not (proof.state or proof.lock or proof.knowledge.assigned_by_users)
    arguments = NOTHING if quiet else UNKNOWN
    return Statement(
        "execute", "prepared", reach=UNKNOWN, named=Named("execute", node.name or "", arguments=arguments)
    )


def _declare(proof: Proof, node: ast.DeclareCursorStmt) -> Statement:
    inner = compound(proof.knowledge, proof.context, node.query, ()) if node.query is not None else None
    inner = _blurred(inner or UNKNOWN_STATEMENT)
    # A cursor WITH HOLD runs to its end at COMMIT, any other within this transaction: its reach counts now.
    return Statement(
        "declare",
        "cursor",
        reach=inner.reach,
        lock=inner.lock,
        named=Named("declare", node.portalname or "", inner, _holds(node)),
    )


def _holds(node: ast.DeclareCursorStmt) -> bool:
    return bool((node.options or 0) & _CURSOR_OPT_HOLD)


# Source: PostgreSQL, nodes/parsenodes.h, CURSOR_OPT_HOLD.
_CURSOR_OPT_HOLD: Final = 0x0020


def _create_table_as(proof: Proof, node: ast.CreateTableAsStmt) -> Statement:
    proof.deny("utility")
    inner: Reach = UNKNOWN
    if isinstance(node.query, ast.SelectStmt):
        queries.query(proof, None, node.query, proof.context.path)
        inner = relations.reach_of_writes(proof)
    else:
        proof.pure = False
    statement = replace(_conclude(proof, "create table as"), reason="utility", reach=inner)
    return _created(statement, "create table as", node.into.rel if node.into is not None else None, proof)


_HANDLERS: Final[dict[type[ast.Node], Callable[[Proof, ast.Node], Statement]]] = {
    **dict.fromkeys(_QUERIES, _query),
    ast.CopyStmt: _copy,  # type: ignore[dict-item]  # each handler takes the kind it stands under
    ast.TruncateStmt: _truncate,  # type: ignore[dict-item]
    ast.ExplainStmt: _explain,  # type: ignore[dict-item]
    ast.PrepareStmt: _prepare,  # type: ignore[dict-item]
    ast.ExecuteStmt: _execute,  # type: ignore[dict-item]
    ast.DeclareCursorStmt: _declare,  # type: ignore[dict-item]
    ast.CreateTableAsStmt: _create_table_as,  # type: ignore[dict-item]
}
