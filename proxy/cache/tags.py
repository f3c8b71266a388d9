"""Generations: each relation has a counter that every change raises, and a mark while one is on its way.

An answer remembers the sum of the generations it depends on. Generations only grow, so an equal sum means
that none of them moved.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.cache.policy import Limits


@final
class Tag:
    """The generation of one relation, of one whole database, or of several relations that must share one.

    ``suspended`` counts the changes on their way: above 0 nothing that depends on it is given or stored.
    """

    __slots__ = ("__weakref__", "generation", "suspended")

    def __init__(self) -> None:
        self.generation = 0
        self.suspended = 0


class Extent(enum.IntEnum):
    """How far a change goes; the larger swallows the smaller."""

    NOTHING = 0
    RELATIONS = 1
    DATABASE = 2
    ORIGIN = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change may make stale. ``database`` and ``relations`` are oids, meaningful as far as ``extent``
    says.

    The union of reaches in two databases is the whole origin: wider than needed, and never met by a session,
    which lives in one database.
    """

    extent: Extent = Extent.NOTHING
    database: int = 0
    relations: frozenset[int] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        if self.extent == Extent.NOTHING:
            return other
        if other.extent == Extent.NOTHING:
            return self
        if self.database != other.database:
            return ORIGIN
        return Reach(max(self.extent, other.extent), self.database, self.relations | other.relations)


NOTHING: Final = Reach()
ORIGIN: Final = Reach(Extent.ORIGIN)


def relations_of(database: int, relations: Iterable[int]) -> Reach:
    """The reach of a change to these relations; the closure of a write is the caller's business."""
    oids = frozenset(relations)
    return Reach(Extent.RELATIONS, database, oids) if oids else NOTHING


def whole(database: int) -> Reach:
    """The reach of a change that may concern everything in one database."""
    return Reach(Extent.DATABASE, database)


@final
class Suspension:
    """A change on its way. It holds its tags, so that they live at least as long as the doubt does."""

    __slots__ = ("open", "origin", "tags")

    def __init__(self, tags: tuple[Tag, ...], *, origin: bool) -> None:
        self.tags = tags
        self.origin = origin
        self.open = True


@final
class Tags:
    """All tags of one origin, made when first asked for.

    Relations' tags are held weakly: one that no slot and no suspension holds protects nothing, so a relation
    dropped long ago costs nothing. Databases' tags are kept for good.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._databases: dict[int, Tag] = {}
        self._overflow = Tag()  # all databases beyond max_databases
        self._relations: WeakValueDictionary[tuple[int, int], Tag] = WeakValueDictionary()
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
        if tag is None:
            tag = Tag()
            if len(self._relations) < self._limits.max_relations:
                self._relations[database, oid] = tag
            else:
                self._rest[database] = tag
                self.shared += 1
        return tag

    def of(self, database: int, relations: Iterable[int]) -> tuple[Tag, ...]:
        """What an answer read from these relations depends on: its database's tag first, each tag once."""
        tags = dict.fromkeys(self.relation(database, oid) for oid in relations)
        return (self.database(database), *tags)

    def suspend(self, reach: Reach) -> Suspension:
        """Mark everything in the reach as changing; O(relations in the reach), at most ``max_reach``."""
        suspension = Suspension(self._reached(reach), origin=reach.extent == Extent.ORIGIN)
        self._origin_suspended += suspension.origin
        for tag in suspension.tags:
            tag.suspended += 1
        return suspension

    def end(self, suspension: Suspension, *, changed: bool) -> None:
        """Raise the generations if something changed, then lift the mark; a second end changes nothing.

        A database first seen while the whole origin was suspended was born suspended and is lifted with the
        rest.
        """
        if not suspension.open:
            return
        suspension.open = False
        self._origin_suspended -= suspension.origin
        for tag in self._reached(ORIGIN) if suspension.origin else suspension.tags:
            tag.generation += changed
            tag.suspended -= 1

    def raise_generations(self, reach: Reach) -> None:
        """Make everything in the reach stale at once."""
        for tag in self._reached(reach):
            tag.generation += 1

    def _reached(self, reach: Reach) -> tuple[Tag, ...]:
        if reach.extent == Extent.NOTHING:
            return ()
        if reach.extent == Extent.ORIGIN:
            return (*self._databases.values(), self._overflow)
        if reach.extent == Extent.DATABASE or len(reach.relations) > self._limits.max_reach:
            return (self.database(reach.database),)
        return tuple(dict.fromkeys(self.relation(reach.database, oid) for oid in reach.relations))
