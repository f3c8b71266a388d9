"""What an INSERT, UPDATE or DELETE does to the rows of its own table, where nothing else touches them.

UPDATE and DELETE are confined by top-level equalities of their WHERE, to which both images of a row must
agree: an UPDATE that sets the column itself has two values there. INSERT is confined by the values that every
row is given. Source: PostgreSQL docs, sql-insert, sql-update, sql-delete; typeconv-query, "Value Storage".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pglast import ast, enums

from proxy.schema.catalogue import FIRST_USER_OID, Catalogue, Column, Relation
from proxy.sql.analysis import Extent, Reach
from proxy.sql.proof.equalities import Equalities, table
from proxy.sql.proof.footprint import is_plain_table
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import descendants
from proxy.sql.rows import RowChange, Value
from proxy.sql.values import Unclear

# Rows of one INSERT that are told apart: each value is a bucket in each way that its table is read.
MAX_VALUES: Final = 64
_ACTS: Final = frozenset("cnd")  # cascade, set null, set default
_Confined = tuple[tuple[int, tuple[Value, ...]], ...]


def change(proof: Proof, node: ast.Node, path: tuple[str, ...], reach: Reach) -> RowChange | None:
    """The rows that the statement changes in its own table; None if that may be any, or it is not proven.

    ``reach``: what the statement may change by its closure.
    """
    if not reach.proven or reach.extent != Extent.TABLES or len(proof.writes) != 1:
        return None
    oid, events = proof.writes[0]
    relation = proof.knowledge.catalogue.relations[oid]
    if not _is_left_alone(proof.knowledge.catalogue, relation, events, reach):
        return None
    equalities = Equalities(proof, descendants(node), path)
    if isinstance(node, ast.InsertStmt):
        return _insert(equalities, node, relation)
    if isinstance(node, ast.UpdateStmt):
        return _update(equalities, node, relation)
    return _delete(equalities, node, relation) if isinstance(node, ast.DeleteStmt) else None


def _is_left_alone(catalogue: Catalogue, relation: Relation, events: frozenset[str], reach: Reach) -> bool:
    """Does nothing but the statement's own words change rows of this table?"""
    if relation.oid < FIRST_USER_OID or not is_plain_table(relation) or relation.write_rules:
        return False
    triggers = catalogue.triggers.get(relation.oid, ())
    if any(trigger.enabled != "D" and trigger.events & events for trigger in triggers):
        return False
    # A foreign key of the table's own may bring the change back to it, directly or by way of others.
    keys = (key for oid in reach.tables for key in catalogue.foreign_keys_to.get(oid, ()))
    return not any(key.table == relation.oid and {key.on_delete, key.on_update} & _ACTS for key in keys)


def _insert(equalities: Equalities, node: ast.InsertStmt, relation: Relation) -> RowChange | None:
    conflict = node.onConflictClause
    if conflict is not None and conflict.action != enums.OnConflictAction.ONCONFLICT_NOTHING:
        return None
    rows = _rows(node)
    if node.override != enums.OverridingKind.OVERRIDING_NOT_SET or node.withClause or rows is None:
        return None
    columns = _columns(node, relation)
    width = min(len(row) for row in rows)
    confined: list[tuple[int, tuple[Value, ...]]] = []
    for at, column in enumerate(columns[:width]):
        given = _given(equalities, column, (row[at] for row in rows))
        if column is not None and given is not None and len(given) <= MAX_VALUES:
            confined.append((column.number, given))
    return RowChange(relation.oid, None, tuple(confined))


def _rows(node: ast.InsertStmt) -> tuple[tuple[ast.Node, ...], ...] | None:
    """The rows of a plain VALUES: what each of them gives is stored as it stands."""
    source = node.selectStmt
    if not isinstance(source, ast.SelectStmt) or not source.valuesLists:
        return None
    more = (source.withClause, source.sortClause, source.limitCount, source.limitOffset, source.lockingClause)
    return None if any(more) else source.valuesLists


def _columns(node: ast.InsertStmt, relation: Relation) -> list[Column | None]:
    """The column behind each place of a row; None where a part of it is given, or nobody knows."""
    if not node.cols:
        return [*sorted(relation.columns, key=lambda column: column.number)]
    known = {column.name: column for column in relation.columns}
    return [None if target.indirection else known.get(target.name or "") for target in node.cols]


def _given(
    equalities: Equalities, column: Column | None, nodes: Iterable[ast.Node | None]
) -> tuple[Value, ...] | None:
    if column is None:
        return None
    try:
        return tuple(dict.fromkeys(equalities.assigned(column, node) for node in nodes))
    except Unclear:
        return None


def _update(equalities: Equalities, node: ast.UpdateStmt, relation: Relation) -> RowChange | None:
    known = {column.name: column.number for column in relation.columns}
    sets: dict[int, list[ast.ResTarget]] = {}
    for target in node.targetList or ():
        if target.name not in known:
            return None
        sets.setdefault(known[target.name], []).append(target)
    # A generated column may be made of any other.
    changed = frozenset(sets) | {column.number for column in relation.columns if column.generated}
    confined: dict[int, tuple[Value, ...]] = {}
    for column, before in _found(equalities, node, relation):
        after = _after(equalities, column, sets.get(column.number, []))
        if after is not None:
            confined.setdefault(column.number, (before, *after))
    return None if node.withClause else RowChange(relation.oid, changed, tuple(confined.items()))


def _after(equalities: Equalities, column: Column, targets: list[ast.ResTarget]) -> tuple[Value, ...] | None:
    """What the column holds afterwards besides what it held before; None where nobody knows."""
    if not targets:
        return ()
    if len(targets) > 1 or targets[0].indirection:
        return None
    return _given(equalities, column, (targets[0].val,))


def _delete(equalities: Equalities, node: ast.DeleteStmt, relation: Relation) -> RowChange | None:
    confined: dict[int, tuple[Value, ...]] = {}
    for column, value in _found(equalities, node, relation):
        confined.setdefault(column.number, (value,))
    return None if node.withClause else RowChange(relation.oid, None, tuple(confined.items()))


def _found(
    equalities: Equalities, node: ast.UpdateStmt | ast.DeleteStmt, relation: Relation
) -> Iterator[tuple[Column, Value]]:
    """The equalities of WHERE that every row agrees to which the statement finds."""
    tables = (table(relation, node.relation),) if node.relation is not None else ()
    for _, column, value in equalities.among(node.whereClause, tables):
        yield column, value
