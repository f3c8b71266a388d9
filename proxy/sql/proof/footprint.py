"""What an answer depends on in each relation it reads: which columns, and whether one value's rows alone.

A row that fails a top-level condition of WHERE, or of an inner join's ON, adds nothing to any row of the
answer, and hides none: outer joins add rows without it, but those fail the same strict equality. So an
answer to ``column = value`` depends on the rows with that value, if the relation stands nowhere else in the
statement. Everything unclear is all rows and all columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pglast import ast, enums

from proxy.schema import names
from proxy.schema.catalogue import Column, Relation
from proxy.sql.proof import relations
from proxy.sql.proof.equalities import Equalities, Table, table
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import descendants
from proxy.sql.proof.scope import SYSTEM_COLUMNS
from proxy.sql.rows import Part, Value

_Nodes = tuple[ast.Node, ...]


def parts(proof: Proof, node: ast.SelectStmt, path: tuple[str, ...]) -> tuple[Part, ...]:
    """One part for each relation in ``proof.reads``."""
    found = {oid: Part(oid) for oid in proof.reads}
    nodes = tuple(descendants(node))
    named = _named(proof, nodes, path)
    if named is not None and _is_plain(node, nodes):
        tables = _lone_tables(proof, node, named)
        everybodys = {column.name for relation in named.values() for column in relation.columns}
        mentions = _mentions(node, nodes, tuple(tables.values()), everybodys)
        fixed = _fixed(Equalities(proof, nodes, path), node, tables)
        for one in tables.values():
            oid = one.relation.oid
            column, value = fixed.get(oid, (0, None))
            found[oid] = Part(oid, mentions[oid], column, value)
    return tuple(found.values())


def _named(proof: Proof, nodes: _Nodes, path: tuple[str, ...]) -> dict[int, Relation] | None:
    """The relation behind every name of one in the statement, by the identity of its node.

    None if names may stand for more: WITH queries.
    """
    found: dict[int, Relation] = {}
    for name in nodes:
        if isinstance(name, ast.WithClause):
            return None
        if isinstance(name, ast.RangeVar):
            relation = names.resolve_relation(
                proof.knowledge.catalogue, name.schemaname, name.relname or "", path
            )
            if relation is None:
                return None
            found[id(name)] = relation
    return found


def _is_plain(node: ast.SelectStmt, nodes: _Nodes) -> bool:
    """Is it one level with a FROM whose columns keep their names?"""
    if node.op != enums.SetOperation.SETOP_NONE:
        return False
    for part in nodes:
        if isinstance(part, ast.JoinExpr) and (part.isNatural or part.usingClause or part.alias):
            return False
        if isinstance(part, ast.RangeVar) and part.alias is not None and part.alias.colnames:
            return False
    return True


def _items(nodes: Iterable[ast.Node | None] | None) -> Iterator[ast.Node]:
    """These items of FROM and all in their joins, the joins themselves included."""
    waiting = list(nodes or ())
    while waiting:
        item = waiting.pop()
        if item is not None:
            yield item
        if isinstance(item, ast.JoinExpr):
            waiting += [item.larg, item.rarg]


def _lone_tables(proof: Proof, node: ast.SelectStmt, named: dict[int, Relation]) -> dict[int, Table]:
    """The tables of FROM that the statement reads in no other place, views and their kin included.

    By the identity of the node that names them.
    """
    times: Counter[int] = Counter()
    for relation in named.values():
        times.update(relations.reading(proof.knowledge, relation).reads)
    if set(times) != proof.reads:
        return {}
    here = (item for item in _items(node.fromClause) if isinstance(item, ast.RangeVar))
    return {
        id(item): table(named[id(item)], item)
        for item in here
        if is_plain_table(named[id(item)]) and times[named[id(item)].oid] == 1
    }


def is_plain_table(relation: Relation) -> bool:
    """Is it a table by itself: no view, no partition or parent of any?"""
    return relation.kind == "r" and relation.heap and not (relation.parents or relation.children)


def _fixed(
    equalities: Equalities, node: ast.SelectStmt, tables: dict[int, Table]
) -> dict[int, tuple[int, Value]]:
    """For each table that an equality restricts: the column, and the value."""
    found = list(equalities.among(node.whereClause, tuple(tables.values())))
    for join in _items(node.fromClause):
        if isinstance(join, ast.JoinExpr) and join.jointype == enums.JoinType.JOIN_INNER:
            # Names in ON are those of the two sides alone, whoever else is in FROM.
            inside = (tables[id(item)] for item in _items((join.larg, join.rarg)) if id(item) in tables)
            found += equalities.among(join.quals, tuple(inside))
    best: dict[int, tuple[Column, Value]] = {}
    for one, column, value in found:
        known = best.get(one.relation.oid)
        if known is None or _rank(column) < _rank(known[0]):
            best[one.relation.oid] = (column, value)
    return {oid: (column.number, value) for oid, (column, value) in best.items()}


def _rank(column: Column) -> tuple[bool, int]:
    """Writes go by keys; those that the database makes itself are some, and mostly they come first."""
    makes_itself = column.identity or "nextval(" in (column.default or "") or "uuid" in (column.default or "")
    return not makes_itself, column.number


def _mentions(
    node: ast.SelectStmt, nodes: _Nodes, tables: tuple[Table, ...], everybodys: set[str]
) -> dict[int, frozenset[int] | None]:
    """For each table the columns that any name in the statement may mean; None for all of them.

    ``everybodys``: columns of all relations in the statement, inner levels too.
    """
    outputs = {target.name for target in node.targetList or () if isinstance(target, ast.ResTarget)}
    harmless = (everybodys | {name for name in outputs if name}) - SYSTEM_COLUMNS
    found: dict[int, set[int] | None] = {one.relation.oid: set() for one in tables}
    for reference in nodes:
        if isinstance(reference, ast.ColumnRef):
            for one in tables:
                meant = _meant(reference, one, harmless)
                known = found[one.relation.oid]
                found[one.relation.oid] = None if known is None or meant is None else known | meant
    return {oid: None if columns is None else frozenset(columns) for oid, columns in found.items()}


def _meant(reference: ast.ColumnRef, one: Table, harmless: set[str]) -> set[int] | None:
    """The columns of this table that the reference may mean, whatever stands between them; None: all."""
    words = [field.sval or "" for field in reference.fields or () if isinstance(field, ast.String)]
    starred = len(words) < len(reference.fields or ())
    qualifier = words[-1:] if starred else words[-2:-1]
    if qualifier and qualifier[0] != one.alias:
        return set()
    numbers = set() if starred else {c.number for c in one.relation.columns if c.name == words[-1]}
    if numbers and words[-1] != one.alias:
        return numbers
    # *, the whole row by its name, a function of it, a system column: or a column of somebody else's.
    is_elsewhere = not starred and not qualifier and words[-1] in harmless and words[-1] != one.alias
    return set() if is_elsewhere else None
