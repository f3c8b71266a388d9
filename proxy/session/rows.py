"""Rows on their way from the analysis to the memory: parameters become values, from the raw Bind.

A value that cannot be told widens what depends on it: a read then goes with every row, a write confines
nothing by that column.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.cache import facets, tags
from proxy.errors import MalformedMessage
from proxy.sql import values
from proxy.sql.analysis import Extent, Reach, Statement
from proxy.sql.rows import Canonical, Parameter, RowChange, Value
from proxy.wire import frontend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.session.shapes import Shape
    from proxy.session.statements import Prepared

_Given = list[tuple[int, bytes | None]]


def reads(statement: Statement) -> list[int | facets.Part]:
    """What answers of this statement depend on, in the memory's words; what has no part is read whole."""
    parts = [facets.Part(part.relation, part.column, part.mentions) for part in statement.parts]
    return [*parts, *statement.reads - {part.relation for part in parts}]


def fixed(shape: Shape, key: bytes) -> list[facets.Fixed]:
    """The values that a request fixes columns to, in the order of ``reads``; its key ends in its Bind."""
    assert shape.analysis is not None
    wanted = [part.value for part in shape.analysis.statements[0].parts if part.column]
    given = _given(key[1:]) if any(isinstance(value, Parameter) for value in wanted) else []
    return [_fixed(value, given) for value in wanted]


def parameters(shape: Shape) -> frozenset[Parameter]:
    """The parameters by which the text confines its writes, with the types that a Parse gives them now."""
    if shape.analysis is None:
        return frozenset()
    changes = (change for s in shape.analysis.statements for change in s.reach.changes)
    return frozenset().union(*(change.parameters() for change in changes))


def bound(statements: Iterable[Statement], prepared: Prepared | None, tail: bytes) -> list[Statement]:
    """The same statements, run with these parameters.

    A prepared one keeps the types of its Parse for its parameters, whatever became of the columns since.
    """
    return [
        replace(one, reach=bound_reach(one.reach, prepared, tail)) if one.reach.changes else one
        for one in statements
    ]


def in_memory(reach: Reach, database: int) -> tags.Reach:
    """The same reach in the memory's words."""
    if reach.extent == Extent.ORIGIN:
        return tags.ORIGIN
    if reach.extent == Extent.DATABASE:
        return tags.whole(database)
    return tags.relations_of(database, reach.whole, map(_in_memory, reach.changes))


def _in_memory(change: RowChange) -> facets.RowChange:
    confined: list[tuple[int, tuple[Canonical, ...]]] = []
    for column, known in change.confined:
        told = tuple(value for value in known if not isinstance(value, Parameter))
        if len(told) == len(known):
            confined.append((column, told))
    return facets.RowChange(change.relation, change.changed, tuple(confined))


def bound_reach(reach: Reach, prepared: Prepared | None, tail: bytes) -> Reach:
    """What a statement with this reach may change when it is run with these parameters."""
    if not reach.changes:
        return reach
    given = _given(tail)
    changes = []
    for change in reach.changes:
        told = change
        for parameter in change.parameters():
            is_settled = prepared is not None and (not prepared.at_origin or parameter in prepared.parameters)
            told = _told(told, parameter, given if is_settled else [])
        changes.append(told)
    return Reach(reach.extent, reach.tables, reach.proven, reach.ddl, frozenset(changes))


def _told(change: RowChange, parameter: Parameter, given: _Given) -> RowChange:
    """With the parameter's value in its place; if it has none, without the columns that wait for it."""
    value = _fixed(parameter, given)
    confined: list[tuple[int, tuple[Value, ...]]] = []
    for column, waiting in change.confined:
        if parameter not in waiting:
            confined.append((column, waiting))
        elif not isinstance(value, str):
            confined.append((column, tuple(value if one == parameter else one for one in waiting)))
    return RowChange(change.relation, change.changed, tuple(confined))


def _given(tail: bytes) -> _Given:
    try:
        return frontend.bind_parameters(tail) if tail else []
    except MalformedMessage:
        return []


def _fixed(value: Value, given: _Given) -> facets.Fixed:
    if not isinstance(value, Parameter):
        return value
    if not 0 < value.number <= len(given):
        return facets.ANY_VALUE
    try:
        return values.read(value.type_oid, *given[value.number - 1])
    except values.Unclear:
        return facets.ANY_VALUE
