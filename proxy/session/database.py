"""One database of the origin as sessions see it: its oid
and what its catalogue says, or that nobody knows just now.
"""

from __future__ import annotations

from typing import final

from proxy.schema.catalogue import Catalogue


@final
class Database:
    """Shared by all sessions of one database; only the net changes it.

    ``catalogue`` is None while it has not been read, or is known to be out of date: nothing is served or
    stored from what it would say, and every write has unknown reach. ``sessions`` counts the clients in it.
    """

    __slots__ = ("catalogue", "name", "oid", "sessions")

    def __init__(self, name: str, oid: int) -> None:
        self.name = name
        self.oid = oid
        self.catalogue: Catalogue | None = None
        self.sessions = 0
