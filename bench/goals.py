"""What the proxy means to reach, within one run, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.measure import Cell, Sample


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of ``server``: over that of ``other``, or by itself where there is no other, or with ``less``
    what it has more than the other. ``bound`` at least, or for ``at_most`` at most.
    """

    what: str
    workload: str
    figure: str
    server: str
    other: str
    bound: float
    at_most: bool = False
    less: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``found`` is None where something was not measured."""

    goal: Goal
    found: float | None

    @property
    def reached(self) -> bool:
        """Was it measured, and good enough?"""
        if self.found is None:
            return False
        return self.found <= self.goal.bound if self.goal.at_most else self.found >= self.goal.bound


_POOLER: Final = "pgbouncer-session"
GOALS: Final = (
    Goal("hits a second over direct", "prepared", "tps", "orrery", "direct", 2.0),
    Goal("hits a second over PgBouncer", "prepared", "tps", "orrery", _POOLER, 2.5),
    Goal("hits a second over pgpool-II's cache", "prepared", "tps", "orrery", "pgpool", 10.0),
    Goal("p99 of hits over direct", "prepared", "p99", "orrery", "direct", 1.0, at_most=True),
    Goal("hits a second over direct", "simple", "tps", "orrery", "direct", 2.5),
    Goal("hits a second over direct", "extended", "tps", "orrery", "direct", 1.5),
    Goal("CPU of a hit over the limit", "prepared", "cpu_us", "orrery", "canned", 1.7, at_most=True),
    Goal(
        "CPU passing through over PgBouncer", "prepared", "cpu_us", "orrery-pass", _POOLER, 1.6, at_most=True
    ),
    Goal(
        "p50 of passing through, ms added",
        "alone",
        "p50",
        "orrery-pass",
        "direct",
        0.05,
        at_most=True,
        less=True,
    ),
    Goal("statements a second over direct", "90/10", "tps", "orrery", "direct", 1.2),
    Goal("statements a second over direct", "99/1", "tps", "orrery", "direct", 1.7),
    Goal("hits a second, two workers over one", "prepared", "tps", "orrery-2", "orrery", 1.25),
    Goal("share of hits", "90/10", "hit_ratio", "orrery", "", 0.8),
    Goal("share of hits", "99/1", "hit_ratio", "orrery", "", 0.95),
)


def judge(cells: Iterable[Cell]) -> list[Verdict]:
    """Each goal with the median over the rounds: what stood side by side is compared."""
    found = {(cell.server, cell.workload): cell for cell in cells}
    return [
        Verdict(
            goal, value(goal, found.get((goal.server, goal.workload)), found.get((goal.other, goal.workload)))
        )
        for goal in GOALS
    ]


def value(goal: Goal, ours: Cell | None, others: Cell | None) -> float | None:
    """The median over the rounds of what the goal is about; None where that was not measured."""
    if ours is None or (goal.other and others is None):
        return None
    if others is None:
        return ours.median(goal.figure) if ours.samples else None
    pairs = zip(ours.samples, others.samples, strict=False)
    how = _difference if goal.less else _ratio
    values = [found for one, other in pairs if (found := how(goal.figure, one, other)) is not None]
    return median(values) if values else None


def _difference(figure: str, one: Sample, other: Sample) -> float | None:
    found: float = getattr(one, figure) - getattr(other, figure)
    return found


def _ratio(figure: str, one: Sample, other: Sample) -> float | None:
    divisor: float = getattr(other, figure)
    return getattr(one, figure) / divisor if divisor else None
