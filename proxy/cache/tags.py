"""Generations: each relation has a counter that every change raises, and a mark while one is on its way.

An answer remembers the sum of the generations it depends on. Generations only grow, so an equal sum means
that none of them moved. A precise write moves facets and buckets in place of the whole relation; suspending,
raising and lifting go by one and the same list.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final, final
from weakref import WeakValueDictionary

from proxy.cache.buckets import Buckets
from proxy.cache.facets import ANY_VALUE, Facet, Part, RelationTag, RowChange, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.cache.policy import Limits


class Extent(enum.IntEnum):
    """How far a change goes; the larger swallows the smaller."""

    NOTHING = 0
    RELATIONS = 1
    DATABASE = 2
    ORIGIN = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change may make stale. ``database`` and ``relations`` are oids, meaningful as far as ``extent``
    says; ``changes`` are those whose rows are known, in relations of their own.

    The union of reaches in two databases is the whole origin: wider than needed, and never met by a session,
    which lives in one database.
    """

    extent: Extent = Extent.NOTHING
    database: int = 0
    relations: frozenset[int] = frozenset()
    changes: frozenset[RowChange] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        if self.extent == Extent.NOTHING:
            return other
        if other.extent == Extent.NOTHING:
            return self
        if self.database != other.database:
            return ORIGIN
        return Reach(
            max(self.extent, other.extent),
            self.database,
            self.relations | other.relations,
            self.changes | other.changes,
        )


NOTHING: Final = Reach()
ORIGIN: Final = Reach(Extent.ORIGIN)


def relations_of(database: int, relations: Iterable[int], changes: Iterable[RowChange] = ()) -> Reach:
    """The reach of a write to all of these relations, and of ``changes`` to some rows of others.

    The closure of a write is the caller's business.
    """
    oids, rows = frozenset(relations), frozenset(changes)
    return Reach(Extent.RELATIONS, database, oids, rows) if oids or rows else NOTHING


def whole(database: int) -> Reach:
    """The reach of a change that may concern everything in one database."""
    return Reach(Extent.DATABASE, database)


@final
class Suspension:
    """A change on its way. It holds its tags, so that they live at least as long as the doubt does.

    ``places`` are those of buckets; ``relations`` are told when it ends, for it may cover newcomers.
    """

    __slots__ = ("open", "origin", "places", "relations", "tags")

    def __init__(self, reached: _Reached, *, origin: bool) -> None:
        self.tags = list(reached.tags)
        self.places = tuple(reached.places)
        self.relations = tuple(reached.relations)
        self.origin = origin
        self.open = True

    def cover(self, tag: Tag) -> None:
        """Mark one more as changing: it came to be in the reach of this change."""
        tag.suspended += 1
        self.tags.append(tag)


@final
class _Reached:
    """What a reach means at this moment, each tag once."""

    __slots__ = ("places", "relations", "tags")

    def __init__(self, tags: Iterable[Tag] = ()) -> None:
        self.tags: dict[Tag, None] = dict.fromkeys(tags)
        self.places: list[int] = []
        self.relations: dict[RelationTag, None] = {}  # those of precise changes

    def __len__(self) -> int:
        return len(self.tags) + len(self.places)


@final
class Tags:
    """All tags of one origin, made when first asked for.

    Relations' tags are held weakly: one that no slot and no suspension holds protects nothing, so a relation
    dropped long ago costs nothing. Databases' tags are kept for good.
    """

    def __init__(self, limits: Limits) -> None:
        self.buckets = Buckets(limits.cache_bytes)
        self._limits = limits
        self._facet_numbers = count()
        self._databases: dict[int, Tag] = {}
        self._overflow = Tag()  # all databases beyond max_databases
        self._relations: WeakValueDictionary[tuple[int, int], RelationTag] = WeakValueDictionary()
        self._rest: WeakValueDictionary[int, Tag] = WeakValueDictionary()
        self._origin_suspended = 0
        self.shared = 0  # times a relation or database had to share a tag because of a limit

    def database(self, database: int) -> Tag:
        """The tag that a change of unknown reach in this database moves; every slot holds its database's."""
        tag = self._databases.get(database)
        if tag is not None:
            return tag
        if len(self._databases) >= self._limits.max_databases:
            self.shared += 1
            return self._overflow
        tag = self._databases[database] = Tag()
        tag.suspended = self._origin_suspended
        return tag

    def relation(self, database: int, oid: int) -> Tag:
        """The tag of one relation, or the one that relations beyond the limit share.

        As long as anybody holds the shared tag, a relation without its own joins it: all who hold a tag for
        one relation then hold the same one, also after tags were freed below the limit.
        """
        tag = self._relations.get((database, oid)) or self._rest.get(database)
        if tag is not None:
            return tag
        if len(self._relations) < self._limits.max_relations:
            own = self._relations[database, oid] = RelationTag()
            return own
        shared = self._rest[database] = Tag()
        self.shared += 1
        return shared

    def of(self, database: int, parts: Iterable[Part]) -> tuple[tuple[Tag, ...], tuple[Facet | None, ...]]:
        """What an answer made of these parts depends on: its database's tag first, each tag once.

        Second, for each part that fixes a column: its facet, or None where it has to share a wider tag.
        """
        tags: dict[Tag, None] = {self.database(database): None}
        fixed: list[Facet | None] = []
        for part in parts:
            relation = self.relation(database, part.relation)
            tags[relation] = None
            facet = None
            if isinstance(relation, RelationTag):
                facet = relation.facet(part, next(self._facet_numbers), self._limits.max_facets)
                tags[facet] = None
            if part.column:
                fixed.append(facet if facet is not None and facet.column == part.column else None)
        return tuple(tags), tuple(fixed)

    def suspend(self, reach: Reach) -> Suspension:
        """Mark everything in the reach as changing; O(what it names), at most ``max_reach``."""
        reached = self._reached(reach)
        suspension = Suspension(reached, origin=reach.extent == Extent.ORIGIN)
        self._origin_suspended += suspension.origin
        for tag in suspension.tags:
            tag.suspended += 1
        self.buckets.suspend(suspension.places)
        for relation in suspension.relations:
            relation.changing.add(suspension)
        return suspension

    def widen(self, suspension: Suspension, database: int) -> None:
        """The same change, unless it has ended, may change anything in this database."""
        tag = self.database(database)
        if suspension.open and not suspension.origin and tag not in suspension.tags:
            suspension.cover(tag)

    def end(self, suspension: Suspension, *, changed: bool) -> None:
        """Raise the generations if something changed, then lift the mark; a second end changes nothing.

        A database first seen while the whole origin was suspended was born suspended and is lifted with the
        rest.
        """
        if not suspension.open:
            return
        suspension.open = False
        self._origin_suspended -= suspension.origin
        for tag in self._everything() if suspension.origin else suspension.tags:
            tag.generation += changed
            tag.suspended -= 1
        self.buckets.end(suspension.places, changed=changed)
        for relation in suspension.relations:
            relation.changing.discard(suspension)

    def raise_generations(self, reach: Reach) -> None:
        """Make everything in the reach stale at once."""
        reached = self._reached(reach)
        for tag in reached.tags:
            tag.generation += 1
        self.buckets.raise_generations(reached.places)

    def of_reaches(self, reaches: Iterable[Reach]) -> set[Tag]:
        """All tags that changes with these reaches would move; buckets are no tags."""
        return {tag for reach in reaches for tag in self._reached(reach).tags}

    def _everything(self) -> tuple[Tag, ...]:
        return (*self._databases.values(), self._overflow)

    def _reached(self, reach: Reach) -> _Reached:
        if reach.extent == Extent.NOTHING:
            return _Reached()
        if reach.extent == Extent.ORIGIN:
            return _Reached(self._everything())
        named = len(reach.relations) + len(reach.changes)
        if reach.extent == Extent.DATABASE or named > self._limits.max_reach:
            return _Reached((self.database(reach.database),))
        reached = _Reached(self.relation(reach.database, oid) for oid in reach.relations)
        for change in reach.changes:
            self._reach_rows(reached, reach.database, change)
            if len(reached) > self._limits.max_reach:
                break
        else:
            return reached
        changed = {change.relation for change in reach.changes}
        return _Reached(self.relation(reach.database, oid) for oid in reach.relations | changed)

    def _reach_rows(self, reached: _Reached, database: int, change: RowChange) -> None:
        """Add the facets that can see the change, or of those the buckets of its values."""
        relation = self.relation(database, change.relation)
        if not isinstance(relation, RelationTag):
            reached.tags[relation] = None
            return
        reached.relations[relation] = None
        for facet in relation.facets():
            if facet.cannot_see(change):
                continue
            values = change.values(facet.column) if facet.column else None
            if values is None:
                reached.tags[facet] = None
            else:
                reached.places += [self.buckets.place(facet.number, value) for value in values]
                reached.places.append(self.buckets.place(facet.number, ANY_VALUE))
