"""Rows that come and go. Each has one life: it appears once, it vanishes at most once, it never comes back.

For each row there must be a moment of appearing and one of vanishing, each between the sending and the answer
of its write, such that every scan agrees. The latest possible appearing and the earliest possible vanishing
exclude the fewest scans, so it is enough to look at those two.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from tests.histories.checking.findings import Finding, Name, Storyteller
from tests.histories.history import ACKNOWLEDGED, AT_THE_ORIGIN, NEVER, REFUSED, Scan, Write

if TYPE_CHECKING:
    from tests.histories.checking.levels import Levels


@dataclass(slots=True)
class Life:
    """One row: its two writes, and the scans that showed it."""

    appears: Write
    vanishes: Write | None = None
    shown: list[Scan] = field(default_factory=list)


@final
class Place:
    """All rows of one place."""

    def __init__(
        self, name: str, writes: list[Write], scans: list[Scan], levels: Levels, tell: Storyteller
    ) -> None:
        self._name = name
        self._levels = levels
        self._tell = tell
        self._scans = sorted(scans, key=lambda scan: scan.began)
        self._starts = [scan.began for scan in self._scans]
        self._lives = {w.token: Life(w) for w in writes if w.kind == "appear" and w.outcome != REFUSED}
        for write in writes:
            if write.kind == "vanish" and write.outcome != REFUSED:
                self._lives[write.token].vanishes = write
        self._refused = {w.token: w for w in writes if w.kind == "appear" and w.outcome == REFUSED}
        self.findings: list[Finding] = []
        self.excused = 0

    def check(self) -> None:
        """Fill ``findings`` and ``excused``."""
        for scan in self._scans:
            for token in scan.tokens:
                self._take(scan, token)
        for token, life in self._lives.items():
            self._check_absence(token, life)

    def _find(self, name: Name, scan: Scan, story: str) -> None:
        at_origin = scan.incarnation == AT_THE_ORIGIN
        self.findings.append(Finding("lost" if at_origin else name, self._name, scan.began, story))

    def _take(self, scan: Scan, token: str) -> None:
        """A row is shown: could it be there?"""
        life = self._lives.get(token)
        if life is None:
            refused = self._refused.get(token)
            self._shown(
                "phantom", scan, token, self._tell.write(refused) if refused else "nobody wrote that here"
            )
        elif scan.ended < life.appears.began:
            self._shown("phantom", scan, token, f"before {self._tell.write(life.appears)}")
        elif (gone := life.vanishes) is not None and gone.ended < scan.began:
            self._shown("stale", scan, token, f"after {self._tell.write(gone)}")
        else:
            life.shown.append(scan)

    def _shown(self, name: Name, scan: Scan, token: str, why: str) -> None:
        self._find(name, scan, f"{self._tell.scan(scan, token, there=True)}: {why}")

    def _check_absence(self, token: str, life: Life) -> None:
        """Is it shown by every scan for which it must have been there?"""
        gone = life.vanishes
        shown = [s for s in life.shown if gone is None or not self._levels.excuses(s, gone, s.began)]
        first = min(life.shown, key=lambda scan: scan.ended, default=None)
        known = life.appears.ended if life.appears.outcome == ACKNOWLEDGED else NEVER
        there_from = min(known, first.ended if first else NEVER)
        there_until = NEVER if gone is None else max([gone.began, *(scan.began for scan in shown)])
        self.excused += len(life.shown) - len(shown)
        at = bisect_left(self._starts, there_from)
        while at < len(self._scans) and self._starts[at] < there_until:
            scan = self._scans[at]
            at += 1
            if scan.ended < there_until and token not in scan.tokens:
                self._missing(scan, token, life, first)

    def _missing(self, scan: Scan, token: str, life: Life, first: Scan | None) -> None:
        if first is not None and self._levels.excuses(scan, life.appears, first.ended):
            self.excused += 1
            return
        told = self._tell.scan(scan, token, there=False)
        if life.appears.ended < scan.began:
            name: Name = "stale"
            because = f"after {self._tell.write(life.appears)}"
        else:
            assert first is not None
            name, because = "non-monotonic", f"after {self._tell.scan(first, token, there=True)}"
        later = [s for s in life.shown if s.began > scan.ended]
        if life.vanishes is not None and later:
            name = "non-monotonic"
            because += f", and before {self._tell.scan(later[-1], token, there=True)}"
        self._find(name, scan, f"{told}, {because}")


def by_place(writes: list[Write], scans: list[Scan]) -> dict[str, tuple[list[Write], list[Scan]]]:
    """What belongs to each place."""
    places: defaultdict[str, tuple[list[Write], list[Scan]]] = defaultdict(lambda: ([], []))
    for write in writes:
        if write.kind != "update":
            places[write.object][0].append(write)
    for scan in scans:
        places[scan.place][1].append(scan)
    return dict(places)
