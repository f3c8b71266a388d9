"""What became of a session's previous statement: the answer to ``SHOW orrery.last``."""

from __future__ import annotations

import math
from typing import final

from proxy.cache.entry import Entry


@final
class Last:
    """``outcome`` is hit, fill, coalesced, bypass, write, error, or "" before the first statement.

    A hit only notes the entry and the moment; ages are worked out when somebody asks. Seconds, monotonic.
    """

    __slots__ = ("_at", "_entry", "outcome", "reason")

    def __init__(self) -> None:
        self.outcome = ""
        self.reason = ""
        self._entry: Entry | None = None
        self._at = 0.0

    def hit(self, entry: Entry, now: float) -> None:
        """Answered from memory."""
        self.outcome = "hit"
        self.reason = ""
        self._entry = entry
        self._at = now

    def landed(self, outcome: str, reason: str, entry: Entry | None, now: float) -> None:
        """Answered by the origin; ``entry`` where the answer was stored."""
        self.outcome = outcome
        self.reason = reason
        self._entry = entry
        self._at = now

    def age_ms(self) -> int | None:
        """Age of the remembered answer when it was given."""
        if self._entry is None or self.outcome not in ("hit", "coalesced"):
            return None
        return max(0, int((self._at - self._entry.born) * 1000))

    def ttl_ms(self, *, expiring: bool) -> int | None:
        """What was left of its time; None where it has no expiry."""
        if self._entry is None or not expiring or math.isinf(self._entry.expires):
            return None
        return max(0, int((self._entry.expires - self._at) * 1000))
