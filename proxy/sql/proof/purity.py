"""Does an expression write nothing? The coarse question, asked of whole trees without inferring a type.

For expressions that PostgreSQL evaluates by itself: column defaults, CHECK constraints, index expressions,
policies, domain checks. The origin prints them with ``search_path = pg_catalog``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pglast import ast, enums, parser

from proxy.schema import names
from proxy.sql.nesting import is_too_deep
from proxy.sql.proof.candidates import choose_any_function
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.volatility import writes_nothing

CATALOG_PATH: Final = ("pg_catalog",)
# Sub-selects in a policy may read views and tables of any kind: that question is too big for here.
_TOO_BIG: Final = ast.SelectStmt
# Domains over domains with checks; PostgreSQL itself has no bound.
_MAX_DEPTH: Final = 8


def descendants(node: ast.Node) -> Iterator[ast.Node]:
    """``node`` and all nodes below it, in no order that matters."""
    waiting: list[object] = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, tuple):
            waiting += here
        elif isinstance(here, ast.Node):
            yield here
            values = (getattr(here, attribute) for attribute in here)
            waiting += [value for value in values if isinstance(value, ast.Node | tuple)]


def expressions_write_nothing(knowledge: Knowledge, expressions: Iterable[str], depth: int = 0) -> bool:
    """Does none of these printed expressions call what might write?"""
    return all(
        knowledge.memory.recall(("expression", text), lambda text=text: _text(knowledge, text, depth))  # type: ignore[misc]  # a default argument binds it now
        for text in expressions
    )


def constants_write_nothing(knowledge: Knowledge, expressions: Iterable[str]) -> bool:
    """Do those parts of these printed expressions call nothing that might write, that name no column?"""
    return all(
        expressions_write_nothing(knowledge, (text,))
        or knowledge.memory.recall(("constants", text), lambda text=text: _constants(knowledge, text))  # type: ignore[misc]  # a default argument binds it now
        for text in expressions
    )


def _constants(knowledge: Knowledge, text: str) -> bool:
    tree = parse_expression(text)
    if tree is None:
        return False
    constant = (
        node
        for node in descendants(tree)
        if isinstance(node, _CALLS) and not any(isinstance(one, ast.ColumnRef) for one in descendants(node))
    )
    return all(tree_writes_nothing(knowledge, node, CATALOG_PATH) for node in constant)


# What PostgreSQL replaces by its value where all that it is given is constant.
_CALLS: Final = (ast.FuncCall, ast.A_Expr, ast.TypeCast, ast.CaseExpr, ast.A_Indirection)


def checks_write_nothing(knowledge: Knowledge, type_oid: int, depth: int = 0) -> bool:
    """Does input to this type write nothing, its CHECK expressions and its default included?"""
    if depth > _MAX_DEPTH:
        return False
    return expressions_write_nothing(knowledge, knowledge.checks(type_oid), depth + 1)


def _text(knowledge: Knowledge, text: str, depth: int) -> bool:
    tree = parse_expression(text)
    return tree is not None and tree_writes_nothing(knowledge, tree, CATALOG_PATH, depth)


def parse_expression(text: str) -> ast.Node | None:
    """The parse tree of one printed expression, None if it is refused."""
    # pg_get_constraintdef() puts the keyword before, and may put one more word after.
    bare = text.removeprefix("CHECK ").removesuffix(" NOT VALID").removesuffix(" NO INHERIT")
    if is_too_deep(bare):
        return None
    try:
        (raw,) = parser.parse_sql(f"SELECT {bare}")
    except (parser.ParseError, ValueError):
        return None
    targets: tuple[ast.ResTarget, ...] = (
        raw.stmt.targetList or () if isinstance(raw.stmt, ast.SelectStmt) else ()
    )
    return targets[0].val if len(targets) == 1 else None


def tree_writes_nothing(knowledge: Knowledge, tree: ast.Node, path: tuple[str, ...], depth: int = 0) -> bool:
    """Does no function, operator or type below ``tree`` run what might write?"""
    return all(_node(knowledge, node, path, depth) for node in descendants(tree))


def _node(knowledge: Knowledge, node: ast.Node, path: tuple[str, ...], depth: int) -> bool:
    if knowledge.unasked_by_users and not isinstance(node, _CONVERTS_NOTHING):
        return False
    if isinstance(node, ast.A_Indices) and knowledge.assigned_by_users:
        return False
    if knowledge.orders_by_user and any(map(_is_compound, _operands(node))):
        return False
    if _stands_for_equality(node) and not _every_equality_writes_nothing(knowledge):
        return False
    if isinstance(node, ast.FuncCall):
        schema, name = split_name(node.funcname)
        return choose_any_function(knowledge, schema, name, path).writes_nothing
    if isinstance(node, ast.A_Expr):
        return _operator(knowledge, node, path)
    if isinstance(node, ast.TypeName):
        return _type(knowledge, node, path, depth)
    return not isinstance(node, _TOO_BIG)


# Beside these, any expression may convert its parts by a cast that nobody asked for, and that is not printed.
_CONVERTS_NOTHING: Final = (
    *(ast.A_Const, ast.Integer, ast.Float, ast.Boolean, ast.String, ast.BitString),
    *(ast.TypeCast, ast.TypeName, ast.CollateClause, ast.SQLValueFunction),
)
_K: Final = enums.A_Expr_Kind
_EQUALITIES: Final = frozenset((_K.AEXPR_DISTINCT, _K.AEXPR_NOT_DISTINCT, _K.AEXPR_NULLIF))


def _stands_for_equality(node: ast.Node) -> bool:
    """Is it printed without the = that it stands for, which may be of any schema?"""
    if isinstance(node, ast.CaseExpr):
        return node.arg is not None
    return isinstance(node, ast.A_Expr) and node.kind in _EQUALITIES


def _operands(node: ast.Node) -> Iterator[ast.Node | None]:
    """What an operator or a function is given, but for the array of = ANY (ARRAY[...]), as IN is printed."""
    if isinstance(node, ast.FuncCall):
        yield from node.args or ()
    elif isinstance(node, ast.A_Expr):
        yield node.lexpr
        if node.kind not in (_K.AEXPR_OP_ANY, _K.AEXPR_OP_ALL) and not isinstance(node.rexpr, tuple):
            yield node.rexpr


def _is_compound(node: ast.Node | None) -> bool:
    """May it be compared by what puts the values inside in order?"""
    if isinstance(node, ast.TypeCast):
        return _is_compound(node.arg)
    return isinstance(node, ast.A_ArrayExpr | ast.RowExpr)


def _every_equality_writes_nothing(knowledge: Knowledge) -> bool:
    catalogue = knowledge.catalogue
    found = (catalogue.functions.get(operator.function) for operator in catalogue.operators.get("=", ()))
    return knowledge.memory.recall(
        "equalities", lambda: all(function is not None and writes_nothing(function) for function in found)
    )


def _operator(knowledge: Knowledge, node: ast.A_Expr, path: tuple[str, ...]) -> bool:
    schema, name = split_name(node.name)
    for operator in names.operators(knowledge.catalogue, schema, _SPELLINGS.get(name, name), path):
        function = knowledge.catalogue.functions.get(operator.function)
        if function is None or not writes_nothing(function):
            return False
    return True


# BETWEEN's node carries its keywords in place of its two operators, of which one stands for both here.
_SPELLINGS: Final = {
    "BETWEEN": ">=",
    "NOT BETWEEN": "<",
    "BETWEEN SYMMETRIC": ">=",
    "NOT BETWEEN SYMMETRIC": "<",
}


def _type(knowledge: Knowledge, node: ast.TypeName, path: tuple[str, ...], depth: int) -> bool:
    schema, name = split_name(node.names)
    found = names.resolve_type(knowledge.catalogue, schema, name, path)
    if found is None or knowledge.runs_unseen_code(found.oid):
        return False
    if knowledge.is_made_by_user_cast(found.oid) or knowledge.is_compared_by_user(found.oid):
        return False
    return checks_write_nothing(knowledge, found.oid, depth)


def split_name(words: Iterable[ast.String] | None) -> tuple[str | None, str]:
    """``[schema.]name`` of a function, type or operator; a database's name before the schema is dropped."""
    parts = [word.sval or "" for word in words or ()]
    return (parts[-2] if len(parts) > 1 else None), (parts[-1] if parts else "")
