"""The follower's side of a feed: until when this worker may answer from memory.

It holds a lease of each of the others. One is given by the leader in that place, and counts from before it
was asked for; or it follows from the place being empty: whoever comes to it then waits for as long as a lease
lasts before it goes ahead without us.

Pure: seconds are monotonic, and come in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, final


@final
class Leases:
    """``slots`` are the places of all others."""

    def __init__(self, slots: Iterable[int], lease_seconds: float) -> None:
        self._lease_seconds: Final = lease_seconds
        self._until = dict.fromkeys(slots, -math.inf)

    def granted(self, slot: int, asked_at: float) -> None:
        """The leader there has us among its followers, as of a moment after ``asked_at``."""
        self._until[slot] = asked_at + self._lease_seconds

    def vacant(self, slot: int, as_of: float) -> None:
        """After ``as_of`` nobody was there."""
        self._until[slot] = as_of + self._lease_seconds

    def lost(self, slot: int) -> None:
        """Nothing is known of that place."""
        self._until[slot] = -math.inf

    def of(self, slot: int) -> float:
        """When the lease of that place is over."""
        return self._until[slot]

    @property
    def until(self) -> float:
        """When the first of them is over."""
        return min(self._until.values(), default=math.inf)
