"""Which promise held when: what the proxies themselves said of their level.

At level wire every read is held to the strict order. A proxy that starts after the death of another one says
``ttl``, reason ``predecessor``, until that one's sessions are gone from the origin: writes of theirs that are
in doubt may commit unseen by it, and it may go on answering what was there before, for at most the cap of the
TTL. All other writes pass through it and bind it as strictly as ever.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.histories.history import IN_DOUBT, Read, Scan

if TYPE_CHECKING:
    from tests.histories.history import Write

TTL_CAP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What a proxy said of itself at ``told`` at the latest; the level holds ``since`` then at the latest."""

    told: float
    since: float
    level: str


@dataclass(slots=True)
class Levels:
    """The samples of each incarnation, in order."""

    samples: dict[int, list[Sample]] = field(default_factory=dict)

    def add(self, incarnation: int, sample: Sample) -> None:
        """The next one."""
        self.samples.setdefault(incarnation, []).append(sample)

    def is_strict(self, incarnation: int, moment: float) -> bool:
        """Did level wire hold then? The next word tells since when; after the last one nothing changed."""
        samples = self.samples.get(incarnation, [])
        after = bisect_right(samples, moment, key=lambda sample: sample.told)
        if after == len(samples):
            return bool(samples) and samples[-1].level == "wire"
        return samples[after].level == "wire" and samples[after].since <= moment

    def excuses(self, seen: Read | Scan, missed: Write, known_by: float) -> bool:
        """May an answer leave out this write, which was committed at ``known_by`` at the latest?"""
        return (
            missed.outcome == IN_DOUBT
            and missed.incarnation < seen.incarnation
            and seen.began < known_by + TTL_CAP_SECONDS
            and not self.is_strict(seen.incarnation, seen.began)
        )
