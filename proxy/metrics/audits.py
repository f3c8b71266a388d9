"""What the auditor found: how many answers from memory the origin would have given too, by their age."""

from __future__ import annotations

from typing import Any, Final, TypedDict, final

# Seconds. Write-through caches err below the first, caches that expire by time up to the last, the usual TTL.
AGES: Final = (0.1, 1.0, 5.0, 60.0)
_NAMES: Final = tuple(f"{age:g}" for age in AGES)


class AuditFigures(TypedDict):
    """The section ``audit`` of ``GET /stats``. Keys of the ``_within`` and of the share: ages in seconds.

    ``fresh_share`` is None where no answer of that age was checked.
    """

    answers: dict[str, int]
    skipped: dict[str, int]
    checked_within: dict[str, int]
    fresh_within: dict[str, int]
    fresh_share: dict[str, float | None]


@final
class Audits:
    """Integers that only grow. ``excused``: a write was on its way, or has ended, between answer and check;

    ``skipped``, by reason: could not be checked. Neither says anything of freshness.
    """

    __slots__ = ("_checked", "_fresh", "different", "excused", "fresh", "skipped")

    def __init__(self) -> None:
        self.fresh = 0
        self.different = 0
        self.excused = 0
        self.skipped: dict[str, int] = {}
        self._checked = [0] * len(AGES)
        self._fresh = [0] * len(AGES)

    def checked(self, age: float, *, fresh: bool) -> None:
        """An answer that was ``age`` seconds old when it was given was compared with the origin's."""
        self.fresh += fresh
        self.different += not fresh
        for place, bound in enumerate(AGES):
            if age <= bound:
                self._checked[place] += 1
                self._fresh[place] += fresh

    def skip(self, reason: str) -> None:
        """A sample could not be checked; the reasons are words of the code, so they are few."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def told(self) -> dict[str, Any]:
        """As another process adds it to its own."""
        return {
            "answers": [self.fresh, self.different, self.excused],
            "skipped": dict(self.skipped),
            "checked": list(self._checked),
            "within": list(self._fresh),
        }

    def add(self, told: dict[str, Any]) -> None:
        """Count what another process has found."""
        fresh, different, excused = told["answers"]
        self.fresh += fresh
        self.different += different
        self.excused += excused
        for reason, number in told["skipped"].items():
            self.skipped[reason] = self.skipped.get(reason, 0) + number
        self._checked = [a + b for a, b in zip(self._checked, told["checked"], strict=True)]
        self._fresh = [a + b for a, b in zip(self._fresh, told["within"], strict=True)]

    def figures(self) -> AuditFigures:
        """Everything as it stands now."""
        shares = (f / c if c else None for f, c in zip(self._fresh, self._checked, strict=True))
        return {
            "answers": {"fresh": self.fresh, "different": self.different, "excused": self.excused},
            "skipped": dict(self.skipped),
            "checked_within": dict(zip(_NAMES, self._checked, strict=True)),
            "fresh_within": dict(zip(_NAMES, self._fresh, strict=True)),
            "fresh_share": dict(zip(_NAMES, shares, strict=True)),
        }


def percent(share: float | None) -> str:
    """A share for people: never rounded up, for 100 % must mean all of them; "-" for None."""
    return "-" if share is None else f"{int(share * 10_000) / 100:.2f} %"
