"""What is known of a run: every write and every read, with the moments between which it happened.

Moments are seconds of CLOCK_MONOTONIC, which all processes of a machine share. Objects are named
``register 3``, ``pair 1``, ``place 2`` ...; all but places are *numbered*: each write of one adds 1 to its
number, under its row's lock, so PostgreSQL itself tells the order of the writes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# What became of a write: told committed; told refused or rolled back; nobody knows, it may be yet to come.
Outcome = Literal["acknowledged", "refused", "in doubt"]
ACKNOWLEDGED: Final = "acknowledged"
REFUSED: Final = "refused"
IN_DOUBT: Final = "in doubt"

# ``update`` gives a numbered object its next value; rows ``appear`` in a place and ``vanish`` from it.
Kind = Literal["update", "appear", "vanish"]

NEVER: Final = math.inf
AT_THE_ORIGIN: Final = 1_000_000  # the incarnation of what did not pass through a proxy


class Row(NamedTuple):
    """One row of an answer: the value, unique to its write ("" where the number says all), its number,
    and the amount of a row whose partner holds the rest.
    """

    token: str
    number: int
    amount: int = 0


@dataclass(slots=True)
class Write:
    """One write of one object. It was visible to nobody before ``began``, the sending of what commits it;
    if ``outcome`` is acknowledged, to everybody from ``ended`` on. ``number`` is None where none was told.

    ``incarnation``: which of the proxies, one after the other, it was sent through.
    """

    kind: Kind
    object: str
    token: str
    client: str
    how: str
    incarnation: int
    began: float
    ended: float = NEVER
    outcome: Outcome = IN_DOUBT
    number: int | None = None


@dataclass(slots=True)
class Read:
    """One object in one answer: asked at ``began``, there at ``ended``.

    ``own``: the value that the reader's own open transaction had given the object; None outside of one.
    """

    object: str
    rows: tuple[Row, ...]
    client: str
    how: str
    incarnation: int
    began: float
    ended: float
    own: str | None = None


@dataclass(slots=True)
class Scan:
    """Which rows an answer showed in a ``place``."""

    place: str
    tokens: frozenset[str]
    client: str
    how: str
    incarnation: int
    began: float
    ended: float


@dataclass(slots=True)
class History:
    """All of a run. ``oddities``: what is no answer at all (a driver's surprise, a silence too long)."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    statements: int = 0  # answers to reading statements; one may show several objects
    oddities: list[str] = field(default_factory=list)

    def in_doubt(self) -> int:
        """How many writes nobody knows the end of."""
        return sum(write.outcome == IN_DOUBT for write in self.writes)


def initially(objects: Iterable[str]) -> list[Write]:
    """The values that stood there before anybody came; ``schema.sql`` writes the same."""
    return [
        Write("update", name, f"first of {name}", "nobody", "set-up", 0, -NEVER, -NEVER, ACKNOWLEDGED, 0)
        for name in objects
    ]
