"""One database of the origin as sessions see it: its oid
and what its catalogue says, or that nobody knows just now.
"""

from __future__ import annotations

from typing import Protocol, final
from weakref import WeakSet

from proxy.schema.catalogue import Catalogue


class Judged(Protocol):
    """Whoever sends what the catalogue was asked about."""

    def judged_anew(self) -> None:
        """The catalogue says something else by now."""


@final
class Database:
    """Shared by all sessions of one database; only the net changes it.

    ``catalogue`` is None while it has not been read, or is known to be out of date: nothing is served or
    stored from what it would say, and every write has unknown reach. ``sessions`` counts the clients in it;
    ``judged`` are those who may have something on its way, be their client there or gone.
    """

    __slots__ = ("catalogue", "judged", "name", "oid", "sessions")

    def __init__(self, name: str, oid: int) -> None:
        self.name = name
        self.oid = oid
        self.catalogue: Catalogue | None = None
        self.sessions = 0
        self.judged: WeakSet[Judged] = WeakSet()

    def judged_anew(self) -> None:
        """The catalogue says something else than the one that statements on their way were judged by."""
        for one in list(self.judged):
            one.judged_anew()
