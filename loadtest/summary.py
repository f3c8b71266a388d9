"""The arithmetic: from samples and looks to the figures of ``report/summary.json``."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tools.stage.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtest.options import Options
    from loadtest.proxy_stats import Look
    from loadtest.samples import Sample

SQL: Final = "SQL"


@dataclass(frozen=True, slots=True)
class Figures:
    """``requests`` with their ``failures``; milliseconds of those that succeeded, None where none did."""

    requests: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One way measured: Unix times of begin and end, all requests, and the looks at the proxy meanwhile.

    The first look is from before the first request. ``busy_percent`` is of all processors of this machine;
    ``transactions`` are those that PostgreSQL itself counted, None where it could not be asked.
    """

    name: str
    began: float
    ended: float
    samples: Sequence[Sample]
    looks: Sequence[Look] = ()
    busy_percent: float = 0.0
    transactions: int | None = None

    @property
    def http(self) -> list[Sample]:
        """The requests to the API."""
        return [sample for sample in self.samples if sample.method != SQL]

    @property
    def sql(self) -> list[Sample]:
        """The statements sent by SQL users."""
        return [sample for sample in self.samples if sample.method == SQL]

    @property
    def counted(self) -> Look | None:
        """What the proxy counted during the run."""
        return self.looks[-1].since(self.looks[0]) if self.looks else None


def figures(samples: Sequence[Sample]) -> Figures:
    """The figures of these samples."""
    times = [sample.milliseconds for sample in samples if not sample.failure]
    p50, p95, p99 = ((percentile(times, share) if times else None) for share in (0.5, 0.95, 0.99))
    return Figures(len(samples), len(samples) - len(times), p50, p95, p99)


def first_hit_ms(run: Run) -> float | None:
    """Milliseconds from the first request until a look showed a hit; None where none did."""
    if not run.looks or not run.samples:
        return None
    before, begin = run.looks[0].outcomes["hit"], run.samples[0].at
    return next(
        (max(look.at - begin, 0.0) * 1000 for look in run.looks if look.outcomes["hit"] > before), None
    )


def hit_ratios(looks: Sequence[Look], window_seconds: float = 2.0) -> list[tuple[float, float]]:
    """Unix times, and the hit ratio in the window before each."""
    moments = [look.at for look in looks]
    found: list[tuple[float, float]] = []
    for later in looks[1:]:
        # The latest look from before the window, or the first of all.
        earlier = looks[max(bisect_right(moments, later.at - window_seconds) - 1, 0)]
        between = later.since(earlier)
        if between.statements:
            found.append((later.at, between.hit_ratio))
    return found


def invalidation_times(looks: Sequence[Look]) -> list[tuple[float, int]]:
    """Unix times of looks that found changes, and how many those were since the look before."""
    found = (
        (later.at, sum(later.since(earlier).invalidations.values())) for earlier, later in pairwise(looks)
    )
    return [(at, count) for at, count in found if count]


def judged(direct: Run | None, cached: Run) -> dict[str, float | None]:
    """Every figure that an objective may name; failures are those of both ways, HTTP and SQL."""
    counted, through = cached.counted, figures(cached.http)
    far = figures(direct.http) if direct else None
    return {
        **asdict(through),
        "failures": sum(bool(sample.failure) for run in (direct, cached) if run for sample in run.samples),
        "hit_ratio": counted.hit_ratio if counted else None,
        "time_to_first_hit_ms": first_hit_ms(cached),
        "speedup": far.p50_ms / through.p50_ms if far and far.p50_ms and through.p50_ms else None,
        "origin_saved": counted.spared / max(counted.statements, 1) if counted else None,
    }


def summary(direct: Run | None, cached: Run, options: Options) -> dict[str, object]:
    """The body of ``report/summary.json``: ``direct`` and ``cached`` are of the API, ``sql`` of SQL users."""
    all_figures = judged(direct, cached)
    counted = cached.counted
    return {
        "direct": _rounded(figures(direct.http)) if direct else None,
        "cached": {
            **_rounded(figures(cached.http)),
            "hit_ratio": _round(all_figures["hit_ratio"]),
            "time_to_first_hit_ms": _round(all_figures["time_to_first_hit_ms"], 1),
        },
        "sql": {run.name: _rounded(figures(run.sql)) for run in (direct, cached) if run and run.sql} or None,
        "speedup": _round(all_figures["speedup"], 1),
        "origin": {
            "saved": _round(all_figures["origin_saved"]),
            "transactions": {run.name: run.transactions for run in (direct, cached) if run},
        },
        "proxy": counted
        and {
            "outcomes": dict(counted.outcomes),
            "bypass": dict(counted.bypass),
            "invalidations": dict(counted.invalidations),
        },
        "objectives": [
            {"name": objective.name, "met": objective.met(all_figures)} for objective in options.objectives
        ],
        "parameters": _parameters(options),
        "busy_percent": {run.name: round(run.busy_percent) for run in (direct, cached) if run},
    }


def _parameters(options: Options) -> dict[str, object]:
    chosen: dict[str, object] = {
        "users": options.users,
        "seconds": options.seconds,
        "seed": options.seed,
        "writes_percent": options.writes,
    }
    if options.deployment:
        return {"url": options.deployment.url, **chosen}
    return {"distance_ms": options.distance_ms, "planets": 3 + options.extra, **chosen}


def _rounded(found: Figures) -> dict[str, float | None]:
    return {name: _round(value, 3) for name, value in asdict(found).items()}


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
