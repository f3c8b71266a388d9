"""Equalities that confine rows: ``column = constant or parameter``, and values that a column is given.

Only by the type's own ``=`` of pg_catalog, on the bare column, under a deterministic collation; everything
else proves nothing. Source: PostgreSQL docs, typeconv-oper; collation, "Nondeterministic Collations";
parser/parse_param.c (a parameter without a type takes that of the place where it stands).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final

from pglast import ast, enums

from proxy.schema import names
from proxy.schema.catalogue import FIRST_USER_OID, Column, Relation
from proxy.sql import values
from proxy.sql.proof import oids
from proxy.sql.proof.candidates import choose_operator
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import split_name
from proxy.sql.proof.typenames import type_named
from proxy.sql.rows import Canonical, Parameter, Value
from proxy.sql.values import Unclear

_BUILT_IN: Final = (None, "pg_catalog")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as FROM, UPDATE or DELETE names it; ``schema`` is "" where it has an alias."""

    relation: Relation
    alias: str
    schema: str


def table(relation: Relation, node: ast.RangeVar) -> Table:
    """The table that ``node`` names, which is ``relation``."""
    if node.alias is not None:
        return Table(relation, node.alias.aliasname or "", "")
    return Table(relation, relation.name, relation.schema)


@dataclass(frozen=True, slots=True)
class _Source:
    """An expression that is one value: its type (705 while it waits for one), and the value or where it
    comes from. ``text``: a string literal, to be read as the type that it is taken for.
    """

    kind: int
    value: Value = None
    text: bytes | None = None


@final
class Equalities:
    """Those of one statement, read along ``path``; ``nodes``: all of its parse tree."""

    __slots__ = ("_nodes", "_path", "_proof", "_uses")

    def __init__(self, proof: Proof, nodes: Iterable[ast.Node], path: tuple[str, ...]) -> None:
        self._proof = proof
        self._nodes = nodes
        self._path = path
        self._uses: Counter[int] | None = None

    def among(
        self, condition: ast.Node | None, tables: tuple[Table, ...]
    ) -> Iterator[tuple[Table, Column, Value]]:
        """Every equality that holds for all rows which pass the condition.

        ``tables``: those that its names may mean. One that is left out must not be meant by a bare name that
        one of them has too; two that are there PostgreSQL refuses.
        """
        for part in conjuncts(condition):
            found = self._equality(part, tables) if isinstance(part, ast.A_Expr) else None
            if found is not None:
                yield found

    def assigned(self, column: Column, node: ast.Node | None) -> Value:
        """What the column holds once it was given ``node``. Raises ``Unclear``."""
        source = self._source(node)
        length_limited = column.type_oid == values.VARCHAR and column.typmod >= 0
        if source is None or length_limited or not self._may_confine(column):
            raise Unclear
        return _settled(source, column.type_oid)

    def _equality(self, node: ast.A_Expr, tables: tuple[Table, ...]) -> tuple[Table, Column, Value] | None:
        schema, name = split_name(node.name)
        if node.kind != enums.A_Expr_Kind.AEXPR_OP or name != "=" or schema not in _BUILT_IN:
            return None
        if isinstance(node.rexpr, tuple) or self._users_compare(schema):
            return None
        for this, that in ((node.lexpr, node.rexpr), (node.rexpr, node.lexpr)):
            place, source = _column(this, tables), self._source(that)
            if place is not None and source is not None and self._may_confine(place[1]):
                return self._compared(place, source, schema)
        return None

    def _compared(
        self, place: tuple[Table, Column], source: _Source, schema: str | None
    ) -> tuple[Table, Column, Value] | None:
        """PostgreSQL's = is the same in both orders, and so is the choice of it."""
        column = place[1]
        sides = _operand(column.type_oid), _operand(source.kind)
        choice = choose_operator(self._proof.knowledge, schema, "=", *sides, self._path)
        kinds = values.family(column.type_oid)
        if choice.denial or not all(len(side) == 1 and side <= kinds for side in choice.accepted):
            return None
        (taken_for,) = choice.accepted[1]
        try:
            return *place, _settled(source, taken_for)
        except Unclear:
            return None

    def _users_compare(self, schema: str | None) -> bool:
        """May = on these types come to an operator of a user's?"""
        knowledge, path = self._proof.knowledge, self._path

        def any_visible() -> bool:
            visible = names.operators(knowledge.catalogue, schema, "=", path)
            made = (operator for operator in visible if operator.oid >= FIRST_USER_OID)
            return any(min(operator.left, operator.right) < FIRST_USER_OID for operator in made)

        return knowledge.memory.recall(("users compare", schema, path), any_visible)

    def _may_confine(self, column: Column) -> bool:
        catalogue = self._proof.knowledge.catalogue
        folds = column.collation in catalogue.nondeterministic_collations
        return column.type_oid in values.KNOWN and not (column.generated or folds)

    def _source(self, node: ast.Node | None) -> _Source | None:
        if isinstance(node, ast.A_Const):
            return _constant(node)
        if isinstance(node, ast.ParamRef):
            return self._parameter(node)
        return self._cast(node) if isinstance(node, ast.TypeCast) else None

    def _parameter(self, node: ast.ParamRef) -> _Source | None:
        number = node.number or 0
        kind = self._proof.type_of_parameter(number)
        if kind == oids.UNKNOWN and self._is_used_again(number):
            return None
        return _Source(kind, Parameter(number, kind))

    def _is_used_again(self, number: int) -> bool:
        """A parameter that stands in two places has the type of the one that PostgreSQL comes to first."""
        if self._uses is None:
            self._uses = Counter(node.number or 0 for node in self._nodes if isinstance(node, ast.ParamRef))
        return self._uses[number] > 1

    def _cast(self, node: ast.TypeCast) -> _Source | None:
        """``value::type`` without a modifier, which could cut it."""
        name = node.typeName
        if name is None or name.typmods or name.arrayBounds:
            return None
        kind, inner = type_named(self._proof, name, self._path), self._source(node.arg)
        if inner is None or isinstance(node.arg, ast.TypeCast):
            return None
        try:
            return _Source(kind, _settled(inner, kind))
        except Unclear:
            return None


def conjuncts(node: ast.Node | None) -> Iterator[ast.Node]:
    """What all must hold for ``node`` to hold."""
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.AND_EXPR:
        for part in node.args or ():
            yield from conjuncts(part)
    elif node is not None:
        yield node


def _constant(node: ast.A_Const) -> _Source | None:
    value = node.val
    if node.isnull:
        return _Source(oids.UNKNOWN)
    if isinstance(value, ast.String):
        return _Source(oids.UNKNOWN, text=(value.sval or "").encode())
    if isinstance(value, ast.Integer):
        return _Source(oids.INT4, value.ival or 0)
    if isinstance(value, ast.Boolean):
        return _Source(oids.BOOL, int(bool(value.boolval)))
    digits = (value.fval or "") if isinstance(value, ast.Float) else ""
    if digits.isascii() and digits.isdecimal() and len(digits) <= 19 and int(digits) < 1 << 63:
        return _Source(oids.INT8, int(digits))
    return None


def _settled(source: _Source, kind: int) -> Value:
    """The value once it is taken for ``kind``. Raises ``Unclear`` where that could change it."""
    if source.kind == oids.UNKNOWN:
        if isinstance(source.value, Parameter):
            return Parameter(source.value.number, _known(kind))
        return _literal(source, kind)
    if source.kind not in values.family(kind):
        raise Unclear
    return source.value


def _literal(source: _Source, kind: int) -> Canonical:
    return values.read(_known(kind), 0, source.text)


def _operand(kind: int) -> int:
    """varchar has no operators of its own: it is compared as text."""
    return values.TEXT if kind == values.VARCHAR else kind


def _known(kind: int) -> int:
    if kind not in values.KNOWN:
        raise Unclear
    return kind


def _column(node: ast.Node | None, tables: tuple[Table, ...]) -> tuple[Table, Column] | None:
    """The bare column that ``node`` is, if it is one of these tables'; PostgreSQL refuses what fits two."""
    fields = (node.fields or ()) if isinstance(node, ast.ColumnRef) else ()
    words = [field.sval or "" for field in fields if isinstance(field, ast.String)]
    if not words or len(words) != len(fields) or len(words) > 3:
        return None
    found = [
        (one, column)
        for one in tables
        if _goes_by(one, words[:-1])
        for column in one.relation.columns
        if column.name == words[-1]
    ]
    return found[0] if len(found) == 1 else None


def _goes_by(one: Table, qualifiers: list[str]) -> bool:
    if len(qualifiers) == 2:
        return (one.schema, one.alias) == tuple(qualifiers)
    return not qualifiers or one.alias == qualifiers[0]
