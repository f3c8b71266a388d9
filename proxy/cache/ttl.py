"""How long an answer may live where a write can pass us by: an estimate per statement template.

It stays between a floor and a cap. The cap is the promise, the estimate is not: it only decides how much
earlier than the cap we look again.

Source: J. Cho, H. Garcia-Molina, "Estimating Frequency of Change", ACM Transactions on Internet Technology
3(3), 2003: the rate of change is changes seen over time watched, where a change seen between two looks
happened on average half-way (so only half of that time counts), and a constant of one half keeps few looks
from saying "never". Changes taken as a Poisson process, an answer of age t has changed with probability 1 -
exp(-rate * t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, final

MEMORY: Final = 0.7  # weight of the past at each look: about the last three count, so a new habit shows soon
STALE_SHARE: Final = 0.2  # chance that an answer changed within its TTL that the estimate aims at
JITTER: Final = 0.1  # answers filled together do not expire together: up to a tenth shorter
_PATIENCE: Final = -math.log(1.0 - STALE_SHARE)
_BIAS: Final = 0.5


@dataclass(frozen=True, slots=True)
class TtlRule:
    """Bounds of every TTL in seconds, 0 <= floor <= cap.

    A floor of 0 lets a template become "do not keep".
    """

    floor: float = 1.0
    cap: float = 60.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.floor <= self.cap < math.inf:
            raise ValueError(
                f"the bounds of a TTL must be 0 <= floor <= cap, seen {self.floor} and {self.cap}"
            )


@final
class Pace:
    """How fast the answers of one statement template change, as far as it was seen.

    A new one starts at the floor. ``seconds`` is the TTL before jitter.
    """

    __slots__ = ("_changes", "_rule", "_watched", "seconds")

    def __init__(self, rule: TtlRule) -> None:
        self._rule = rule
        self._changes = 0.0
        self._watched = 0.0
        self.seconds = rule.floor

    def observe(self, *, changed: bool, elapsed: float) -> None:
        """An answer was fetched again after ``elapsed`` seconds in which we saw no write to what it reads.

        An equal answer never shortens the TTL and a changed one never lengthens it, however odd the interval.
        """
        if elapsed <= 0.0:
            return
        self._changes = self._changes * MEMORY + changed
        self._watched = self._watched * MEMORY + (elapsed / 2.0 if changed else elapsed)
        # Patience divided by the rate of changes, in the order that a watch of no length cannot divide by.
        looked = _PATIENCE * (self._watched + self._head_start()) / (self._changes + _BIAS)
        estimate = min(self._rule.cap, max(self._rule.floor, looked))
        self.seconds = min(self.seconds, estimate) if changed else max(self.seconds, estimate)

    def ttl(self, chance: float) -> float:
        """The TTL in seconds, within the bounds. ``chance`` in [0, 1) spreads it."""
        return max(self._rule.floor, self.seconds * (1.0 - JITTER * chance))

    def _head_start(self) -> float:
        """Seconds taken as watched before the first look: as many as make the first estimate the floor."""
        return self._rule.floor * _BIAS / _PATIENCE
