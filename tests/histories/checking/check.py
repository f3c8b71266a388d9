"""A whole history: object by object, place by place."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.histories.checking.findings import Finding, Storyteller, Verdict, in_order
from tests.histories.checking.numbered import Numbered
from tests.histories.checking.rows import Place, by_place

if TYPE_CHECKING:
    from tests.histories.checking.levels import Levels
    from tests.histories.history import History, Read, Write


def check(history: History, levels: Levels, began: float) -> Verdict:
    """Explain or name every read; ``began`` is the moment from which the stories count."""
    tell = Storyteller(began)
    objects: defaultdict[str, tuple[list[Write], list[Read]]] = defaultdict(lambda: ([], []))
    for write in history.writes:
        if write.kind == "update":
            objects[write.object][0].append(write)
    for read in history.reads:
        objects[read.object][1].append(read)
    values = {write.token: write for write in history.writes}
    checks: list[Numbered | Place] = [
        Numbered(name, writes, reads, values, levels, tell) for name, (writes, reads) in objects.items()
    ]
    checks += [
        Place(name, writes, scans, levels, tell)
        for name, (writes, scans) in by_place(history.writes, history.scans).items()
    ]
    findings: list[Finding] = []
    for one in checks:
        one.check()
        findings += one.findings
    return Verdict(list(in_order(findings)), sum(one.excused for one in checks))
