"""What is said of a read that no legal order explains."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.histories.history import Read, Scan, Write

# stale: older than a write acknowledged before the read began. non-monotonic: older than what another read
# had shown before it began. torn: half of one write. phantom: of no write that could have been visible. lost:
# the origin itself forgot an acknowledged write, or gave two the same number.
Name = Literal["stale", "non-monotonic", "torn", "phantom", "lost"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``story``: who read what when, and what contradicts it; moments are seconds since the run began."""

    name: Name
    object: str
    at: float
    story: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``excused``: reads that are older than level wire allows, within what level ttl promised then."""

    findings: list[Finding]
    excused: int

    def lines(self, most: int = 10) -> list[str]:
        """The first stories, and how many there are of each name."""
        told = [f"{f.name.upper()} {f.object}: {f.story}" for f in self.findings[:most]]
        counted = Counter(f.name for f in self.findings)
        return [*told, *(f"{number} reads are {name}" for name, number in counted.most_common())]


class Storyteller:
    """``began``: the moment from which stories count."""

    def __init__(self, began: float) -> None:
        self._began: Final = began

    def at(self, moment: float) -> str:
        """A moment in seconds since the run began."""
        return f"{moment - self._began:.6f}"

    def read(self, read: Read) -> str:
        """Who read what when."""
        rows = " and ".join(
            f"number {row.number}" + (f" {row.token!r}" if row.token else "") for row in read.rows
        )
        return f"{read.client} read {rows or 'no row'} {self._between(read)} [{read.how}]"

    def scan(self, scan: Scan, token: str, *, there: bool) -> str:
        """Who saw, or missed, one row when."""
        seen = "saw" if there else "did not see"
        return f"{scan.client} {seen} {token!r} {self._between(scan)} [{scan.how}]"

    def write(self, write: Write) -> str:
        """Who wrote what when, and what came of it."""
        if write.ended < self._began:
            return f"the first value {write.token!r}"
        number = "" if write.number is None else f" as number {write.number}"
        value = f" {write.token!r}" if write.token else ""
        end = f", {write.outcome} at {self.at(write.ended)}" if write.ended < float("inf") else ", in doubt"
        return (
            f"{write.client}'s {write.kind}{value}{number}, sent at {self.at(write.began)}{end} [{write.how}]"
        )

    def _between(self, seen: Read | Scan) -> str:
        where = (
            f"through proxy {seen.incarnation}" if seen.incarnation < 1_000_000 else "at the origin itself"
        )
        return f"between {self.at(seen.began)} and {self.at(seen.ended)} {where}"


def in_order(findings: Iterable[Finding]) -> Sequence[Finding]:
    """The earliest first."""
    return sorted(findings, key=lambda finding: finding.at)
