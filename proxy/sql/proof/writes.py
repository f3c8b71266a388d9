"""Data-modifying statements: which tables they write, and all that they evaluate on the way.

Source: PostgreSQL docs, sql-insert, sql-update, sql-delete, sql-merge; queries-with, "Data-Modifying
Statements in WITH".
"""

from __future__ import annotations

from typing import Final

from pglast import ast, enums

from proxy.schema import names
from proxy.schema.catalogue import Relation
from proxy.sql.proof import expressions, oids, queries, relations, sources
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.scope import Output, Range, Scope

INSERT: Final = frozenset({"insert"})
UPDATE: Final = frozenset({"update"})
DELETE: Final = frozenset({"delete"})
TRUNCATE: Final = frozenset({"truncate"})
_UPSERT: Final = INSERT | UPDATE

_MERGE_EVENTS: Final = {
    enums.CmdType.CMD_INSERT: INSERT,
    enums.CmdType.CMD_UPDATE: UPDATE,
    enums.CmdType.CMD_DELETE: DELETE,
}
Statement = ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt | ast.MergeStmt


def write(proof: Proof, scope: Scope, node: Statement) -> Output:
    """Judge a data-modifying statement; the columns of its RETURNING."""
    proof.deny("write")
    queries.with_clause(proof, scope, node.withClause)
    relation = target(proof, scope, node.relation)
    if isinstance(node, ast.InsertStmt):
        _insert(proof, scope, node, relation)
    elif isinstance(node, ast.UpdateStmt):
        _update(proof, scope, node, relation)
    elif isinstance(node, ast.DeleteStmt):
        _delete(proof, scope, node, relation)
    else:
        _merge(proof, scope, node, relation)
    return _returning(proof, scope, node.returningClause)


def target(proof: Proof, scope: Scope, node: ast.RangeVar | None) -> Relation | None:
    """The relation that is written, which becomes an item of ``scope``; None if its name does not resolve."""
    if node is None:
        proof.pure = False
        return None
    path = scope.path
    relation = names.resolve_relation(proof.knowledge.catalogue, node.schemaname, node.relname or "", path)
    if relation is None or node.catalogname is not None:
        proof.unresolved = True
        proof.pure = False
        return None
    alias = node.alias.aliasname if node.alias is not None else relation.name
    scope.ranges.append(as_range(proof, relation, alias or ""))
    return relation


def as_range(proof: Proof, relation: Relation, alias: str) -> Range:
    """The rows of ``relation`` under a name."""
    columns = tuple((column.name, column.type_oid) for column in relation.columns)
    row = proof.knowledge.row_types.get(relation.oid, oids.RECORD)
    return Range(alias, columns, schema=relation.schema, row=row, table=True)


def note(proof: Proof, relation: Relation | None, events: frozenset[str]) -> None:
    """``relation`` is written by ``events``."""
    if relation is None:
        return
    proof.writes.append((relation.oid, events))
    stores = not events.isdisjoint(_UPSERT)
    if stores and any(proof.knowledge.stores_by_user(column.type_oid) for column in relation.columns):
        # An assignment may go through a user's cast.
        proof.pure = False
    if not relations.reading(proof.knowledge, relation).pure:
        # A view that is written through is evaluated; so are policies.
        proof.pure = False


def _insert(proof: Proof, scope: Scope, node: ast.InsertStmt, relation: Relation | None) -> None:
    conflict = node.onConflictClause
    updates = conflict is not None and conflict.action == enums.OnConflictAction.ONCONFLICT_UPDATE
    note(proof, relation, _UPSERT if updates else INSERT)
    if node.selectStmt is not None:
        source = Scope(scope.path, scope.outer)
        source.ctes = scope.ctes
        queries.query(proof, source, node.selectStmt)
    if conflict is None:
        return
    if conflict.infer is not None:
        for element in conflict.infer.indexElems or ():
            if element.expr is not None:
                expressions.type_of(proof, scope, element.expr)
        expressions.condition(proof, scope, conflict.infer.whereClause)
    level = Scope(scope.path, scope)
    if relation is not None:
        level.ranges.append(as_range(proof, relation, "excluded"))
    _assign(proof, level, conflict.targetList)
    expressions.condition(proof, level, conflict.whereClause)


def _update(proof: Proof, scope: Scope, node: ast.UpdateStmt, relation: Relation | None) -> None:
    note(proof, relation, UPDATE)
    for item in node.fromClause or ():
        scope.ranges += sources.from_item(proof, scope, item)
    _assign(proof, scope, node.targetList)
    expressions.condition(proof, scope, node.whereClause)


def _delete(proof: Proof, scope: Scope, node: ast.DeleteStmt, relation: Relation | None) -> None:
    note(proof, relation, DELETE)
    for item in node.usingClause or ():
        scope.ranges += sources.from_item(proof, scope, item)
    expressions.condition(proof, scope, node.whereClause)


def _merge(proof: Proof, scope: Scope, node: ast.MergeStmt, relation: Relation | None) -> None:
    if node.sourceRelation is not None:
        scope.ranges += sources.from_item(proof, scope, node.sourceRelation)
    expressions.condition(proof, scope, node.joinCondition)
    events: frozenset[str] = frozenset()
    for clause in node.mergeWhenClauses or ():
        events |= _MERGE_EVENTS.get(clause.commandType, frozenset())
        expressions.condition(proof, scope, clause.condition)
        _assign(proof, scope, clause.targetList)
        expressions.walk(proof, scope, clause.values)
    note(proof, relation, events)


def _assign(proof: Proof, scope: Scope, assignments: tuple[ast.Node, ...] | None) -> None:
    for assignment in assignments or ():
        if isinstance(assignment, ast.ResTarget):
            expressions.type_of(proof, scope, assignment.val)
            for step in assignment.indirection or ():
                if isinstance(step, ast.A_Indices):
                    expressions.walk(proof, scope, (step.lidx, step.uidx))


def _returning(proof: Proof, scope: Scope, clause: ast.ReturningClause | None) -> Output:
    if clause is None:
        return Output()
    columns = scope.ranges[0].columns if scope.ranges else ()
    # The rows before and after are reached by these names alone; a level around keeps them out of *.
    around = Scope(scope.path, scope.outer)
    around.ctes = scope.ctes
    around.ranges = [Range(name, columns) for name in ("old", "new", *_names(clause))]
    level = Scope(scope.path, around)
    level.ranges = scope.ranges
    return queries.as_text(proof, queries.targets(proof, level, clause.exprs or ()))


def _names(clause: ast.ReturningClause) -> list[str]:
    """RETURNING WITH (OLD AS o, NEW AS n)."""
    return [option.value or "" for option in clause.options or ()]
