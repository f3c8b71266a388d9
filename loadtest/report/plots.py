"""The plots, as SVG for the inside of the page: its colours are the page's, so they follow light and dark."""

from __future__ import annotations

import io
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from loadtest.summary import first_hit_ms, hit_ratios, invalidation_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from loadtest.samples import Sample
    from loadtest.summary import Run

# What matplotlib paints, and the variable of the page's style that takes its place.
_INK, _FAINT, _DIRECT, _CACHED, _EVENT = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES: Final = {
    _INK: "var(--ink)",
    _FAINT: "var(--faint)",
    _DIRECT: "var(--direct)",
    _CACHED: "var(--cached)",
    _EVENT: "var(--event)",
}
_WIDE_INCHES: Final = (8.6, 3.4)
_NARROW_INCHES: Final = (5.2, 3.1)
_FIRST_SECONDS: Final = 5.0
_MAX_POINTS: Final = 1_000


def latencies(direct: Run | None, cached: Run) -> str:
    """For each duration, the share of answers that took no longer."""
    figure, axes = _plot(
        "milliseconds until the answer was read (logarithmic)", "share of requests", _WIDE_INCHES
    )
    for run, colour, name in ((direct, _DIRECT, "direct"), (cached, _CACHED, "through Orrery")):
        if run is None:
            continue
        for samples, style, kind in ((run.http, "-", "HTTP"), (run.sql, ":", "SQL")):
            _distribution(axes, samples, colour, style, f"{kind} {name}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)
    return _svg(figure)


def hit_ratio(cached: Run) -> str:
    """The hit ratio over the last seconds, and the moments of writes."""
    figure, axes = _plot("seconds since the first request", "hits in the last 2 seconds")
    points = [(at - cached.began, ratio) for at, ratio in hit_ratios(cached.looks) if at >= cached.began]
    axes.plot(*_columns(points), color=_CACHED, linewidth=1.8, label="hit ratio")
    writes = [at - cached.began for at, _ in invalidation_times(cached.looks)]
    axes.vlines(writes, 0, 1, color=_EVENT, linewidth=0.9, alpha=0.6, label="a write was seen")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, max(cached.ended - cached.began, 1.0))
    return _svg(figure)


def first_hit(cached: Run) -> str:
    """The first seconds of an empty memory: what PostgreSQL answered, what the memory did."""
    figure, axes = _plot("seconds since the first request", "statements")
    base = cached.looks[0]
    early = [look for look in cached.looks if 0 <= look.at - cached.began <= _FIRST_SECONDS]
    for label, colour, counted in (
        ("answered from memory", _CACHED, [look.since(base).outcomes["hit"] for look in early]),
        (
            "sent to PostgreSQL",
            _DIRECT,
            [look.since(base).statements - look.since(base).spared for look in early],
        ),
    ):
        axes.step(
            [look.at - cached.began for look in early], counted, where="post", color=colour, label=label
        )
    moment = first_hit_ms(cached)
    if moment is not None and moment <= _FIRST_SECONDS * 1000:
        axes.axvline(
            moment / 1000, color=_EVENT, linewidth=1, linestyle="--", label=f"first hit: {moment:.0f} ms"
        )
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, _FIRST_SECONDS)
    return _svg(figure)


def invalidations(cached: Run) -> str:
    """How many answers were in memory, and how many changes had made some stale by then."""
    figure, axes = _plot("seconds since the first request", "number")
    begun = [look for look in cached.looks if look.at >= cached.began]
    times = [look.at - cached.began for look in begun]
    axes.step(times, [look.entries for look in begun], where="post", color=_CACHED, label="answers in memory")
    changes = invalidation_times(cached.looks)
    sums = accumulate(count for _, count in changes)
    steps = [(0.0, 0), *((at - cached.began, total) for (at, _), total in zip(changes, sums, strict=True))]
    seen = _columns([*steps, (times[-1], steps[-1][1])])
    axes.step(*seen, where="post", color=_EVENT, label="writes seen, in sum")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, max(cached.ended - cached.began, 1.0))
    return _svg(figure)


def origin_load(cached: Run) -> str:
    """Statements that were asked, and those of them that PostgreSQL had to answer."""
    figure, axes = _plot("seconds since the first request", "statements, in sum")
    base = cached.looks[0]
    begun = [look for look in cached.looks if look.at >= cached.began]
    times = [look.at - cached.began for look in begun]
    asked = [look.since(base).statements for look in begun]
    sent = [look.since(base).statements - look.since(base).spared for look in begun]
    axes.fill_between(times, sent, asked, color=_CACHED, alpha=0.18, linewidth=0, label="spared")
    axes.plot(times, asked, color=_CACHED, linewidth=1.8, label="asked by the app and SQL users")
    axes.plot(times, sent, color=_DIRECT, linewidth=1.8, label="sent to PostgreSQL")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, max(cached.ended - cached.began, 1.0))
    return _svg(figure)


def _distribution(axes: Axes, samples: Sequence[Sample], colour: str, style: str, label: str) -> None:
    times = sorted(sample.milliseconds for sample in samples if not sample.failure)
    if times:
        # As many points as an eye can tell apart.
        ranks = range(1, len(times) + 1, max(len(times) // _MAX_POINTS, 1))
        shares = [rank / len(times) for rank in ranks]
        axes.step(
            [times[rank - 1] for rank in ranks],
            shares, where="post", color=colour, linestyle=style, linewidth=1.8, label=label,
        )  # fmt: skip


def _plot(
    x_label: str, y_label: str, size_inches: tuple[float, float] = _NARROW_INCHES
) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size_inches, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.set_xlabel(x_label, color=_INK)
    axes.set_ylabel(y_label, color=_INK)
    axes.tick_params(which="both", colors=_INK)
    axes.grid(visible=True, color=_FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_FAINT)
    return figure, axes


def _svg(figure: Figure) -> str:
    """The figure with its legend, without the head of a file, in the page's colours and letters."""
    columns = 4 if figure.get_figwidth() > _NARROW_INCHES[0] else 2
    figure.legend(frameon=False, labelcolor=_INK, loc="outside upper left", ncols=columns)
    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "orrery"}):
        figure.savefig(written, format="svg")
    drawn = written.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", drawn, flags=re.DOTALL)
    # The page says how large it is.
    drawn = re.sub(r' (?:width|height)="[\d.]+pt"', "", drawn, count=2)
    drawn = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--font)", drawn)
    for painted, variable in _VARIABLES.items():
        drawn = drawn.replace(painted, variable)
    return drawn


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
