"""The integers of one process: each request ends in exactly one outcome, counted here once."""

from __future__ import annotations

from typing import final

from proxy.metrics.audits import Audits
from proxy.metrics.histogram import Histogram


@final
class Counters:
    """What happened since the start, and what is open now.

    ``hit`` to ``error`` and ``bypass_reasons`` only grow. ``origin_*`` are gauges that the pool writes.
    ``proven_unchanged`` and ``not_proven`` count the statements of unknown effect that the origin was asked
    about. ``bypass_reasons`` has one key for each reason word met; the words stand in one table, so they are
    few. ``pin_reasons`` counts how often a session came to hold something that keeps it at its connection to
    the origin between transactions.
    """

    __slots__ = (
        "audits",
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
        self.clients_open = 0
        self.clients_peak = 0
        self.origin_open = 0
        self.origin_busy = 0
        self.origin_waiting = 0
        self.hit_latency = Histogram()
        self.origin_latency = Histogram()

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
