"""The integers of one process: each request ends in exactly one outcome, counted here once."""

from __future__ import annotations

from typing import Any, Final, final

from proxy.metrics.audits import Audits
from proxy.metrics.histogram import Histogram

_INTEGERS: Final = (
    *("hit", "fill", "coalesced", "write", "error", "proven_unchanged", "not_proven"),
    *("blocks_withdrawn", "blocks_opened"),
    *("clients_open", "clients_peak", "origin_open", "origin_busy", "origin_waiting"),
)


@final
class Counters:
    """What happened since the start, and what is open now.

    ``hit`` to ``error`` and ``bypass_reasons`` only grow. ``origin_*`` are gauges that the pool writes.
    ``proven_unchanged`` and ``not_proven`` count the statements of unknown effect that the origin was asked
    about; ``blocks_withdrawn`` the transaction blocks that ended before the origin had to hear of them, and
    ``blocks_opened`` those of which it heard after the client was answered. ``bypass_reasons`` has one key
    for each reason word met; the words stand in one table, so they are few. ``pin_reasons`` counts how often
    a session came to hold something that keeps it at its connection to the origin between transactions.
    """

    __slots__ = (
        "audits",
        "blocks_opened",
        "blocks_withdrawn",
        "bypass_reasons",
        "clients_open",
        "clients_peak",
        "coalesced",
        "error",
        "fill",
        "hit",
        "hit_latency",
        "not_proven",
        "origin_busy",
        "origin_latency",
        "origin_open",
        "origin_waiting",
        "pin_reasons",
        "proven_unchanged",
        "write",
    )

    def __init__(self) -> None:
        self.hit = 0
        self.fill = 0
        self.coalesced = 0
        self.write = 0
        self.error = 0
        self.audits = Audits()
        self.bypass_reasons: dict[str, int] = {}
        self.pin_reasons: dict[str, int] = {}
        self.proven_unchanged = 0
        self.not_proven = 0
        self.blocks_withdrawn = 0
        self.blocks_opened = 0
        self.clients_open = 0
        self.clients_peak = 0
        self.origin_open = 0
        self.origin_busy = 0
        self.origin_waiting = 0
        self.hit_latency = Histogram()
        self.origin_latency = Histogram()

    def told(self) -> dict[str, Any]:
        """As another process adds it to its own."""
        return {
            "integers": {name: getattr(self, name) for name in _INTEGERS},
            "bypass": dict(self.bypass_reasons),
            "pinned": dict(self.pin_reasons),
            "audits": self.audits.told(),
            "hit_latency": self.hit_latency.told(),
            "origin_latency": self.origin_latency.told(),
        }

    def add(self, told: dict[str, Any]) -> None:
        """Count what another process has counted."""
        for name in _INTEGERS:
            setattr(self, name, getattr(self, name) + told["integers"][name])
        for reason, number in told["bypass"].items():
            self.bypass_reasons[reason] = self.bypass_reasons.get(reason, 0) + number
        for reason, number in told["pinned"].items():
            self.pin_reasons[reason] = self.pin_reasons.get(reason, 0) + number
        self.audits.add(told["audits"])
        self.hit_latency.add(told["hit_latency"])
        self.origin_latency.add(told["origin_latency"])

    def bypass(self, reason: str) -> None:
        """A request was passed through for this reason."""
        self.bypass_reasons[reason] = self.bypass_reasons.get(reason, 0) + 1

    def pinned(self, reason: str) -> None:
        """A session holds something that keeps it at its connection."""
        self.pin_reasons[reason] = self.pin_reasons.get(reason, 0) + 1

    @property
    def bypasses(self) -> int:
        """Requests passed through, for whatever reason."""
        return sum(self.bypass_reasons.values())

    def client_opened(self) -> None:
        """A client connected."""
        self.clients_open += 1
        self.clients_peak = max(self.clients_peak, self.clients_open)

    def client_closed(self) -> None:
        """A client is gone."""
        self.clients_open -= 1
