"""Two runs as they might have been measured, for whoever makes figures of them."""

from __future__ import annotations

from loadtest.proxy_stats import Look
from loadtest.samples import Sample
from loadtest.summary import Run

BEGAN = 1_000_000.0
OUTCOMES = {"hit": 0, "fill": 0, "coalesced": 0, "bypass": 0, "write": 0, "error": 0}


def look(seconds: float, *, writes: int = 0, entries: int = 0, **outcomes: int) -> Look:
    """A look ``seconds`` after the begin."""
    return Look(
        BEGAN + seconds,
        OUTCOMES | outcomes | {"write": writes},
        {"suspended": outcomes.get("bypass", 0)},
        {"own_write": writes, "ddl": 0},
        entries,
    )


def direct() -> Run:
    """A hundred reads of 91 to 190 ms over HTTP, and ten over SQL."""
    http = [Sample(BEGAN + n, "GET", "/planets", 91.0 + n, "") for n in range(100)]
    sql = [Sample(BEGAN + n, "SQL", "first planets", 90.0, "") for n in range(10)]
    return Run("direct", BEGAN, BEGAN + 100, [*http, *sql], busy_percent=20.0, transactions=111)


def cached(failure: str = "") -> Run:
    """A hundred reads of 1 to 100 ms over HTTP; one of them with ``failure``, where it is given."""
    http = [Sample(BEGAN + n, "GET", "/planets", 1.0 + n, "") for n in range(99)]
    last = Sample(BEGAN + 99, "GET", "own write", 100.0, failure)
    sql = [Sample(BEGAN + n, "SQL", "first planets", 0.5, "") for n in range(10)]
    looks = [
        look(-1.0, hit=5, fill=5),
        look(0.1, hit=5, fill=7, entries=2),
        look(0.25, hit=6, fill=7, entries=2),
        look(4.0, hit=36, fill=9, entries=4),
        look(50.0, hit=60, fill=12, bypass=2, writes=1, entries=1),
        look(100.0, hit=95, fill=12, coalesced=1, bypass=2, writes=1, entries=3),
    ]
    return Run("cached", BEGAN, BEGAN + 100, [*http, last, *sql], looks, 30.0, 22)
