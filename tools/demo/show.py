"""What the demonstration prints: the figures, and where everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from tools.demo.measure import Figures, Freshness
    from tools.demo.options import Options
    from tools.stage.stage import Stage


def figures(options: Options, direct: Figures, proxied: Figures, hit_ratio: float) -> Table:
    """Both ways side by side."""
    table = Table(
        title=f"GET /planets, {options.distance_ms:g} ms away from PostgreSQL",
        box=SIMPLE,
        title_justify="left",
    )
    table.add_column("")
    table.add_column("direct", justify="right")
    table.add_column("through Orrery", justify="right")
    for name, one, other in (
        ("first request", direct.first, proxied.first),
        ("second request", direct.second, proxied.second),
        (f"p50 of {options.requests}", direct.p50, proxied.p50),
        (f"p99 of {options.requests}", direct.p99, proxied.p99),
    ):
        table.add_row(name, _ms(one), _ms(other))
    table.add_row("hit ratio", "-", f"{hit_ratio:.1%}")
    return table


def verdict(direct: Figures, proxied: Figures, second_from_memory: bool) -> str:
    """What the figures say, in a sentence."""
    source = "from memory" if second_from_memory else "from PostgreSQL"
    return f"The median is {direct.p50 / proxied.p50:.1f} times faster; the second request came {source}."


def freshness(seen: Freshness) -> str:
    """What a change did, in a sentence."""
    verb = "showed" if seen.seen else "DID NOT SHOW"
    return (
        f"Never stale: PATCH /planets/3 took {_ms(seen.patch)}, the very next GET {verb} the new name"
        f" ({_ms(seen.next_read)}), and the one after it took {_ms(seen.read_after)}."
    )


def addresses(console: Console, stage: Stage, port: int) -> None:
    """Where everything is, and how it ends."""
    app = f"http://127.0.0.1:{port}"
    for name, address in (
        ("app", f"{app}/planets"),
        ("docs", f"{app}/docs"),
        ("proxy", stage.proxy_url),
        ("admin", f"http://127.0.0.1:{stage.admin_port}/stats"),
    ):
        console.print(f"  {name:<6} {address}", soft_wrap=True, highlight=False)
    twice = "-c 'TABLE \"Planet\"' " * 2
    console.print(
        f"  try    {stage.psql} {stage.proxy_url} {twice}-c 'SHOW orrery.last'",
        soft_wrap=True,
        highlight=False,
    )
    console.print("Ctrl-C stops everything.")


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms"
