"""A made-up house that says what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.admin.snapshot import query_row
from proxy.metrics.catalogue import Identity, MemoryFigures, Stats, stats
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.admin.snapshot import QueryRow
    from proxy.metrics.histogram import Histogram


class MadeUpHouse:
    """Real counters with a few events in them; ``purges`` lists what was asked to be dropped."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.counters.hit += 3
        self.counters.hit_latency.observe(0.00001)
        self.counters.bypass("volatile")
        self.counters.audits.checked(3.0, fresh=True)
        self.templates = Templates(8)
        template = self.templates.of("ann", "SELECT name FROM planet WHERE id = $1")
        template.fill(0.04, 2.5, 100)
        template.hit(0.00001)
        self.is_ready = True
        self.looks: list[str] = []
        self.purges: list[str | None] = []

    async def look(self, *, queries: bool = False) -> None:
        self.looks.append("queries" if queries else "figures")

    def stats(self) -> Stats:
        identity = Identity("0.1", "i-1", {"level": "ttl", "since_seconds": 12.5, "why": "writers unknown"})
        return stats(identity, self.counters, MemoryFigures(2, 300, 1 << 20, 1, {"purge": 4}))

    def latencies(self) -> Mapping[str, Histogram]:
        return {"hit": self.counters.hit_latency, "origin": self.counters.origin_latency}

    def queries(self) -> list[QueryRow]:
        return [query_row(template) for template in self.templates.seen_by(None)]

    def ready(self) -> bool:
        return self.is_ready

    async def purge(self, table: str | None) -> int:
        if table == "nowhere":
            raise LookupError(table)
        self.purges.append(table)
        return 7
