"""What the house shows of itself: the one typed view that the API, the terminal view and the tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.metrics.catalogue import Stats
    from proxy.metrics.histogram import Histogram
    from proxy.metrics.templates import Template


class QueryRow(TypedDict):
    """One statement template of one role. No values: the template has parameters in their places.

    ``reason``: why it was passed through last, None if it is remembered. ``ttl_ms`` None: no expiry by time.
    """

    role: str
    template: str
    calls: int
    hits: int
    hit_ratio: float
    fills: int
    reason: str | None
    ttl_ms: int | None
    bytes: int
    mean_hit_ms: float
    mean_origin_ms: float
    saved_ms: float


class House(Protocol):
    """What the window needs of the service. All answer at once, from memory, but for ``look`` and ``purge``,
    which ask the other workers where there are any.
    """

    async def look(self, *, queries: bool = False) -> None:
        """Have the other workers tell their figures: what is asked for next holds them."""

    def stats(self) -> Stats:
        """The body of ``GET /stats``."""

    def latencies(self) -> Mapping[str, Histogram]:
        """The histograms behind ``latency_ms``, under the same keys."""

    def queries(self) -> list[QueryRow]:
        """Every template of every role, the most called first."""

    def ready(self) -> bool:
        """Whether the origin answers."""

    async def purge(self, table: str | None) -> int:
        """Drop entries, all or those that read ``table``; give their number. LookupError: no such table."""


def query_row(template: Template) -> QueryRow:
    """Show the figures of one template."""
    return {
        "role": template.role,
        "template": template.text,
        "calls": template.calls,
        "hits": template.hits,
        "hit_ratio": round(template.hit_ratio, 4),
        "fills": template.fills,
        "reason": template.reason or None,
        "ttl_ms": None if template.ttl is None else round(template.ttl * 1000),
        "bytes": template.bytes,
        "mean_hit_ms": round(template.mean_hit_ms, 4),
        "mean_origin_ms": round(template.mean_origin_ms, 4),
        "saved_ms": round(template.saved_seconds * 1000, 1),
    }
