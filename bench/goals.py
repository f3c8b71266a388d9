"""What the proxy means to reach, as ratios within one run, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.measure import Cell


@dataclass(frozen=True, slots=True)
class Goal:
    """``figure`` of ``server`` over that of ``other``: ``bound`` at least, or for ``at_most`` at most."""

    what: str
    protocol: str
    figure: str
    server: str
    other: str
    bound: float
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ratio`` is None where one of the two was not measured."""

    goal: Goal
    ratio: float | None

    @property
    def reached(self) -> bool:
        """Was it measured, and good enough?"""
        if self.ratio is None:
            return False
        return self.ratio <= self.goal.bound if self.goal.at_most else self.ratio >= self.goal.bound


GOALS: Final = (
    Goal("hits a second, direct", "prepared", "tps", "orrery", "direct", 2.0),
    Goal("hits a second, PgBouncer", "prepared", "tps", "orrery", "pgbouncer-session", 2.5),
    Goal("hits a second, pgpool-II's cache", "prepared", "tps", "orrery", "pgpool", 10.0),
    Goal("p99 of hits, direct", "prepared", "p99", "orrery", "direct", 1.0, at_most=True),
    Goal("hits a second, direct", "simple", "tps", "orrery", "direct", 2.5),
    Goal("hits a second, direct", "extended", "tps", "orrery", "direct", 1.5),
    Goal("CPU of a hit, the limit", "prepared", "cpu_us", "orrery", "canned", 1.7, at_most=True),
    Goal(
        "CPU passing through, PgBouncer",
        "prepared",
        "cpu_us",
        "orrery-pass",
        "pgbouncer-session",
        1.6,
        at_most=True,
    ),
)


def judge(cells: Iterable[Cell]) -> list[Verdict]:
    """Each goal with the median of its ratios, one for each round: what stood side by side is compared."""
    found = {(cell.server, cell.protocol): cell for cell in cells}
    return [
        Verdict(
            goal,
            ratio(
                goal.figure, found.get((goal.server, goal.protocol)), found.get((goal.other, goal.protocol))
            ),
        )
        for goal in GOALS
    ]


def ratio(figure: str, one: Cell | None, other: Cell | None) -> float | None:
    """The median over the rounds of ``one``'s figure over ``other``'s; None where either has none."""
    if one is None or other is None:
        return None
    pairs = zip(one.samples, other.samples, strict=False)
    ratios = [
        getattr(ours, figure) / getattr(theirs, figure) for ours, theirs in pairs if getattr(theirs, figure)
    ]
    return median(ratios) if ratios else None
