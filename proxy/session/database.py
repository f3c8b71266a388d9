"""One database of the origin as sessions see it: its oid
and what its catalogue says, or that nobody knows just now.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol, final

from proxy.schema import columns
from proxy.schema.catalogue import Catalogue

# Changes of columns that are remembered; what was prepared before the oldest may mean anything by now.
_MAX_MOVES: Final = 1_000


class Judged(Protocol):
    """Whoever sends what the catalogue was asked about."""

    def judged_anew(self) -> None:
        """The catalogue says something else by now."""


@final
class Database:
    """Shared by all sessions of one database; only the net changes it.

    ``catalogue`` is None while it has not been read, or is known to be out of date: nothing is served or
    stored from what it would say, and every write has unknown reach. ``sessions`` counts the clients in it;
    ``judged`` are those who may have something on its way, be their client there or gone. ``moves`` counts
    the readings that found other columns than the one before.
    """

    __slots__ = ("_moved", "catalogue", "judged", "moves", "name", "oid", "sessions")

    def __init__(self, name: str, oid: int) -> None:
        self.name = name
        self.oid = oid
        self.catalogue: Catalogue | None = None
        self.sessions = 0
        self.judged: set[Judged] = set()
        self.moves = 0
        self._moved: deque[frozenset[str] | None] = deque(maxlen=_MAX_MOVES)

    def columns_moved(self, before: Catalogue | None, after: Catalogue) -> None:
        """The catalogue says something else than ``before`` (None: than anything it said)."""
        self.moves += 1
        self._moved.append(None if before is None else columns.moved(before, after))

    def may_have_other_columns(self, text: bytes, moves: int) -> bool:
        """May a statement of this text have other columns than when ``moves`` was that number?"""
        missed = self.moves - moves
        if missed > len(self._moved):
            return True
        return any(
            names is None or any(columns.may_be_meant(name, text) for name in names)
            for names in list(self._moved)[len(self._moved) - missed :]
        )

    def judged_anew(self) -> None:
        """The catalogue says something else than the one that statements on their way were judged by."""
        for one in list(self.judged):
            one.judged_anew()
