"""What a run must reach: ``OBJECTIVES="hit_ratio>=0.9 p99_ms<=5"``, judged after it."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.stage.errors import Misused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIGURES: Final = (
    "hit_ratio",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "requests",
    "failures",
    "time_to_first_hit_ms",
    "speedup",
    "origin_saved",
)
FROM_STATS: Final = frozenset({"hit_ratio", "time_to_first_hit_ms", "origin_saved"})
FROM_DIRECT: Final = frozenset({"speedup"})
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM: Final = re.compile(r"([a-z0-9_]+)(>=|<=|>|<)(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Objective:
    """``figure`` of the cached run, ``comparison`` of it with ``bound``."""

    figure: str
    comparison: str
    bound: float

    @property
    def name(self) -> str:
        """As it was stated."""
        return f"{self.figure}{self.comparison}{self.bound:.10g}"

    def met(self, figures: Mapping[str, float | None]) -> bool:
        """Do the figures reach it? One that could not be measured reaches nothing."""
        value = figures.get(self.figure)
        return value is not None and _COMPARISONS[self.comparison](value, self.bound)


# Whatever else is stated: a load test with failed requests has measured something else.
NO_FAILURES: Final = Objective("failures", "<=", 0.0)


def read_objectives(text: str) -> tuple[Objective, ...]:
    """The objectives in ``text``, after NO_FAILURES. Raises Misused, naming the one that cannot be used."""
    stated = tuple(_objective(word) for word in text.replace(",", " ").split())
    return (NO_FAILURES, *(objective for objective in stated if objective != NO_FAILURES))


def _objective(word: str) -> Objective:
    form = _FORM.fullmatch(word)
    if form is None:
        raise Misused(
            f"OBJECTIVES={word} cannot be used: a figure, >=, <=, > or < and a number are expected,"
            " as in hit_ratio>=0.9"
        )
    if form[1] not in FIGURES:
        raise Misused(f"OBJECTIVES={word} cannot be used: {form[1]} is none of {', '.join(FIGURES)}")
    return Objective(form[1], form[2], float(form[3]))
