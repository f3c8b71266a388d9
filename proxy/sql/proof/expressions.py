"""Expressions: the type of each, and whether a remembered answer may hold it.

One handler per kind of parse node; a kind without a handler denies and counts as running unseen code.
It stays one module: a single table, PostgreSQL's expression grammar node by node.
Source: PostgreSQL, parser/parse_expr.c; docs, sql-expressions.
"""

# ruff: noqa: ARG001 - all handlers of the table take the same
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, cast

from pglast import ast, enums

from proxy.sql.proof import oids, queries
from proxy.sql.proof.calls import call, has_effects
from proxy.sql.proof.candidates import PREFIX, Choice, choose_operator, may_be_users
from proxy.sql.proof.dates import is_moving
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import CATALOG_PATH, descendants, split_name, tree_writes_nothing
from proxy.sql.proof.scope import MISSING, SYSTEM_COLUMNS, Range, Scope, column_of
from proxy.sql.proof.typenames import agree, convert, type_named, use_type
from proxy.sql.proof.volatility import is_built_in

_Handler = Callable[[Proof, Scope, ast.Node], int]
_Node = TypeVar("_Node", bound=ast.Node)
_HANDLERS: Final[dict[type[ast.Node], _Handler]] = {}


def _handles(kind: type[_Node]) -> Callable[[Callable[[Proof, Scope, _Node], int]], None]:
    def register(handler: Callable[[Proof, Scope, _Node], int]) -> None:
        _HANDLERS[kind] = cast(_Handler, handler)

    return register


def type_of(proof: Proof, scope: Scope, node: ast.Node | None) -> int:
    """The type of an expression, 0 if it cannot be told; lowers ``proof`` by all that the expression does."""
    if node is None:
        return oids.UNKNOWN
    handler = _HANDLERS.get(type(node))
    if handler is None:
        proof.deny_unseen("unsupported")
        return oids.UNTYPED
    return handler(proof, scope, node)


def walk(proof: Proof, scope: Scope, nodes: Iterable[ast.Node | None] | None) -> None:
    """Judge expressions whose types do not matter."""
    for node in nodes or ():
        type_of(proof, scope, node)


def condition(proof: Proof, scope: Scope, node: ast.Node | None) -> None:
    """A WHERE, ON, HAVING, FILTER or WHEN: a boolean."""
    if node is not None:
        plain(proof, scope, node, oids.BOOL)


def plain(proof: Proof, scope: Scope, node: ast.Node | None, target: int) -> int:
    """An expression whose literals are taken for ``target``."""
    kind = type_of(proof, scope, node)
    if kind == oids.UNKNOWN and node is not None:
        proof.settle(node, target)
        return target
    if target != oids.TEXT and proof.knowledge.converts_by_user(kind, target):
        proof.deny_unseen("cast")
    return kind


def ordered(proof: Proof, kind: int) -> None:
    """Values of this type are compared by the default operator class of their type."""
    if kind == oids.UNKNOWN or proof.knowledge.is_ordered(kind):
        return
    proof.deny("type")
    if proof.knowledge.orders_by_user:
        proof.pure = False


@_handles(ast.A_Const)
def _constant(proof: Proof, scope: Scope, node: ast.A_Const) -> int:
    value = node.val
    if isinstance(value, ast.String):
        if is_moving((value.sval or "").encode()):
            proof.await_target(node, 0)
        return oids.UNKNOWN
    if isinstance(value, ast.Integer):
        return oids.INT4
    if isinstance(value, ast.Float):
        digits = (value.fval or "").replace("_", "")
        fits = digits.isdecimal() and int(digits) < 1 << 63
        return oids.INT8 if fits else oids.NUMERIC
    if isinstance(value, ast.Boolean):
        return oids.BOOL
    return oids.BIT if isinstance(value, ast.BitString) else oids.UNKNOWN


@_handles(ast.ParamRef)
def _parameter(proof: Proof, scope: Scope, node: ast.ParamRef) -> int:
    number = node.number or 0
    kind = proof.type_of_parameter(number)
    if kind == oids.UNKNOWN:
        proof.await_target(node, number)
        return kind
    use_type(proof, kind)
    if proof.knowledge.checks(kind):
        proof.deny_unseen("type")
    if proof.knowledge.holds_dates(kind):
        proof.await_target(node, number)
    return kind


@_handles(ast.ColumnRef)
def _column(proof: Proof, scope: Scope, node: ast.ColumnRef) -> int:
    fields: tuple[ast.Node, ...] = node.fields or ()
    words = [field.sval or "" for field in fields if isinstance(field, ast.String)]
    if len(words) < len(fields):
        return _star(proof, scope, words)
    kind = _bare_column(proof, scope, words[0]) if len(words) == 1 else _qualified(proof, scope, words)
    if kind == MISSING:
        # What is no column may be a function of the row: t.f means f(t).
        proof.unresolved = True
        proof.deny_unseen("unresolved")
        return oids.UNTYPED
    return _read(proof, kind)


def _read(proof: Proof, kind: int) -> int:
    if kind != oids.UNTYPED:
        use_type(proof, kind)
    return kind


def _bare_column(proof: Proof, scope: Scope, name: str) -> int:
    kind = scope.column(name)
    if kind != MISSING:
        return kind
    item = scope.range(name)
    if item is not None:
        return whole_row(proof, item)
    if name in SYSTEM_COLUMNS and any(item.table for level in scope.levels() for item in level.ranges):
        return _system_column(proof, name)
    return _open_column(proof, scope, name, [item for level in scope.levels() for item in level.ranges])


def _qualified(proof: Proof, scope: Scope, words: list[str]) -> int:
    schema = words[-3] if len(words) > 2 else ""
    item = scope.range(words[-2], schema)
    if item is None:
        return MISSING
    kind = column_of(item, words[-1])
    if kind != MISSING:
        return kind
    if item.table and words[-1] in SYSTEM_COLUMNS:
        return _system_column(proof, words[-1])
    return _open_column(proof, scope, words[-1], [item])


def _open_column(proof: Proof, scope: Scope, name: str, items: list[Range]) -> int:
    """A column of a function's record, whose columns are not known here: not if a function is named so."""
    return oids.UNTYPED if any(item.open for item in items) and not _may_be_call(proof, name) else MISSING


def _may_be_call(proof: Proof, name: str) -> bool:
    """``row.name`` and ``name(row)`` are one: may a function of that name do what is not proven?"""
    catalogue = proof.knowledge.catalogue
    found = (catalogue.functions[oid] for oid in catalogue.function_names.get(name, ()))
    return not all(is_built_in(function) and function.volatility == "i" for function in found)


def _system_column(proof: Proof, name: str) -> int:
    if name != "tableoid":
        proof.deny("column")
    return oids.UNTYPED if name != "tableoid" else oids.OID


def whole_row(proof: Proof, item: Range) -> int:
    """All columns of ``item`` as one value, or the value itself where a function returns a scalar."""
    proof.whole_rows = True
    for _, kind in item.columns:
        _read(proof, kind)
    return item.row


def _star(proof: Proof, scope: Scope, words: list[str]) -> int:
    items = scope.ranges
    if words:
        item = scope.range(words[-1], words[-2] if len(words) > 1 else "")
        items = [item] if item is not None else []
    if not items:
        proof.unresolved = True
        proof.deny_unseen("unresolved")
    for item in items:
        whole_row(proof, item)
    return oids.RECORD


@_handles(ast.TypeCast)
def _cast(proof: Proof, scope: Scope, node: ast.TypeCast) -> int:
    target = type_named(proof, node.typeName, scope.path) if node.typeName is not None else oids.UNTYPED
    element = proof.knowledge.element(target)
    if isinstance(node.arg, ast.A_ArrayExpr) and element:
        # ARRAY[...]::t[] coerces each element on its own.
        use_type(proof, target)
        _array_elements(proof, scope, node.arg, element)
        return target
    convert(proof, node.arg, type_of(proof, scope, node.arg), target)
    return target


def _array_elements(proof: Proof, scope: Scope, node: ast.A_ArrayExpr, target: int) -> None:
    for part in node.elements or ():
        if isinstance(part, ast.A_ArrayExpr):
            _array_elements(proof, scope, part, target)
            continue
        kind = type_of(proof, scope, part)
        convert(proof, part, kind, target)
        if proof.knowledge.element(kind):
            # What is an array itself adds a dimension, and is turned into an array of the same elements.
            convert(proof, part, kind, proof.knowledge.arrays.get(target, oids.UNTYPED))


@_handles(ast.A_ArrayExpr)
def _array(proof: Proof, scope: Scope, node: ast.A_ArrayExpr) -> int:
    element = agree(proof, [(part, type_of(proof, scope, part)) for part in node.elements or ()])
    # An array of arrays is one array of more dimensions, but one of domains over arrays is not.
    is_array = proof.knowledge.element(element) and proof.knowledge.base(element) == element
    return element if is_array else proof.knowledge.arrays.get(element, oids.UNTYPED)


@_handles(ast.RowExpr)
def _row(proof: Proof, scope: Scope, node: ast.RowExpr) -> int:
    # A literal in a row may yet be taken for what the row is compared with: it stays unsettled.
    walk(proof, scope, node.args)
    return oids.RECORD


@_handles(ast.BoolExpr)
def _boolean(proof: Proof, scope: Scope, node: ast.BoolExpr) -> int:
    for part in node.args or ():
        condition(proof, scope, part)
    return oids.BOOL


@_handles(ast.NullTest)
def _null_test(proof: Proof, scope: Scope, node: ast.NullTest) -> int:
    # IS NULL of a literal takes it for text. Source: PostgreSQL, parser/parse_expr.c.
    plain(proof, scope, node.arg, oids.TEXT)
    return oids.BOOL


@_handles(ast.BooleanTest)
def _boolean_test(proof: Proof, scope: Scope, node: ast.BooleanTest) -> int:
    condition(proof, scope, node.arg)
    return oids.BOOL


@_handles(ast.CaseExpr)
def _case(proof: Proof, scope: Scope, node: ast.CaseExpr) -> int:
    # A literal behind CASE is text, whatever it is compared with. Source: PostgreSQL, parser/parse_expr.c.
    subject = plain(proof, scope, node.arg, oids.TEXT)
    results: list[ast.Node] = []
    for when in node.args or ():
        if node.arg is not None:
            equal(proof, scope, (node.arg, subject), (when.expr, type_of(proof, scope, when.expr)))
        else:
            condition(proof, scope, when.expr)
        results.append(when.result)
    if node.defresult is not None:
        results.append(node.defresult)
    return agree(proof, [(part, type_of(proof, scope, part)) for part in results])


@_handles(ast.CoalesceExpr)
def _coalesce(proof: Proof, scope: Scope, node: ast.CoalesceExpr) -> int:
    return agree(proof, [(part, type_of(proof, scope, part)) for part in node.args or ()])


@_handles(ast.MinMaxExpr)
def _greatest(proof: Proof, scope: Scope, node: ast.MinMaxExpr) -> int:
    kind = agree(proof, [(part, type_of(proof, scope, part)) for part in node.args or ()])
    ordered(proof, kind)
    return kind


@_handles(ast.CollateClause)
def _collate(proof: Proof, scope: Scope, node: ast.CollateClause) -> int:
    return plain(proof, scope, node.arg, oids.TEXT)


@_handles(ast.GroupingFunc)
def _grouping(proof: Proof, scope: Scope, node: ast.GroupingFunc) -> int:
    walk(proof, scope, node.args)
    return oids.INT4


@_handles(ast.SQLValueFunction)
def _keyword(proof: Proof, scope: Scope, node: ast.SQLValueFunction) -> int:
    # CURRENT_DATE, LOCALTIME, CURRENT_USER and the other keyword forms move or depend on who asks.
    proof.deny("time" if (node.op or 0) <= enums.SQLValueFunctionOp.SVFOP_LOCALTIMESTAMP_N else "keyword")
    return oids.UNTYPED


@_handles(ast.SetToDefault)
def _default(proof: Proof, scope: Scope, node: ast.SetToDefault) -> int:
    # DEFAULT stands only in INSERT and UPDATE; what it evaluates is judged with the table.
    return oids.UNKNOWN


@_handles(ast.MergeSupportFunc)
def _merge_action(proof: Proof, scope: Scope, node: ast.MergeSupportFunc) -> int:
    if proof.knowledge.catalogue.server_version < _SQL_JSON_VERSION:
        # An older server reads a call of a user's function merge_action().
        proof.deny_unseen("version")
    return oids.TEXT


# The SQL/JSON functions and MERGE_ACTION() are keywords since then, and calls of users' functions before.
# Source: PostgreSQL docs, release-17, "Migration"; sql-keywords-appendix.
_SQL_JSON_VERSION: Final = 170000
# Grammar that no rule admits to the memory, but whose parts can be looked through for what might write.
_OPAQUE: Final = (
    ast.JsonArrayAgg,
    ast.JsonArrayConstructor,
    ast.JsonFuncExpr,
    ast.JsonIsPredicate,
    ast.JsonObjectAgg,
    ast.JsonObjectConstructor,
    ast.JsonParseExpr,
    ast.JsonScalarExpr,
    ast.JsonSerializeExpr,
    ast.JsonTable,
    ast.RangeTableFunc,
    ast.XmlExpr,
    ast.XmlSerialize,
)
_XML: Final = (ast.XmlExpr, ast.XmlSerialize, ast.RangeTableFunc)


def opaque(proof: Proof, scope: Scope, node: ast.Node) -> int:
    """A construct that is denied, but does not count as unseen code if nothing in it can write or lock."""
    old_server = proof.knowledge.catalogue.server_version < _SQL_JSON_VERSION
    if old_server and not isinstance(node, _XML):
        proof.deny_unseen("version")
    proof.deny("unsupported")
    calls = (part for part in descendants(node) if isinstance(part, ast.FuncCall))
    effects = any(has_effects(split_name(part.funcname)[1]) for part in calls)
    if effects or not tree_writes_nothing(proof.knowledge, node, scope.path):
        proof.pure = False
    return oids.UNTYPED


_HANDLERS.update(dict.fromkeys(_OPAQUE, opaque))


@_handles(ast.MultiAssignRef)
def _multiple_assignment(proof: Proof, scope: Scope, node: ast.MultiAssignRef) -> int:
    # SET (a, b) = (SELECT ...): one source for several columns, judged once for each.
    return type_of(proof, scope, node.source)


@_handles(ast.FuncCall)
def _call(proof: Proof, scope: Scope, node: ast.FuncCall) -> int:
    return call(proof, scope, node)


@_handles(ast.A_Indirection)
def _indirection(proof: Proof, scope: Scope, node: ast.A_Indirection) -> int:
    kind = type_of(proof, scope, node.arg)
    for step in node.indirection or ():
        kind = (
            _subscript(proof, scope, step, kind)
            if isinstance(step, ast.A_Indices)
            else _field(proof, step, kind)
        )
    return kind


def _subscript(proof: Proof, scope: Scope, step: ast.A_Indices, kind: int) -> int:
    for bound in (step.lidx, step.uidx):
        if bound is not None:
            place = plain(proof, scope, bound, oids.INT4)
            # That of an array is an integer, that of jsonb may be a text as well.
            if proof.knowledge.converts_by_user(place, oids.TEXT):
                proof.deny_unseen("cast")
    base = proof.knowledge.base(kind)
    if base == oids.JSONB or step.is_slice:
        return base
    element = proof.knowledge.element(kind)
    if not element:
        # Subscripting of other types is their own code's; point and name are built in.
        proof.deny("type")
    return element


def _field(proof: Proof, step: ast.Node, kind: int) -> int:
    row = proof.knowledge.catalogue.types.get(proof.knowledge.base(kind))
    relation = proof.knowledge.catalogue.relations.get(row.relation) if row is not None else None
    if isinstance(step, ast.String) and relation is not None:
        for column in relation.columns:
            if column.name == step.sval:
                return _read(proof, column.type_oid)
    if isinstance(step, ast.String) and not _may_be_call(proof, step.sval or ""):
        return oids.UNTYPED
    # What is no field may be a function of the row; and * of a row is left out.
    proof.deny_unseen("unresolved")
    return oids.UNTYPED


@_handles(ast.SubLink)
def _sublink(proof: Proof, scope: Scope, node: ast.SubLink) -> int:
    output = queries.query(proof, scope, node.subselect)
    kinds = enums.SubLinkType
    if node.subLinkType == kinds.EXISTS_SUBLINK:
        return oids.BOOL
    first = output.columns[0][1] if output.columns else oids.UNTYPED
    if node.subLinkType == kinds.ARRAY_SUBLINK:
        return proof.knowledge.arrays.get(first, oids.UNTYPED)
    if node.subLinkType in (kinds.ANY_SUBLINK, kinds.ALL_SUBLINK):
        _, name = split_name(node.operName)
        rights = [kind for _, kind in output.columns]
        _compare_rows(proof, scope, split_name(node.operName)[0], name or "=", node.testexpr, rights)
        return oids.BOOL
    return first if node.subLinkType == kinds.EXPR_SUBLINK else oids.UNTYPED


def _compare_rows(
    proof: Proof, scope: Scope, schema: str | None, name: str, left: ast.Node | None, rights: list[int]
) -> None:
    parts = (left.args or ()) if isinstance(left, ast.RowExpr) else (left,)
    if len(parts) != len(rights):
        walk(proof, scope, parts)
        proof.deny("operator")
        return
    for part, right in zip(parts, rights, strict=True):
        compare(proof, scope, name, (part, type_of(proof, scope, part)), (None, right), schema)


_Side = tuple["ast.Node | None", int]


def compare(
    proof: Proof, scope: Scope, name: str, left: _Side, right: _Side, schema: str | None = None
) -> int:
    """Judge ``left name right`` and settle literals on either side; the result's type."""
    choice = choose_operator(proof.knowledge, schema, name, left[1], right[1], scope.path)
    _apply(proof, choice)
    sides = [right] if left[1] == PREFIX else [left, right]
    for place, (node, kind) in enumerate(sides):
        if node is not None and kind == oids.UNKNOWN:
            settle_all(proof, node, choice, place)
        elif kind not in (oids.UNKNOWN, oids.UNTYPED) and choice.accepted and _compares_parts(choice, place):
            ordered(proof, kind)
    return choice.result


def equal(proof: Proof, scope: Scope, left: _Side, right: _Side) -> None:
    """Judge the = that a construct stands for without a word of it."""
    compare(proof, scope, "=", left, right)
    if scope.path == CATALOG_PATH and may_be_users(proof.knowledge, left[1], right[1]):
        proof.deny_unseen("operator")


def _compares_parts(choice: Choice, place: int) -> bool:
    """Operators on arrays, rows and ranges find the comparison of what is inside by its operator class."""
    return bool(choice.accepted[place] & (oids.POLYMORPHIC | {oids.RECORD}))


def _apply(proof: Proof, choice: Choice) -> None:
    if choice.denial:
        proof.deny(choice.denial)
    if not choice.writes_nothing:
        proof.pure = False


def settle_all(proof: Proof, node: ast.Node | None, choice: Choice, place: int) -> None:
    """A literal argument is taken for one of the types that the candidates accept in its ``place``."""
    if node is None:
        return
    accepted = choice.accepted[place] if place < len(choice.accepted) else frozenset()
    for kind in accepted:
        word = proof.knowledge.taint(kind)
        if word and kind not in oids.TEXT_SEARCH:
            proof.deny(word)
    if accepted and not any(
        kind in oids.POLYMORPHIC or proof.knowledge.holds_dates(kind) for kind in accepted
    ):
        proof.settle(node, oids.TEXT)


@_handles(ast.A_Expr)
def _operator(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    return _EXPRESSIONS.get(node.kind or enums.A_Expr_Kind.AEXPR_OP, _unknown_operator)(proof, scope, node)


def _unknown_operator(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    proof.deny_unseen("unsupported")
    return oids.UNTYPED


def _right(node: ast.A_Expr) -> ast.Node | None:
    """The right side where it is one expression. Raises TypeError for a list, which IN and BETWEEN have."""
    if isinstance(node.rexpr, tuple):
        raise TypeError
    return node.rexpr


def _binary(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    schema, name = split_name(node.name)
    side = _right(node)
    if isinstance(node.lexpr, ast.RowExpr) and isinstance(side, ast.RowExpr):
        rights = [type_of(proof, scope, part) for part in side.args or ()]
        _rows(proof, scope, name, node.lexpr.args or (), list(zip(side.args or (), rights, strict=True)))
        return oids.BOOL
    left = PREFIX if node.lexpr is None else type_of(proof, scope, node.lexpr)
    right = type_of(proof, scope, _right(node))
    return compare(proof, scope, name, (node.lexpr, left), (_right(node), right), schema)


def _rows(
    proof: Proof, scope: Scope, name: str, lefts: tuple[ast.Node, ...], rights: list[tuple[ast.Node, int]]
) -> None:
    if len(lefts) != len(rights):
        proof.deny("operator")
        return
    for left, right in zip(lefts, rights, strict=True):
        # A row's < and > also use the operator class behind the type's =.
        compare(proof, scope, name, (left, type_of(proof, scope, left)), right)


def _any_or_all(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    schema, name = split_name(node.name)
    left = type_of(proof, scope, node.lexpr)
    array = type_of(proof, scope, _right(node))
    element = oids.UNKNOWN if array == oids.UNKNOWN else proof.knowledge.element(array)
    return compare(proof, scope, name, (node.lexpr, left), (_right(node), element), schema)


def _in_list(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    _, name = split_name(node.name)
    items: tuple[ast.Node, ...] = node.rexpr if isinstance(node.rexpr, tuple) else ()
    if isinstance(node.lexpr, ast.RowExpr):
        for item in items:
            row = item.args or () if isinstance(item, ast.RowExpr) else (item,)
            _rows(
                proof,
                scope,
                name,
                node.lexpr.args or (),
                [(part, type_of(proof, scope, part)) for part in row],
            )
        return oids.BOOL
    left = type_of(proof, scope, node.lexpr)
    for item in items:
        compare(proof, scope, name, (node.lexpr, left), (item, type_of(proof, scope, item)))
    return oids.BOOL


def _between(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    left = type_of(proof, scope, node.lexpr)
    bounds: tuple[ast.Node, ...] = node.rexpr if isinstance(node.rexpr, tuple) else ()
    for bound in bounds:
        right = type_of(proof, scope, bound)
        for name in (">=", "<=", "<", ">"):
            compare(proof, scope, name, (node.lexpr, left), (bound, right))
    return oids.BOOL


def _distinct(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    this, that = node.lexpr, _right(node)
    pairs = [(this, that)]
    if isinstance(this, ast.RowExpr) and isinstance(that, ast.RowExpr):
        # Field by field, by whatever = the fields find.
        pairs = list(zip(this.args or (), that.args or (), strict=True))
    for left, right in pairs:
        equal(proof, scope, (left, type_of(proof, scope, left)), (right, type_of(proof, scope, right)))
    return oids.BOOL


def _nullif(proof: Proof, scope: Scope, node: ast.A_Expr) -> int:
    left, right = type_of(proof, scope, node.lexpr), type_of(proof, scope, _right(node))
    equal(proof, scope, (node.lexpr, left), (_right(node), right))
    return oids.TEXT if left == oids.UNKNOWN else left


_K = enums.A_Expr_Kind
_EXPRESSIONS: Final[dict[int, Callable[[Proof, Scope, ast.A_Expr], int]]] = {
    _K.AEXPR_OP: _binary,
    _K.AEXPR_OP_ANY: _any_or_all,
    _K.AEXPR_OP_ALL: _any_or_all,
    _K.AEXPR_DISTINCT: _distinct,
    _K.AEXPR_NOT_DISTINCT: _distinct,
    _K.AEXPR_NULLIF: _nullif,
    _K.AEXPR_IN: _in_list,
    _K.AEXPR_LIKE: _binary,
    _K.AEXPR_ILIKE: _binary,
    _K.AEXPR_SIMILAR: _binary,
    _K.AEXPR_BETWEEN: _between,
    _K.AEXPR_NOT_BETWEEN: _between,
    _K.AEXPR_BETWEEN_SYM: _between,
    _K.AEXPR_NOT_BETWEEN_SYM: _between,
}
