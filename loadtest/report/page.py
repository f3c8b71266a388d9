"""Fills ``page.html``: the headline, the tiles, the plots with a line on each, the tables."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import psutil
from jinja2 import Environment
from markupsafe import Markup

from loadtest.report import plots
from loadtest.summary import figures, first_hit_ms, judged
from loadtest.terminal import milliseconds, warnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtest.options import Options
    from loadtest.summary import Run

_TEMPLATE: Final = Path(__file__).with_name("page.html")


_LATENCIES: Final = (
    "How long answers took",
    "Further left is faster: the share of answers that took no longer. At the bend, PostgreSQL was asked.",
)
_OF_THE_PROXY: Final = (
    (
        plots.hit_ratio,
        "Hit ratio over time",
        "It falls with each write, and rises again as answers are remembered.",
    ),
    (
        plots.first_hit,
        "Time to the first hit",
        "The memory begins empty: the first of equal questions goes to PostgreSQL.",
    ),
    (
        plots.invalidations,
        "Invalidations",
        "A write drops the answers that it may concern; they come back as they are asked for.",
    ),
    (
        plots.origin_load,
        "Load taken from PostgreSQL",
        "What was asked, and what PostgreSQL had to answer; the area between is the load it was spared.",
    ),
)


class Tile(NamedTuple):
    """One figure, large."""

    name: str
    value: str
    note: str


class Plot(NamedTuple):
    """One plot with a line on what it means."""

    title: str
    meaning: str
    svg: Markup


class Table(NamedTuple):
    """A title, a line on what it means, a head (or none) and rows."""

    title: str
    meaning: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def page(direct: Run | None, cached: Run, options: Options) -> str:
    """The whole page; it needs nothing beside itself."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _TEMPLATE.read_text()
    )
    return template.render(
        date=_date(cached),
        headline=headline(direct, cached, options),
        setting=_setting(cached, options),
        warnings=warnings(direct, cached),
        tiles=tiles(direct, cached),
        plots=_plots(direct, cached),
        tables=[
            _requests(direct, cached),
            *_statements(direct, cached),
            _objectives(direct, cached, options),
            _parameters(direct, cached, options),
        ],
    )


def headline(direct: Run | None, cached: Run, options: Options) -> str:
    """What came out, in a sentence."""
    p50 = milliseconds(figures(cached.http).p50_ms)
    speedup = judged(direct, cached)["speedup"]
    if speedup is None:
        return f"The median answer took {p50}"
    where = "" if options.deployment else f", {options.distance_ms:g} ms away from PostgreSQL"
    return f"The median answer came {speedup:.1f} times faster{where}: {p50} instead of {_direct_p50(direct)}"


def tiles(direct: Run | None, cached: Run) -> list[Tile]:
    """The figures that matter; those that were not measured are left out."""
    known = judged(direct, cached)
    both = [run for run in (direct, cached) if run]
    found = [
        Tile(
            "median, HTTP", milliseconds(known["p50_ms"]), f"direct {_direct_p50(direct)}" if direct else ""
        ),
        Tile("failed requests", f"{known['failures']:g}", f"of {sum(len(run.samples) for run in both)}"),
    ]
    if cached.sql:
        far = f"direct {milliseconds(figures(direct.sql).p50_ms)}" if direct else ""
        found.insert(1, Tile("median, SQL", milliseconds(figures(cached.sql).p50_ms), far))
    if cached.counted is not None:
        found += [
            Tile("hit ratio", f"{known['hit_ratio']:.1%}", f"of {cached.counted.statements} statements"),
            Tile("spared PostgreSQL", f"{known['origin_saved']:.1%}", "hits, and waits for an equal one"),
        ]
    moment = first_hit_ms(cached)
    if moment is not None:
        found.append(Tile("first hit after", f"{moment:.0f} ms", "of an empty memory"))
    return found


def _plots(direct: Run | None, cached: Run) -> list[Plot]:
    # Drawn by us, from numbers: nothing in the drawings has to be escaped.
    found = [Plot(*_LATENCIES, Markup(plots.latencies(direct, cached)))]  # noqa: S704
    if cached.looks:
        found += [Plot(title, meaning, Markup(draw(cached))) for draw, title, meaning in _OF_THE_PROXY]  # noqa: S704
    return found


def _requests(direct: Run | None, cached: Run) -> Table:
    """Each kind of request, both ways."""
    kinds = sorted({(sample.method, sample.name) for sample in cached.samples})
    rows = []
    for method, name in kinds:
        far, near = (
            figures([s for s in run.samples if (s.method, s.name) == (method, name)]) if run else None
            for run in (direct, cached)
        )
        assert near is not None
        rows.append(
            (
                f"{method} {name}",
                str(near.requests),
                milliseconds(far.p50_ms) if far else "-",
                milliseconds(near.p50_ms),
                milliseconds(far.p99_ms) if far else "-",
                milliseconds(near.p99_ms),
            )
        )
    head = ("request", "through Orrery", "p50 direct", "p50 Orrery", "p99 direct", "p99 Orrery")
    return Table("Requests", "By kind; own write is an editor's read right after its PATCH.", head, rows)


def _statements(direct: Run | None, cached: Run) -> list[Table]:
    """What became of each statement, and why it was not a hit."""
    if cached.counted is None:
        return []
    counted = cached.counted
    rows = [(name, str(count)) for name, count in counted.outcomes.items() if count]
    rows += [(f"bypass: {reason}", str(count)) for reason, count in counted.bypass.items() if count]
    rows += [
        (f"invalidation: {cause}", str(count)) for cause, count in counted.invalidations.items() if count
    ]
    for run, name in ((direct, "direct"), (cached, "through Orrery with its checks")):
        if run is not None and run.transactions is not None:
            rows.append((f"transactions by PostgreSQL's count, {name}", str(run.transactions)))
    return [Table("Statements", "As the proxy counted them; docs/reasons.md explains the words.", (), rows)]


def _objectives(direct: Run | None, cached: Run, options: Options) -> Table:
    known = judged(direct, cached)
    rows = []
    for objective in options.objectives:
        value = known[objective.figure]
        verdict = "met" if objective.met(known) else "NOT MET"
        rows.append((objective.name, "-" if value is None else f"{value:.4g}", verdict))
    head = ("objective", "measured", "")
    return Table("Objectives", "What was demanded of the run through Orrery.", head, rows)


def _parameters(direct: Run | None, cached: Run, options: Options) -> Table:
    """Everything that made the run what it was."""
    memory_gib = psutil.virtual_memory().total / 2**30
    here = [
        ("one way to PostgreSQL", f"{options.distance_ms:g} ms"),
        ("planets", str(3 + options.extra)),
    ]
    rows = [
        *([] if options.deployment else here),
        ("readers", str(options.users)),
        ("seconds of each run", str(options.seconds)),
        ("edits, of all requests", f"{options.writes:g} %"),
        ("seed", str(options.seed)),
        (
            "machine",
            f"{os.cpu_count()} processors, {memory_gib:.0f} GiB, {platform.system()} {platform.machine()}",
        ),
        ("busy", ", ".join(f"{run.name} {run.busy_percent:.0f} %" for run in (direct, cached) if run)),
        ("Python", platform.python_version()),
        *((name.capitalize(), version(name)) for name in ("orrery", "locust")),
    ]
    return Table("Parameters", "The same seed asks the same again.", (), rows)


def _setting(cached: Run, options: Options) -> str:
    what = (
        options.deployment.url
        if options.deployment
        else "The planets API on Prisma, PostgreSQL behind a relay"
    )
    return f"{what} · {_date(cached)} · seed {options.seed}"


def _direct_p50(direct: Run | None) -> str:
    return milliseconds(figures(direct.http).p50_ms) if direct else "-"


def _date(run: Run) -> str:
    return datetime.fromtimestamp(run.began, UTC).strftime("%Y-%m-%d %H:%M UTC")
