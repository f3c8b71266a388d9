"""Plays a script on twins: each step direct and through the proxy, each read until memory answers it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from proxy.wire import backend
from proxy.wire.framing import HEADER
from tests.differential.comparison import Comparer
from tests.differential.messages import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.framing import Frame
    from tests.differential.messages import Step
    from tests.differential.twins import Pair, Voice

# How often a read is asked for at most.
_REPEATS: Final = 5
# Reasons that pass by themselves: the next time may be a hit.
_PASSING: Final = ("", "catalogue", "suspended", "unresolved")

_TEMPORARY: Final = re.compile(rb"\btemp(orary)?\b", re.IGNORECASE)
_DISCARD: Final = re.compile(rb"\bdiscard\s+(all|temp(orary)?)\b", re.IGNORECASE)
# PostgreSQL's words where a prepared statement has other columns than its client was told.
_REFUSED: Final = b"cached plan must not change result type"


@dataclass(frozen=True, slots=True)
class Difference:
    """``at``: the number of the step, counted from 0. ``seen``: both answers, in words."""

    at: int
    seen: str


@dataclass(slots=True)
class Tally:
    """What was played.

    ``statements``: steps; ``read_statements``: those that only read; ``answered``: those of them that memory
    served in the end; ``reasons``: why it did not serve the others. ``reads`` and ``hits`` count repetitions.
    ``known``: differences that docs/differences.md states (``TemporaryAgain``).
    """

    statements: int = 0
    read_statements: int = 0
    answered: int = 0
    reads: int = 0
    hits: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    known: int = 0

    def add(self, other: Tally) -> None:
        """Take the figures of ``other`` into these."""
        self.statements += other.statements
        self.read_statements += other.read_statements
        self.answered += other.answered
        self.reads += other.reads
        self.hits += other.hits
        self.reasons += other.reasons
        self.known += other.known


@final
class TemporaryAgain:
    """Which clients have discarded their temporary relations and made others since: what a prepared statement
    then reads hangs on whether its backend is the same (docs/differences.md, "temporary relations").
    """

    def __init__(self) -> None:
        self._had: set[int] = set()
        self._discarded: set[int] = set()
        self._again: set[int] = set()

    def note(self, step: Step) -> None:
        """What a client says next."""
        for part in step.parts:
            if _DISCARD.search(part.frames):
                self._discarded |= self._had & {step.client}
                self._again.discard(step.client)
            elif _TEMPORARY.search(part.frames):
                self._had.add(step.client)
                self._again |= self._discarded & {step.client}

    def explains(self, step: Step, direct: Sequence[Frame], proxied: Sequence[Frame]) -> bool:
        """May the proxy refuse what the origin answers here?"""
        return step.client in self._again and _refuses(proxied) and not _refuses(direct)


@final
class Player:
    """Plays on ``pairs``, one of them for each client, and counts in ``tally``."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._comparer = Comparer()
        self._temporary = TemporaryAgain()
        self._is_over = False  # what follows a known difference may differ as well
        self.tally = Tally()

    def play(self, steps: Sequence[Step]) -> Difference | None:
        """All ``steps``, up to the first difference."""
        for at, step in enumerate(steps):
            self.tally.statements += 1
            seen = self._repeat(step) if step.read else self._once(step)
            if seen:
                return Difference(at, seen)
            if self._is_over:
                self.tally.known += 1
                break
        return None

    def _repeat(self, step: Step) -> str:
        self.tally.read_statements += 1
        outcome, reason = "", ""
        for _ in range(_REPEATS):
            seen = self._once(step)
            if seen or self._is_over:
                return seen
            self.tally.reads += 1
            outcome, reason = last_outcome(self._pairs[step.client].proxied)
            if outcome == "silent":
                return f"direct:  answers\nproxied: does not answer SHOW orrery.last: {reason}"
            self.tally.hits += outcome == "hit"
            if outcome == "hit" or (outcome != "fill" and reason not in _PASSING) or outcome == "error":
                break
        self.tally.answered += outcome == "hit"
        if outcome != "hit":
            self.tally.reasons[reason or outcome] += 1
        return ""

    def _once(self, step: Step) -> str:
        pair = self._pairs[step.client]
        self._temporary.note(step)
        direct, told = _say(pair.direct, step)
        proxied, told_by_proxy = _say(pair.proxied, step)
        if told != told_by_proxy:
            return f"direct:  {told or 'answers'}\nproxied: {told_by_proxy or 'answers'}"
        own = (pair.direct.pid, pair.proxied.pid)
        seen = self._comparer.difference(direct, proxied, ordered=step.ordered, own=own)
        if seen and self._temporary.explains(step, direct, proxied):
            self._is_over = True
            return ""
        return seen


def last_outcome(speaker: Voice) -> tuple[str, str]:
    """Outcome and reason of the previous statement, in the proxy's words; a failed transaction hears none."""
    frames, told = _say(speaker, query(0, "SHOW orrery.last"))
    if told:
        return "silent", told
    for frame in frames:
        if frame.kind == backend.DATA_ROW:
            outcome, reason = _first_two(frame.raw)
            return outcome, reason
    return "error", "failed"


def _refuses(frames: Sequence[Frame]) -> bool:
    errors = [frame.raw for frame in frames if frame.kind == backend.ERROR_RESPONSE]
    return len(errors) == 1 and backend.sqlstate(errors[0]) == "0A000" and _REFUSED in errors[0]


def _first_two(row: bytes) -> tuple[str, str]:
    texts: list[str] = []
    at = HEADER + 2
    for _ in range(2):
        length = int.from_bytes(row[at : at + 4], "big", signed=True)
        at += 4
        texts.append(row[at : at + max(length, 0)].decode())
        at += max(length, 0)
    return texts[0], texts[1]


def _say(speaker: Voice, step: Step) -> tuple[list[Frame], str]:
    """The replies, and what went wrong with the connection."""
    try:
        return speaker.say(step), ""
    except OSError as fault:
        return [], f"{type(fault).__name__}: {fault}"
