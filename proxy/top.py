"""``orrery top``: a running proxy's figures in the terminal, drawn anew at each look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from proxy.metrics.audits import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from proxy.admin.client import AdminWindow
    from proxy.admin.snapshot import QueryRow
    from proxy.metrics.catalogue import Stats

MAX_QUERIES: Final = 15


def watch(window: AdminWindow, interval_seconds: float, *, once: bool = False) -> None:
    """Show the window's figures until Ctrl-C, or once. WindowClosed: it cannot be reached (any more)."""
    console = Console()
    if once:
        console.print(view(window.stats(), window.queries()))
        return
    with Live(view(window.stats(), window.queries()), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(interval_seconds)
            live.update(view(window.stats(), window.queries()), refresh=True)


def view(stats: Stats, queries: list[QueryRow]) -> RenderableType:
    """Draw one look."""
    return Group(_headline(stats), _figures(stats), _queries(queries))


def _headline(stats: Stats) -> Text:
    freshness = stats["freshness"]
    return Text(
        f"orrery {stats['version']} {stats['instance']}   freshness {freshness['level']}"
        f" for {freshness['since_seconds']:.0f} s ({freshness['why']})"
    )


def _figures(stats: Stats) -> Table:
    outcomes, cache, origin = stats["outcomes"], stats["cache"], stats["origin"]
    table = Table.grid(padding=(0, 2))
    rows: dict[str, Mapping[str, object]] = {
        "outcomes": outcomes,
        "hit ratio": {"of reads": f"{_ratio(outcomes):.1%}"},
        "bypass": dict(sorted(stats["bypass"].items(), key=lambda item: -item[1])[:6]),
        "invalidations": stats["invalidations"],
        "proofs": stats["proofs"],
        "blocks": stats["blocks"],
        "memory": {
            "entries": cache["entries"],
            "MiB": f"{cache['bytes'] / 2**20:.1f} of {cache['limit_bytes'] / 2**20:.0f}",
            "evictions": cache["evictions"],
        },
        "audit": {
            **stats["audit"]["answers"],
            **{f"within {age} s": percent(s) for age, s in stats["audit"]["fresh_share"].items()},
        },
        "clients": stats["clients"],
        "origin": origin,
        "ms p50 / p99": {
            path: f"{quantiles['p50']:.3f} / {quantiles['p99']:.3f}"
            for path, quantiles in stats["latency_ms"].items()
        },
    }
    for name, figures in rows.items():
        table.add_row(
            Text(name, "bold"), Text("   ".join(f"{key} {value}" for key, value in figures.items()))
        )
    return table


def _ratio(outcomes: dict[str, int]) -> float:
    reads = sum(outcomes[outcome] for outcome in ("hit", "fill", "coalesced", "bypass"))
    return outcomes["hit"] / reads if reads else 0.0


def _queries(queries: list[QueryRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    for heading in ("calls", "hit %", "ms hit", "ms origin", "saved s"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    table.add_column("reason", no_wrap=True)
    # What is left of the line: the figures are never cut for the sake of the text.
    table.add_column("statement", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in queries[:MAX_QUERIES]:
        table.add_row(
            str(row["calls"]),
            f"{row['hit_ratio']:.0%}",
            f"{row['mean_hit_ms']:.3f}",
            f"{row['mean_origin_ms']:.2f}",
            f"{row['saved_ms'] / 1000:.1f}",
            row["reason"] or "",
            Text(" ".join(row["template"].split())),
        )
    return table
