"""Numbered objects: registers, counters, pairs. Linearizable, as PostgreSQL's single rows are?

Each write of an object takes the next number under its row's lock, so the numbers are the order; what is left
to ask is whether time agrees. All that was over before a read began (an acknowledged write, another read) has
no higher number than it shows; what it shows must have been sent before it ended. Writes in doubt take
part from the moment that somebody has seen them. That is linearizability of one object whose order is known,
in O(n log n). Numbers that nobody was told (of writes that return nothing) are counted: n acknowledged writes
make the number n at least, n sent ones at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, final

from tests.histories.checking.findings import Finding, Name, Storyteller
from tests.histories.history import ACKNOWLEDGED, AT_THE_ORIGIN, IN_DOUBT, NEVER, REFUSED, Read, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.histories.checking.levels import Levels

PAIR_TOTAL: Final = 100


@dataclass(frozen=True, slots=True)
class Known:
    """That the object had reached ``number`` by ``ended`` at the latest, and by whom it is known."""

    ended: float
    number: int
    by: Read | Write


@final
class Numbered:
    """The history of one object. ``elsewhere``: the writes of all objects by their values, for stories."""

    def __init__(
        self,
        name: str,
        writes: list[Write],
        reads: list[Read],
        elsewhere: Mapping[str, Write],
        levels: Levels,
        tell: Storyteller,
    ) -> None:
        self._name = name
        self._reads = reads
        self._elsewhere = elsewhere
        self._levels = levels
        self._tell = tell
        self._rows = 2 if name.startswith("pair") else 1
        self._valued = not name.startswith("counter")
        self._writes = {write.token: write for write in writes}
        self._acknowledged = sorted(w.ended for w in writes if w.outcome == ACKNOWLEDGED and w.number != 0)
        self._sent = sorted(w.began for w in writes if w.outcome != REFUSED and w.number != 0)
        self._numbers: dict[int, Write] = {
            w.number: w for w in writes if w.outcome == ACKNOWLEDGED and w.number is not None
        }
        self._doubtful = [w for w in writes if w.outcome == IN_DOUBT]
        self._told = [w for w in writes if w.outcome == ACKNOWLEDGED and w.number is not None]
        self._number_of: dict[str, int] = {}
        self._first_seen: dict[int, float] = {}
        self.findings: list[Finding] = []
        self.excused = 0

    def check(self) -> None:
        """Fill ``findings`` and ``excused``."""
        self._check_numbers()
        sound = [read for read in sorted(self._reads, key=lambda r: r.began) if self._could_exist(read)]
        known = [read for read in sound if self._belongs(read)]
        numbers = sorted(self._numbers)
        # Up to each number, the write that was sent last.
        last = list(accumulate((self._numbers[n] for n in numbers), _later))
        early = [self._is_early(read, last[bisect_right(numbers, read.rows[0].number) - 1]) for read in known]
        self._check_order([read for read, is_early in zip(known, early, strict=True) if not is_early])

    def _belongs(self, read: Read) -> bool:
        """Learn which write has the number that this answer shows: one value has one number."""
        token, number, _ = read.rows[0]
        write = self._numbers.setdefault(number, self._source(read))
        self._first_seen[number] = min(read.ended, self._first_seen.get(number, read.ended))
        if self._valued and (write.token != token or self._number_of.setdefault(token, number) != number):
            told = f"{self._tell.read(read)}: not what others saw of {self._tell.write(write)}"
            self._find("phantom", read.began, told)
            return False
        return True

    def _source(self, read: Read) -> Write:
        """The write that an answer shows. A counter's that no writer was told the number of comes from one in
        doubt; nobody can say which, so any may excuse it.
        """
        if self._valued:
            return self._writes[read.rows[0].token]
        oldest = min((write.incarnation for write in self._doubtful), default=read.incarnation)
        return Write("update", self._name, "", "somebody", "in doubt", oldest, -NEVER)

    def _find(self, name: Name, at: float, story: str) -> None:
        self.findings.append(Finding(name, self._name, at, story))

    def _check_numbers(self) -> None:
        """No number is given twice."""
        for write in self._told:
            other = self._numbers[write.number or 0]
            if other is not write:
                story = f"{self._tell.write(write)}; the same number as {self._tell.write(other)}"
                self._find("lost", write.ended, story)

    def _could_exist(self, read: Read) -> bool:
        """Is there a write that this answer may come from, whole? What is not is reported here."""
        name, why = self._flaw(read)
        if name is not None:
            self._find(name, read.began, f"{self._tell.read(read)}{why}")
        return name is None and read.own is None

    def _flaw(self, read: Read) -> tuple[Name | None, str]:
        """What is wrong with an answer by itself, without regard to the order."""
        halves = {(row.token, row.number) for row in read.rows}
        if len(read.rows) != self._rows or len(halves) != 1:
            return "torn", ""
        token, number, _ = read.rows[0]
        if read.own is not None:
            return (
                (None, "") if token == read.own else ("stale", f", in a transaction that wrote {read.own!r}")
            )
        if self._rows == 2 and sum(row.amount for row in read.rows) != PAIR_TOTAL:
            return "torn", f": amounts {[row.amount for row in read.rows]}"
        why = self._phantom(read) if self._valued else ""
        if not why and number > bisect_right(self._sent, read.ended):
            why = "before so many writes had been sent"
        return ("phantom", f": {why}") if why else (None, "")

    def _phantom(self, read: Read) -> str:
        token, number, _ = read.rows[0]
        write = self._writes.get(token)
        if write is None:
            other = self._elsewhere.get(token)
            of = f"that is {self._tell.write(other)} of {other.object}" if other else "nobody wrote that"
            return f"{of}, or only in a transaction that was never committed"
        if write.outcome == REFUSED:
            return f"that is {self._tell.write(write)}"
        if write.began > read.ended:
            return f"before it was sent: {self._tell.write(write)}"
        if write.number not in (None, number):
            return f"but that is {self._tell.write(write)}"
        return ""

    def _is_early(self, read: Read, last: Write) -> bool:
        """Was ``last``, whose number is no higher than the one shown, sent after the answer had come?"""
        if last.began <= read.ended:
            return False
        self._find("phantom", read.began, f"{self._tell.read(read)}, before {self._tell.write(last)}")
        return True

    def _check_order(self, reads: list[Read]) -> None:
        """Go through the reads by their beginning, and through all that was over before it by its end."""
        over = [Known(read.ended, read.rows[0].number, read) for read in reads]
        over += [Known(w.ended, w.number, w) for w in self._told if w.number is not None]
        over += [
            Known(w.ended, number, w)
            for number, w in self._numbers.items()
            if w.outcome == ACKNOWLEDGED and w.number is None
        ]
        over.sort(key=lambda known: known.ended)
        at, newest = 0, None
        for read in reads:
            while at < len(over) and over[at].ended < read.began:
                if newest is None or over[at].number > newest.number:
                    newest = over[at]
                at += 1
            self._compare(read, newest)

    def _compare(self, read: Read, newest: Known | None) -> None:
        number = read.rows[0].number
        if newest is not None and newest.number > number:
            if self._is_excused(read, newest.number):
                self.excused += 1
                return
            by = newest.by
            name: Name = "stale" if isinstance(by, Write) else "non-monotonic"
            told = self._tell.write(by) if isinstance(by, Write) else self._tell.read(by)
            self._find(_at_origin(read, name), read.began, f"{self._tell.read(read)}, after {told}")
        elif (least := bisect_left(self._acknowledged, read.began)) > number:
            told = f"{self._tell.read(read)}, after {least} writes had been acknowledged"
            self._find(_at_origin(read, "stale"), read.began, told)

    def _is_excused(self, read: Read, newest: int) -> bool:
        """Was everything that it leaves out in doubt, and of a proxy that is dead?"""
        missed = range(read.rows[0].number + 1, newest + 1)
        known_by = min(self._first_seen.get(number, float("inf")) for number in missed)
        return all(
            (write := self._numbers.get(number)) is not None and self._levels.excuses(read, write, known_by)
            for number in missed
        )


def _at_origin(read: Read, name: Name) -> Name:
    return "lost" if read.incarnation == AT_THE_ORIGIN else name


def _later(one: Write, other: Write) -> Write:
    return one if one.began > other.began else other
