"""Which rows and columns of a table a statement is about: what two statements are independent by.

Plain data. ``proof.footprint`` and ``proof.row_changes`` prove it; ``Parameter``s become values at Bind.
"""

from __future__ import annotations

from dataclasses import dataclass

# A value in the one form that ``values`` gives to all texts and bytes which PostgreSQL takes for equal; None
# is NULL, which equals nothing.
Canonical = int | bytes | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that Bind brings; its text and bytes are read as PostgreSQL reads this type."""

    number: int
    type_oid: int


Value = Canonical | Parameter


@dataclass(frozen=True, slots=True)
class Part:
    """What an answer depends on in one relation: the rows whose ``column`` equals ``value``; 0 for all rows.

    ``mentions``: the columns it can tell apart by their numbers, None for all of them.
    """

    relation: int
    mentions: frozenset[int] | None = None
    column: int = 0
    value: Value = None


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a write does to one relation.

    ``changed``: the columns that an UPDATE sets, None where rows come or go. ``confined``: a column, and all
    values that the rows have there before and after; a column that is missing may have held anything.
    """

    relation: int
    changed: frozenset[int] | None = None
    confined: tuple[tuple[int, tuple[Value, ...]], ...] = ()

    def parameters(self) -> frozenset[Parameter]:
        """Those that the values wait for."""
        return frozenset(v for _, values in self.confined for v in values if isinstance(v, Parameter))
