"""Facets: how answers look at one relation, so that a write moves those alone that can see it.

A facet is a column that its answers fix to one value each (or none), and the columns that they mention (or
all). A write that tells which columns it sets passes by the facets that mention none of them; one that tells
which values its rows have in a facet's column moves the buckets of those values; any other moves the facet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from proxy.cache.tags import Suspension

# A value of a column. Whoever calls this room has brought it into the one form that all values have which
# PostgreSQL takes for equal.
Canonical = int | bytes | None
# Stands for a value that is not known: the bucket that every write to a row of the facet moves as well.
ANY_VALUE: Final = "any value"
Fixed = Canonical | str


@dataclass(frozen=True, slots=True)
class Part:
    """What an answer depends on in one relation.

    ``column``: each answer sees the rows with one value in this column alone, 0 for all rows. ``mentions``:
    the columns it can tell apart, None for all. Columns go by pg_attribute.attnum.
    """

    relation: int
    column: int = 0
    mentions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A write into one relation, as far as it is proven.

    ``changed``: the columns that an UPDATE sets, None where rows come or go. ``confined``: a column, and all
    values that the rows have there before and after; a column that is missing may have held anything.
    """

    relation: int
    changed: frozenset[int] | None = None
    confined: tuple[tuple[int, tuple[Canonical, ...]], ...] = ()

    def values(self, column: int) -> tuple[Canonical, ...] | None:
        """What the rows have in this column before and after, None where nobody knows."""
        return next((values for number, values in self.confined if number == column), None)


class Tag:
    """The generation of one relation, facet or database, or of several relations that must share one.

    ``suspended`` counts the changes on their way: above 0 nothing that depends on it is given or stored.
    """

    __slots__ = ("__weakref__", "generation", "suspended")

    def __init__(self) -> None:
        self.generation = 0
        self.suspended = 0


@final
class Facet(Tag):
    """``number`` is never given twice: the buckets of one that is gone are no other's."""

    __slots__ = ("column", "mentions", "number")

    def __init__(self, number: int, column: int, mentions: frozenset[int] | None) -> None:
        super().__init__()
        self.number = number
        self.column = column
        self.mentions = mentions

    def cannot_see(self, change: RowChange) -> bool:
        """Does the change leave every column alone that this facet mentions, and all rows in their place?"""
        if change.changed is None or self.mentions is None:
            return False
        return self.mentions.isdisjoint(change.changed)


@final
class RelationTag(Tag):
    """The generation that writes into a whole relation move; its facets have their own for precise ones.

    Facets are held weakly, by (column, mentions): one that no slot holds protects nothing. ``changing``: the
    precise writes on their way. A facet that comes to be meanwhile is suspended by all of them as a whole.
    """

    __slots__ = ("_facets", "changing")

    def __init__(self) -> None:
        super().__init__()
        self._facets: WeakValueDictionary[tuple[int, frozenset[int] | None], Facet] | None = None
        self.changing: set[Suspension] = set()

    def facet(self, part: Part, number: int, limit: int) -> Facet:
        """The facet of this part, called ``number`` if it is new; beyond ``limit`` all share the widest."""
        if self._facets is None:
            self._facets = WeakValueDictionary()
        key = (part.column, part.mentions)
        if key not in self._facets and len(self._facets) >= limit:
            key = (0, None)
        facet = self._facets.get(key)
        if facet is None:
            facet = self._facets[key] = Facet(number, *key)
            for suspension in self.changing:
                suspension.cover(facet)
        return facet

    def facets(self) -> list[Facet]:
        """Those that somebody holds."""
        return [] if self._facets is None else list(self._facets.values())
