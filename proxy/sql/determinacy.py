"""Do the rows that a query reads determine its answer? Where not, the origin itself may answer in two ways.

PostgreSQL takes rows in the order that suits it: what cuts, numbers or strings them together without saying
in which order, or adds up floats, has no one answer. An ORDER BY may leave ties, so it proves nothing here.
Source: PostgreSQL docs, queries-limit; sql-select, "DISTINCT Clause"; functions-aggregate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pglast import ast, enums, parser

from proxy.sql.nesting import is_too_deep
from proxy.sql.proof.purity import descendants

# Their result shows the order in which the rows came (mode() and any_value() by their choice among equals).
_IN_ORDER: Final = frozenset(("array_agg", "string_agg", "xmlagg", "mode", "any_value")) | frozenset(
    f"{kind}_{what}{form}"
    for kind in ("json", "jsonb")
    for what in ("agg", "object_agg")
    for form in ("", "_strict", "_unique", "_unique_strict")
)
# Exact for whole numbers and numeric; of floats the last digits depend on the order.
_ADDING: Final = frozenset({"sum", "avg", "stddev", "variance", "corr"}) | frozenset(
    f"{kind}_{what}"
    for kind, forms in (
        ("stddev", ("pop", "samp")),
        ("var", ("pop", "samp")),
        ("covar", ("pop", "samp")),
        ("regr", ("avgx", "avgy", "intercept", "r2", "slope", "sxx", "sxy", "syy")),
    )
    for what in forms
)
_TIES: Final = enums.LimitOption.LIMIT_OPTION_WITH_TIES


@dataclass(frozen=True, slots=True)
class Count:
    """What LIMIT or OFFSET was given: a constant, or (``parameter`` above 0) a parameter's number."""

    value: int = 0
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Determinacy:
    """``determined``: equal rows give an equal answer, but for the order of its rows, as long as ``limit``
    cuts nothing off and ``offset`` nothing away (None: there is none), and, where it is ``adding``, as long
    as nothing it adds up is a float. ``ordered``: it has an ORDER BY.
    """

    determined: bool
    ordered: bool = False
    adding: bool = False
    limit: Count | None = None
    offset: Count | None = None


_UNDETERMINED: Final = Determinacy(determined=False)


def determinacy(text: str, views: Iterable[str] = ()) -> Determinacy:
    """Judge one query. ``views``: the definitions of all views behind it. Never raises; in doubt it is not
    determined.
    """
    query = _parsed(text)
    inner = [_parsed(definition) for definition in views]
    if query is None or None in inner or query.limitOption == _TIES:
        return _UNDETERMINED
    try:
        limit, offset = _count(query.limitCount), _count(query.limitOffset)
    except ValueError:
        return _UNDETERMINED
    nodes = [node for tree in (query, *inner) if tree is not None for node in descendants(tree)]
    if any(_chooses(node) for node in nodes) or any(_cuts(node) for node in nodes if node is not query):
        return _UNDETERMINED
    adding = any(isinstance(node, ast.FuncCall) and _name(node) in _ADDING for node in nodes)
    return Determinacy(True, query.sortClause is not None, adding, limit, offset)


def with_higher_limit(text: str) -> str | None:
    """The same query, its only LIMIT one higher; None where that is no plain number."""
    try:
        tokens = parser.scan(text)
    except (parser.ParseError, ValueError):
        return None
    limits = [place for place, token in enumerate(tokens, 1) if token.name == "LIMIT"]
    number = tokens[limits[0]] if len(limits) == 1 and limits[0] < len(tokens) else None
    if number is None or number.name != "ICONST":
        return None
    digits = text[number.start : number.end + 1]
    if not digits.isdecimal():
        return None
    return f"{text[: number.start]}{int(digits) + 1}{text[number.end + 1 :]}"


def _parsed(text: str) -> ast.SelectStmt | None:
    if is_too_deep(text):
        return None
    try:
        (raw,) = parser.parse_sql(text)
    except (parser.ParseError, ValueError, RecursionError):
        return None
    return raw.stmt if isinstance(raw.stmt, ast.SelectStmt) else None


def _count(node: ast.Node | None) -> Count | None:
    """Raises ``ValueError`` for an expression."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    if node is None or (isinstance(node, ast.A_Const) and node.isnull):
        return None
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
        return Count(value=node.val.ival or 0)
    if isinstance(node, ast.ParamRef) and node.number:
        return Count(parameter=node.number)
    raise ValueError


def _cuts(node: ast.Node) -> bool:
    return isinstance(node, ast.SelectStmt) and (node.limitCount is not None or node.limitOffset is not None)


def _chooses(node: ast.Node) -> bool:
    """Does it show in which order the rows came?"""
    if isinstance(node, ast.SelectStmt):
        return any(by is not None for by in node.distinctClause or ())  # DISTINCT ON
    if isinstance(node, ast.SubLink):
        return node.subLinkType == enums.SubLinkType.ARRAY_SUBLINK
    if isinstance(node, ast.FuncCall):
        return node.over is not None or _name(node) in _IN_ORDER
    return type(node).__name__ in ("JsonArrayAgg", "JsonObjectAgg", "JsonArrayQueryConstructor")


def _name(call: ast.FuncCall) -> str:
    last = call.funcname[-1] if call.funcname else None
    return (last.sval or "") if isinstance(last, ast.String) else ""
