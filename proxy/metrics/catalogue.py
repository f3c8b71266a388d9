"""Every metric in one table, and the shapes it is told in: ``/stats``, ``SHOW orrery.stats``, Prometheus.

A row of the table covers one figure of ``/stats``, or, with a label, all figures of one of its sections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.metrics.audits import AuditFigures
    from proxy.metrics.counters import Counters
    from proxy.metrics.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``section`` (with dots for sections in it) and ``key`` say where ``/stats`` has it; with a
    ``label``, ``key`` is its value.

    Names follow the Prometheus docs, practices/naming, "Metric names".
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    help: str
    section: str
    key: str = ""
    label: str = ""


METRICS: Final = (
    Metric(
        "orrery_outcomes_total",
        "counter",
        "requests",
        "Requests by what came of them.",
        "outcomes",
        label="outcome",
    ),
    Metric(
        "orrery_bypass_total",
        "counter",
        "requests",
        "Requests passed through, by reason.",
        "bypass",
        label="reason",
    ),
    Metric(
        "orrery_invalidations_total",
        "counter",
        "changes",
        "Changes that made answers stale, by cause.",
        "invalidations",
        label="cause",
    ),
    Metric(
        "orrery_proofs_total",
        "counter",
        "statements",
        "Statements of unknown effect that the origin was asked about, by what it proved.",
        "proofs",
        label="verdict",
    ),
    Metric(
        "orrery_blocks_total",
        "counter",
        "blocks",
        "Transaction blocks whose BEGIN was answered at once, by whether the origin heard of them later.",
        "blocks",
        label="outcome",
    ),
    Metric("orrery_cache_entries", "gauge", "entries", "Answers in memory.", "cache", "entries"),
    Metric("orrery_cache_bytes", "gauge", "bytes", "Memory held by answers.", "cache", "bytes"),
    Metric("orrery_cache_limit_bytes", "gauge", "bytes", "Bound of that memory.", "cache", "limit_bytes"),
    Metric(
        "orrery_cache_evictions_total",
        "counter",
        "entries",
        "Answers that left for others.",
        "cache",
        "evictions",
    ),
    Metric("orrery_clients_open", "gauge", "clients", "Clients connected now.", "clients", "open"),
    Metric(
        "orrery_clients_peak", "gauge", "clients", "Most clients connected at one time.", "clients", "peak"
    ),
    Metric("orrery_origin_open", "gauge", "connections", "Origin connections open.", "origin", "open"),
    Metric("orrery_origin_busy", "gauge", "connections", "Origin connections at work.", "origin", "busy"),
    Metric(
        "orrery_origin_waiting", "gauge", "clients", "Clients waiting for a connection.", "origin", "waiting"
    ),
    Metric(
        "orrery_sessions_pinned_total",
        "counter",
        "sessions",
        "Sessions that came to hold what keeps them at their origin connection, by what it is.",
        "pinned",
        label="reason",
    ),
    Metric(
        "orrery_audit_answers_total",
        "counter",
        "answers",
        "Answers from memory that were checked at the origin, by verdict.",
        "audit.answers",
        label="verdict",
    ),
    Metric(
        "orrery_audit_skipped_total",
        "counter",
        "answers",
        "Answers from memory chosen to be checked that could not be, by reason.",
        "audit.skipped",
        label="reason",
    ),
    Metric(
        "orrery_audit_checked_total",
        "counter",
        "answers",
        "Answers compared with the origin's that were at most so old when they were given.",
        "audit.checked_within",
        label="age_seconds",
    ),
    Metric(
        "orrery_audit_fresh_total",
        "counter",
        "answers",
        "Those of them that the origin gave too.",
        "audit.fresh_within",
        label="age_seconds",
    ),
    Metric(
        "orrery_audit_fresh_share",
        "gauge",
        "share",
        "The share of those since the start; absent while none was compared.",
        "audit.fresh_share",
        label="age_seconds",
    ),
    Metric(
        "orrery_latency_seconds",
        "histogram",
        "seconds",
        "Time to answer a request, from memory or through the origin.",
        "latency_ms",
        label="path",
    ),
)


class Freshness(TypedDict):
    """The level that holds, for how long, and why no better one."""

    level: str
    since_seconds: float
    why: str


class Quantiles(TypedDict):
    """Milliseconds."""

    p50: float
    p99: float


class Stats(TypedDict):
    """The body of ``GET /stats``."""

    version: str
    instance: str
    freshness: Freshness
    outcomes: dict[str, int]
    bypass: dict[str, int]
    invalidations: dict[str, int]
    proofs: dict[str, int]
    blocks: dict[str, int]
    cache: dict[str, int]
    clients: dict[str, int]
    origin: dict[str, int]
    pinned: dict[str, int]
    audit: AuditFigures
    latency_ms: dict[str, Quantiles]


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """What the memory tells of itself; ``invalidations`` by cause."""

    entries: int
    bytes: int
    limit_bytes: int
    evictions: int
    invalidations: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process tells this, and the level of freshness that holds in it."""

    version: str
    instance: str
    freshness: Freshness


def stats(identity: Identity, counters: Counters, memory: MemoryFigures) -> Stats:
    """Everything as it stands now, in the shape of ``GET /stats``."""
    return {
        "version": identity.version,
        "instance": identity.instance,
        "freshness": identity.freshness,
        "outcomes": _outcomes(counters),
        "bypass": dict(counters.bypass_reasons),
        "invalidations": dict(memory.invalidations),
        "proofs": {"unchanged": counters.proven_unchanged, "changed": counters.not_proven},
        "blocks": {"withdrawn": counters.blocks_withdrawn, "opened": counters.blocks_opened},
        "cache": {
            "entries": memory.entries,
            "bytes": memory.bytes,
            "limit_bytes": memory.limit_bytes,
            "evictions": memory.evictions,
        },
        "clients": {"open": counters.clients_open, "peak": counters.clients_peak},
        "origin": {
            "open": counters.origin_open,
            "busy": counters.origin_busy,
            "waiting": counters.origin_waiting,
        },
        "pinned": dict(counters.pin_reasons),
        "audit": counters.audits.figures(),
        "latency_ms": {
            "hit": _quantiles(counters.hit_latency),
            "origin": _quantiles(counters.origin_latency),
        },
    }


def flat(figures: Stats) -> list[tuple[str, int]]:
    """The rows of ``SHOW orrery.stats``: every figure under ``section.key``, latencies in microseconds.

    All are whole numbers; shares follow from the counts.
    """
    sections: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("outcomes", figures["outcomes"]),
        ("bypass", figures["bypass"]),
        ("invalidations", figures["invalidations"]),
        ("proofs", figures["proofs"]),
        ("blocks", figures["blocks"]),
        ("cache", figures["cache"]),
        ("clients", figures["clients"]),
        ("origin", figures["origin"]),
        ("pinned", figures["pinned"]),
        ("audit.answers", figures["audit"]["answers"]),
        ("audit.skipped", figures["audit"]["skipped"]),
        ("audit.checked_within", figures["audit"]["checked_within"]),
        ("audit.fresh_within", figures["audit"]["fresh_within"]),
    )
    rows = [(f"{section}.{key}", value) for section, values in sections for key, value in values.items()]
    for path, quantiles in figures["latency_ms"].items():
        rows.append((f"latency_us.{path}.p50", round(quantiles["p50"] * 1000)))
        rows.append((f"latency_us.{path}.p99", round(quantiles["p99"] * 1000)))
    return rows


def _outcomes(counters: Counters) -> dict[str, int]:
    return {
        "hit": counters.hit,
        "fill": counters.fill,
        "coalesced": counters.coalesced,
        "bypass": counters.bypasses,
        "write": counters.write,
        "error": counters.error,
    }


def _quantiles(latency: Histogram) -> Quantiles:
    return {
        "p50": round(latency.quantile(0.5) * 1000.0, 4),
        "p99": round(latency.quantile(0.99) * 1000.0, 4),
    }
