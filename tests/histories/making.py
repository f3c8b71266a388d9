"""Histories by hand, for the tests of the checker: a letter is a value, moments are small whole numbers."""

from __future__ import annotations

from tests.histories.checking.check import check
from tests.histories.checking.levels import Levels
from tests.histories.history import (
    ACKNOWLEDGED,
    IN_DOUBT,
    NEVER,
    History,
    Kind,
    Outcome,
    Read,
    Row,
    Scan,
    Write,
)

FIRST = "first of register 1"


def write(
    token: str,
    began: float,
    ended: float = NEVER,
    number: int | None = None,
    outcome: Outcome | None = None,
    kind: Kind = "update",
    name: str = "register 1",
    incarnation: int = 1,
) -> Write:
    """A write: acknowledged where it has an end, else in doubt."""
    became = outcome or (IN_DOUBT if ended == NEVER else ACKNOWLEDGED)
    return Write(
        kind, name, token, f"writer of {token}", "by hand", incarnation, began, ended, became, number
    )


def read(token: str, number: int, began: float, ended: float, incarnation: int = 1) -> Read:
    """A read of ``register 1``."""
    return Read(
        "register 1", (Row(token, number),), f"reader at {began}", "by hand", incarnation, began, ended
    )


def scan(tokens: str, began: float, ended: float, incarnation: int = 1) -> Scan:
    """A scan of ``place 1``: each letter is a row that it showed."""
    shown = frozenset(tokens)
    return Scan("place 1", shown, f"reader at {began}", "by hand", incarnation, began, ended)


def named(*happened: Write | Read | Scan, levels: Levels | None = None) -> list[str]:
    """What the checker calls the reads that it cannot explain."""
    history = History()
    history.writes.append(write(FIRST, -2, -1, 0))
    for one in happened:
        if isinstance(one, Write):
            history.writes.append(one)
        elif isinstance(one, Read):
            history.reads.append(one)
        else:
            history.scans.append(one)
    return [finding.name for finding in check(history, levels or Levels(), -3.0).findings]
