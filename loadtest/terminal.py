"""What the terminal shows in the end: the table, the objectives, where the report is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE
from rich.table import Table

from loadtest.summary import figures, judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from loadtest.options import Options
    from loadtest.samples import Sample
    from loadtest.summary import Run

# Above this the machine, and not what it runs, is what was measured.
SATURATED_PERCENT: Final = 85.0


def show(console: Console, direct: Run | None, cached: Run, options: Options) -> None:
    """Print everything."""
    console.print(table(direct, cached))
    all_figures = judged(direct, cached)
    for objective in options.objectives:
        met = objective.met(all_figures)
        value = all_figures.get(objective.figure)
        seen = "not measured" if value is None else f"{value:.4g}"
        console.print(
            f"  {'met    ' if met else 'NOT MET'}  {objective.name}  ({seen})",
            highlight=False,
            soft_wrap=True,
        )
    for sentence in warnings(direct, cached):
        console.print(sentence, highlight=False, soft_wrap=True)


def table(direct: Run | None, cached: Run) -> Table:
    """Both ways side by side, then what only the proxy knows."""
    made = Table(box=SIMPLE)
    for name in ("", "direct", "through Orrery"):
        made.add_column(name, justify="right" if name else "left")
    for title, far, near in (
        ("HTTP", direct.http if direct else [], cached.http),
        ("SQL", direct.sql if direct else [], cached.sql),
    ):
        for name, one, other in _rows(title, far, near):
            made.add_row(name, one, other)
    all_figures = judged(direct, cached)
    for name, figure, form in (
        ("hit ratio", "hit_ratio", "{:.1%}"),
        ("spared PostgreSQL", "origin_saved", "{:.1%}"),
        ("first hit after", "time_to_first_hit_ms", "{:.0f} ms"),
        ("median faster", "speedup", "{:.1f} times"),
    ):
        value = all_figures[figure]
        made.add_row(name, "-", "-" if value is None else form.format(value))
    return made


def warnings(direct: Run | None, cached: Run) -> list[str]:
    """What speaks against the figures."""
    busy = {run.name: run.busy_percent for run in (direct, cached) if run}
    return [
        f"This machine was {percent:.0f} % busy during the {name} run:"
        " the figures measure the machine as well. Ask for less, or run nothing beside it."
        for name, percent in busy.items()
        if percent > SATURATED_PERCENT
    ]


def _rows(title: str, far: Sequence[Sample], near: Sequence[Sample]) -> list[tuple[str, str, str]]:
    if not near:
        return []
    one, other = figures(far), figures(near)
    return [
        (f"{title} requests", str(one.requests) if far else "-", str(other.requests)),
        (f"{title} failed", str(one.failures) if far else "-", str(other.failures)),
        (f"{title} p50", milliseconds(one.p50_ms), milliseconds(other.p50_ms)),
        (f"{title} p95", milliseconds(one.p95_ms), milliseconds(other.p95_ms)),
        (f"{title} p99", milliseconds(one.p99_ms), milliseconds(other.p99_ms)),
    ]


def milliseconds(value: float | None) -> str:
    """As a reader wants it: more digits where there is less."""
    if value is None:
        return "-"
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms"
