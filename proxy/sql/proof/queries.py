"""Queries: SELECT, VALUES, set operations and WITH; the columns they return.

Source: PostgreSQL docs, sql-select; parser/analyze.c, parser/parse_clause.c.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pglast import ast, enums

from proxy.sql.analysis import Lock
from proxy.sql.proof import expressions, oids, sources, writes
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import split_name
from proxy.sql.proof.scope import MISSING, Columns, Output, Scope, renamed
from proxy.sql.proof.typenames import common_type

_DML: Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def query(proof: Proof, outer: Scope | None, node: ast.Node | None, path: tuple[str, ...] = ()) -> Output:
    """Judge a query, or a data-modifying statement in its place; the columns it returns."""
    scope = Scope(outer.path if outer is not None else path, outer)
    if isinstance(node, ast.SelectStmt):
        return as_text(proof, _select(proof, scope, node))
    if isinstance(node, _DML):
        return writes.write(proof, scope, node)
    proof.deny_unseen("unsupported")
    return Output()


def _arm(proof: Proof, outer: Scope, node: ast.SelectStmt | None) -> Output:
    """One side of a set operation: its literals wait for the types of the other side."""
    if node is None:
        proof.deny_unseen("unsupported")
        return Output()
    return _select(proof, Scope(outer.path, outer), node)


def as_text(proof: Proof, output: Output) -> Output:
    """Literals that nothing else gave a type are text."""
    for nodes in output.literals:
        for node in nodes:
            proof.settle(node, oids.TEXT)
    return Output(_typed(output.columns))


def with_clause(proof: Proof, scope: Scope, node: ast.WithClause | None) -> None:
    """Make WITH queries known to ``scope``."""
    if node is None:
        return
    if node.recursive:
        # Each sees all others; one that is used before it was worked out denies.
        scope.ctes.update({cte.ctename: None for cte in node.ctes or ()})
    for cte in node.ctes or ():
        if cte.search_clause is not None or cte.cycle_clause is not None:
            proof.deny("unsupported")
        output = _cte(proof, scope, cte)
        scope.ctes[cte.ctename] = renamed(output.columns, cte.aliascolnames)


def _cte(proof: Proof, scope: Scope, cte: ast.CommonTableExpr) -> Output:
    inner = cte.ctequery
    if not isinstance(inner, ast.SelectStmt) or cte.ctename not in scope.ctes:
        return query(proof, scope, inner)
    if inner.op == enums.SetOperation.SETOP_NONE:
        return query(proof, scope, inner)
    # The first arm, which may not mention the query itself, names and types its columns.
    level = Scope(scope.path, scope)
    with_clause(proof, level, inner.withClause)
    first = _arm(proof, level, inner.larg)
    scope.ctes[cte.ctename] = renamed(_typed(first.columns), cte.aliascolnames)
    second = _arm(proof, level, inner.rarg)
    _set_operation(proof, inner, first, second)
    _tail(proof, level, inner, first.columns)
    return as_text(proof, first)


def _typed(columns: Columns) -> Columns:
    return tuple((name, oids.TEXT if kind == oids.UNKNOWN else kind) for name, kind in columns)


def _select(proof: Proof, scope: Scope, node: ast.SelectStmt) -> Output:
    with_clause(proof, scope, node.withClause)
    if node.intoClause is not None:
        proof.deny("into")
    if node.lockingClause:
        proof.deny("locking")
        proof.lock = max(proof.lock, Lock.TRANSACTION)
    if node.op != enums.SetOperation.SETOP_NONE:
        first, second = _arm(proof, scope, node.larg), _arm(proof, scope, node.rarg)
        output = _set_operation(proof, node, first, second)
    elif node.valuesLists:
        output = _values(proof, scope, node.valuesLists)
    else:
        output = _plain_select(proof, scope, node)
    _tail(proof, scope, node, output.columns)
    return output


def _plain_select(proof: Proof, scope: Scope, node: ast.SelectStmt) -> Output:
    for item in node.fromClause or ():
        scope.ranges += sources.from_item(proof, scope, item)
    expressions.condition(proof, scope, node.whereClause)
    output = targets(proof, scope, node.targetList or ())
    _group(proof, scope, node, output.columns)
    expressions.condition(proof, scope, node.havingClause)
    for definition in node.windowClause or ():
        window(proof, scope, definition)
    if node.distinctClause:
        _distinct(proof, scope, node.distinctClause, output)
    return output


def _distinct(proof: Proof, scope: Scope, clause: tuple[ast.Node | None, ...], output: Output) -> None:
    if clause[0] is None:
        for _, kind in output.columns:
            expressions.ordered(proof, kind)
        return
    for item in clause:
        _sort_key(proof, scope, item, output.columns)


def _set_operation(proof: Proof, node: ast.SelectStmt, first: Output, second: Output) -> Output:
    columns = []
    sides = zip(first.columns, second.columns, first.literals, second.literals, strict=False)
    for (name, kind), (_, other), ours, theirs in sides:
        common = common_type(proof, (kind, other))
        for literal in (*ours, *theirs):
            proof.settle(literal, common)
        if not node.all or node.op != enums.SetOperation.SETOP_UNION:
            # EXCEPT ALL and INTERSECT ALL look for equal rows as well.
            expressions.ordered(proof, common)
        columns.append((name, common))
    return Output(tuple(columns), tuple(() for _ in columns))


def _values(proof: Proof, scope: Scope, rows: tuple[tuple[ast.Node, ...], ...]) -> Output:
    kinds = [[expressions.type_of(proof, scope, value) for value in row] for row in rows]
    columns, literals = [], []
    for at in range(min(len(row) for row in kinds)):
        column = [row[at] for row in kinds]
        waiting = all(kind == oids.UNKNOWN for kind in column)
        common = oids.UNKNOWN if waiting else common_type(proof, column)
        unknown = [row[at] for row, kind in zip(rows, column, strict=True) if kind == oids.UNKNOWN]
        if not waiting:
            for value in unknown:
                proof.settle(value, common)
        columns.append((f"column{at + 1}", common))
        literals.append(tuple(unknown) if waiting else ())
    return Output(tuple(columns), tuple(literals))


def targets(proof: Proof, scope: Scope, nodes: Iterable[ast.Node]) -> Output:
    """A target list: what it returns, with * expanded."""
    columns: list[tuple[str, int]] = []
    literals: list[tuple[ast.Node, ...]] = []
    for target in nodes:
        value = target.val if isinstance(target, ast.ResTarget) else target
        if isinstance(value, ast.ColumnRef) and isinstance((value.fields or (None,))[-1], ast.A_Star):
            expressions.type_of(proof, scope, value)
            columns += _expanded(scope, value)
            literals += [()] * (len(columns) - len(literals))
            continue
        kind = expressions.type_of(proof, scope, value)
        name = target.name if isinstance(target, ast.ResTarget) and target.name else column_name(value)
        columns.append((name, kind))
        literals.append((value,) if kind == oids.UNKNOWN and value is not None else ())
    return Output(tuple(columns), tuple(literals))


def _expanded(scope: Scope, star: ast.ColumnRef) -> list[tuple[str, int]]:
    words = [field.sval or "" for field in star.fields or () if isinstance(field, ast.String)]
    named = scope.range(words[-1], words[-2] if len(words) > 1 else "") if words else None
    items = [named] if named is not None else ([] if words else scope.ranges)
    return [column for item in items for column in item.columns]


def column_name(node: ast.Node | None) -> str:
    """The name PostgreSQL gives an output column without AS. Source: PostgreSQL, parser/parse_target.c."""
    if isinstance(node, ast.ColumnRef):
        return next(
            (f.sval or "" for f in reversed(node.fields or ()) if isinstance(f, ast.String)), "?column?"
        )
    if isinstance(node, ast.A_Indirection):
        fields = [step.sval or "" for step in node.indirection or () if isinstance(step, ast.String)]
        return fields[-1] if fields else column_name(node.arg)
    if isinstance(node, ast.FuncCall):
        return split_name(node.funcname)[1]
    if isinstance(node, ast.TypeCast):
        inner = column_name(node.arg)
        return split_name(node.typeName.names if node.typeName else ())[1] if inner == "?column?" else inner
    if isinstance(node, ast.CollateClause):
        return column_name(node.arg)
    if isinstance(node, ast.CaseExpr):
        inner = column_name(node.defresult)
        return "case" if inner == "?column?" else inner
    if isinstance(node, ast.SubLink):
        return _sublink_name(node)
    return _NAMES.get(type(node), "?column?")


_NAMES: Final[dict[type[ast.Node | None], str]] = {
    ast.CoalesceExpr: "coalesce",
    ast.A_ArrayExpr: "array",
    ast.RowExpr: "row",
    ast.GroupingFunc: "grouping",
}


def _sublink_name(node: ast.SubLink) -> str:
    kinds = enums.SubLinkType
    if node.subLinkType == kinds.EXISTS_SUBLINK:
        return "exists"
    if node.subLinkType == kinds.ARRAY_SUBLINK:
        return "array"
    inner = node.subselect
    if node.subLinkType == kinds.EXPR_SUBLINK and isinstance(inner, ast.SelectStmt) and inner.targetList:
        first = inner.targetList[0]
        return first.name or column_name(first.val)
    return "?column?"


def _group(proof: Proof, scope: Scope, node: ast.SelectStmt, output: Columns) -> None:
    waiting = list(node.groupClause or ())
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.GroupingSet):
            waiting += item.content or ()
        elif isinstance(item, ast.RowExpr):
            waiting += item.args or ()
        else:
            # GROUP BY looks at input columns first, ORDER BY at output columns.
            _sort_key(proof, scope, item, () if _is_input(scope, item) else output)


def _is_input(scope: Scope, node: ast.Node) -> bool:
    words = (node.fields or ()) if isinstance(node, ast.ColumnRef) else ()
    return (
        len(words) == 1 and isinstance(words[0], ast.String) and scope.column(words[0].sval or "") != MISSING
    )


def _sort_key(proof: Proof, scope: Scope, node: ast.Node | None, output: Columns) -> None:
    """A key of ORDER BY, GROUP BY or DISTINCT ON: an output column by name or number, or an expression."""
    kind = _output_key(node, output)
    if kind is None:
        kind = expressions.plain(proof, scope, node, oids.TEXT)
    expressions.ordered(proof, kind)


def _output_key(node: ast.Node | None, output: Columns) -> int | None:
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
        at = (node.val.ival or 0) - 1
        return output[at][1] if 0 <= at < len(output) else oids.UNTYPED
    if isinstance(node, ast.ColumnRef) and len(node.fields or ()) == 1:
        field = (node.fields or ())[0]
        if isinstance(field, ast.String):
            return next((kind for name, kind in output if name == field.sval), None)
    return None


def _tail(proof: Proof, scope: Scope, node: ast.SelectStmt, output: Columns) -> None:
    for item in node.sortClause or ():
        _sort_key(proof, scope, item.node, output)
        _using(proof, item)
    for limit in (node.limitCount, node.limitOffset):
        if limit is not None:
            expressions.plain(proof, scope, limit, oids.INT8)


def sort(proof: Proof, scope: Scope, items: Iterable[ast.SortBy] | None) -> None:
    """An ORDER BY inside an aggregate or a window: expressions only."""
    for item in items or ():
        expressions.ordered(proof, expressions.plain(proof, scope, item.node, oids.TEXT))
        _using(proof, item)


def _using(proof: Proof, item: ast.SortBy) -> None:
    if item.useOp:
        # ORDER BY x USING operator: any operator class may stand behind it.
        proof.deny_unseen("operator")


def window(proof: Proof, scope: Scope, node: ast.WindowDef | None) -> None:
    """A window definition."""
    if node is None:
        return
    for part in node.partitionClause or ():
        expressions.ordered(proof, expressions.plain(proof, scope, part, oids.TEXT))
    sort(proof, scope, node.orderClause)
    for offset in (node.startOffset, node.endOffset):
        if offset is not None:
            expressions.type_of(proof, scope, offset)
