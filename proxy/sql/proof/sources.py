"""Items of FROM: tables, sub-selects, joins, functions, and the columns that each offers.

Source: PostgreSQL docs, queries-table-expressions, "The FROM Clause"; parser/parse_clause.c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pglast import ast

from proxy.schema import names
from proxy.sql.proof import expressions, oids, queries, relations
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import split_name
from proxy.sql.proof.scope import Columns, Range, Scope, renamed
from proxy.sql.proof.typenames import type_named, use_type

# What built-in functions name the columns that they return: (name, type) in pg_proc.proargnames' order.
# Source: PostgreSQL docs, functions-json, functions-srf, functions-array, functions-textsearch.
_RECORDS: Final[dict[str, Columns]] = {
    "json_each": (("key", oids.TEXT), ("value", oids.JSON)),
    "json_each_text": (("key", oids.TEXT), ("value", oids.TEXT)),
    "jsonb_each": (("key", oids.TEXT), ("value", oids.JSONB)),
    "jsonb_each_text": (("key", oids.TEXT), ("value", oids.TEXT)),
    "json_array_elements": (("value", oids.JSON),),
    "json_array_elements_text": (("value", oids.TEXT),),
    "jsonb_array_elements": (("value", oids.JSONB),),
    "jsonb_array_elements_text": (("value", oids.TEXT),),
}
# A function of FROM, and its column definitions.
_Part = tuple[ast.Node, "tuple[ast.Node, ...] | None"]


def from_item(proof: Proof, scope: Scope, node: ast.Node | None) -> list[Range]:
    """One item of FROM as ranges; those of a join are its two sides'."""
    if isinstance(node, ast.RangeVar):
        return [_named(proof, scope, node)]
    if isinstance(node, ast.RangeSubselect):
        # Without LATERAL it sees nothing of its neighbours.
        level = scope if node.lateral else _blind(scope)
        output = queries.query(proof, level, node.subquery)
        return [_aliased(Range("", output.columns), node.alias)]
    if isinstance(node, ast.JoinExpr):
        return _join(proof, scope, node)
    if isinstance(node, ast.RangeFunction):
        return [_function(proof, scope, node)]
    if isinstance(node, ast.RangeTableSample):
        return _sample(proof, scope, node)
    if isinstance(node, ast.RangeTableFunc | ast.JsonTable):
        expressions.opaque(proof, scope, node)
        return [_aliased(Range("", (), open=True), node.alias)]
    proof.deny_unseen("unsupported")
    return []


def _sample(proof: Proof, scope: Scope, node: ast.RangeTableSample) -> list[Range]:
    proof.deny("sample")
    if split_name(node.method) not in ((None, "system"), (None, "bernoulli")):
        # A method of an extension, or of anybody.
        proof.pure = False
    for argument in (*(node.args or ()), node.repeatable):
        expressions.type_of(proof, scope, argument)
    return from_item(proof, scope, node.relation)


def _blind(scope: Scope) -> Scope:
    level = Scope(scope.path, scope.outer)
    level.ctes = scope.ctes
    return level


def _aliased(item: Range, alias: ast.Alias | None) -> Range:
    if alias is None:
        return item
    columns = renamed(item.columns, alias.colnames)
    return replace(item, alias=alias.aliasname or "", columns=columns, schema="")


def _named(proof: Proof, scope: Scope, node: ast.RangeVar) -> Range:
    name = node.relname or ""
    if node.schemaname is None and scope.knows_cte(name):
        columns = scope.cte(name)
        if columns is None:
            proof.deny_unseen("unsupported")
        return _aliased(Range(name, columns or ()), node.alias)
    relation = names.resolve_relation(proof.knowledge.catalogue, node.schemaname, name, scope.path)
    if relation is None or node.catalogname is not None:
        proof.unresolved = True
        proof.deny_unseen("unresolved")
        return _aliased(Range(name, ()), node.alias)
    relations.use(proof, relation)
    columns = tuple((column.name, column.type_oid) for column in relation.columns)
    row = proof.knowledge.row_types.get(relation.oid, oids.RECORD)
    # The catalogue names system relations without their columns.
    is_open = not columns and relations.is_system(relation)
    table = relation.kind in "rpmf"
    item = Range(name, columns, schema=relation.schema, row=row, open=is_open, table=table)
    return _aliased(item, node.alias)


def _join(proof: Proof, scope: Scope, node: ast.JoinExpr) -> list[Range]:
    left = from_item(proof, scope, node.larg)
    # The right side may be LATERAL to the left one.
    level = Scope(scope.path, scope.outer)
    level.ctes, level.ranges = scope.ctes, [*scope.ranges, *left]
    right = from_item(proof, level, node.rarg)
    level.ranges = [*left, *right]
    for name in _shared_names(proof, node, left, right):
        _join_column(proof, level, name, left, right)
    expressions.condition(proof, level, node.quals)
    if node.alias is None:
        return [*left, *right]
    columns = tuple(column for item in (*left, *right) for column in item.columns)
    return [_aliased(Range("", columns), node.alias)]


def _shared_names(proof: Proof, node: ast.JoinExpr, left: list[Range], right: list[Range]) -> list[str]:
    if node.isNatural:
        proof.whole_rows = True
        ours = {name for item in left for name, _ in item.columns}
        return [name for item in right for name, _ in item.columns if name in ours]
    return [name.sval or "" for name in node.usingClause or ()]


def _join_column(proof: Proof, scope: Scope, name: str, left: list[Range], right: list[Range]) -> None:
    """USING and NATURAL compare by the operator named =, found along the path."""
    kinds = []
    for side in (left, right):
        level = Scope(scope.path)
        level.ranges = side
        kinds.append(max(level.column(name), oids.UNTYPED))
    expressions.equal(proof, scope, (None, kinds[0]), (None, kinds[1]))


def _function(proof: Proof, scope: Scope, node: ast.RangeFunction) -> Range:
    parts = [_function_part(proof, scope, part, node) for part in _functions(node)]
    columns = tuple(column for part in parts for column in part.columns)
    if node.ordinality:
        columns = (*columns, ("ordinality", oids.INT8))
    first = parts[0] if parts else Range("", ())
    scalar = len(parts) == 1 and not node.ordinality
    item = Range(
        first.alias, columns, row=first.row if scalar else oids.RECORD, open=any(part.open for part in parts)
    )
    return _function_alias(item, node.alias)


def _functions(node: ast.RangeFunction) -> list[_Part]:
    """The functions of ROWS FROM; unnest(a, b) is short for ROWS FROM (unnest(a), unnest(b)).

    Source: PostgreSQL docs, queries-table-expressions, "Table Functions".
    """
    found: list[_Part] = []
    for function, definitions in node.functions or ():
        arguments = (function.args or ()) if isinstance(function, ast.FuncCall) else ()
        if len(arguments) > 1 and split_name(function.funcname) == (None, "unnest"):
            calls = [ast.FuncCall(funcname=function.funcname, args=(argument,)) for argument in arguments]
            found += [(one, None) for one in calls]
        else:
            found.append((function, definitions))
    return found


def _function_alias(item: Range, alias: ast.Alias | None) -> Range:
    """The column of a scalar function takes the alias' name if it has none of its own."""
    renamed = _aliased(item, alias)
    if alias is None or alias.colnames or not item.columns or item.columns[0][0] != item.alias:
        return renamed
    return replace(renamed, columns=((renamed.alias, item.columns[0][1]), *item.columns[1:]))


def _function_part(proof: Proof, scope: Scope, part: _Part, node: ast.RangeFunction) -> Range:
    function, definitions = part
    definitions = definitions or node.coldeflist
    kind = expressions.type_of(proof, scope, function)
    name = queries.column_name(function)
    if definitions:
        return Range(name, tuple(_defined_column(proof, scope, one) for one in definitions))
    if isinstance(function, ast.FuncCall) and name in _RECORDS:
        return Range(name, _RECORDS[name], row=kind)
    row = proof.knowledge.catalogue.types.get(kind)
    relation = proof.knowledge.catalogue.relations.get(row.relation) if row is not None else None
    if relation is not None:
        return Range(name, tuple((c.name, c.type_oid) for c in relation.columns), row=kind)
    if kind in (oids.UNTYPED, oids.RECORD):
        return Range(name, (), open=True)
    return Range(name, ((name, kind),), row=kind)


def _defined_column(proof: Proof, scope: Scope, definition: ast.Node) -> tuple[str, int]:
    """A column of ``AS (name type, ...)``: the function's text is read as that type."""
    if not isinstance(definition, ast.ColumnDef) or definition.typeName is None:
        proof.deny_unseen("unsupported")
        return "", oids.UNTYPED
    kind = type_named(proof, definition.typeName, scope.path)
    use_type(proof, kind)
    if proof.knowledge.holds_dates(kind):
        proof.deny("date")
    if proof.knowledge.checks(kind):
        proof.deny_unseen("type")
    return definition.colname or "", kind
