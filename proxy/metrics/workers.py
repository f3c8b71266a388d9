"""What each worker tells of itself, and all of them summed: one proxy shows one set of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, cast

from proxy.metrics.catalogue import Freshness, MemoryFigures
from proxy.metrics.counters import Counters


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """``suspended``: writes on their way; ``in_doubt`` of them: whose connection was lost."""

    counters: Counters
    memory: MemoryFigures
    freshness: Freshness
    suspended: int
    in_doubt: int

    def told(self) -> dict[str, Any]:
        """As it travels to another process."""
        return {
            "counters": self.counters.told(),
            "memory": asdict(self.memory),
            "freshness": dict(self.freshness),
            "suspended": self.suspended,
            "in_doubt": self.in_doubt,
        }

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """What ``told`` has made of it."""
        counters = Counters()
        counters.add(told["counters"])
        memory, freshness = MemoryFigures(**told["memory"]), cast("Freshness", told["freshness"])
        return cls(counters, memory, freshness, told["suspended"], told["in_doubt"])


def summed(workers: Sequence[WorkerFigures]) -> WorkerFigures:
    """All of them together; the level of freshness is the lowest. One alone is shown as it is."""
    if len(workers) == 1:
        return workers[0]
    counters = Counters()
    invalidations: dict[str, int] = {}
    for worker in workers:
        counters.add(worker.counters.told())
        for cause, number in worker.memory.invalidations.items():
            invalidations[cause] = invalidations.get(cause, 0) + number
    memory = MemoryFigures(
        sum(worker.memory.entries for worker in workers),
        sum(worker.memory.bytes for worker in workers),
        sum(worker.memory.limit_bytes for worker in workers),
        sum(worker.memory.evictions for worker in workers),
        invalidations,
    )
    # One write in doubt is watched by several once its own worker is gone.
    return WorkerFigures(
        counters,
        memory,
        _lowest([worker.freshness for worker in workers]),
        max(worker.suspended for worker in workers),
        max(worker.in_doubt for worker in workers),
    )


def _lowest(levels: Sequence[Freshness]) -> Freshness:
    """The level that holds everywhere: the lowest, for as long as it has; else the one reached last."""
    low = [level for level in levels if level["level"] == "ttl"]
    if low:
        return max(low, key=lambda level: level["since_seconds"])
    return min(levels, key=lambda level: level["since_seconds"])
