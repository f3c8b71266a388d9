"""What the caller may choose, by environment variables or ``make loadtest NAME=value``: NAMES lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from loadtest.objectives import FROM_DIRECT, FROM_STATS, Objective, read_objectives
from tools.stage.choices import MAX_DISTANCE_MS, number
from tools.stage.errors import Misused

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = {
    "DISTANCE_MS": "one way to PostgreSQL, in milliseconds",
    "USERS": "readers, each asks every two seconds in the mean",
    "SECONDS": "of each run",
    "SEED": "the same seed asks the same",
    "WRITES": "edits, in percent of all requests; at URL none unless it is set",
    "EXTRA": "planets beyond the first three",
    "OBJECTIVES": 'what must be reached, as "hit_ratio>=0.9 p99_ms<=5"; else the exit status is 1',
    "URL": "of a deployment that is to be measured, instead of everything here",
    "DIRECT_URL": "of the same deployment without the proxy, to compare with",
    "STATS_URL": "of that proxy's /stats; its token in ORRERY_ADMIN_TOKEN",
    "WEB": "1: Locust's web page instead of the two runs",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment to be measured: addresses of the app, and of ``/stats``; empty where not given."""

    url: str
    direct_url: str = ""
    stats_url: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """The choices. 45 ms are the way from Washington to Frankfurt; ``writes`` is in percent."""

    distance_ms: float = 45.0
    users: int = 60
    seconds: int = 120
    seed: int = 1
    writes: float = 1.0
    extra: int = 5
    objectives: tuple[Objective, ...] = ()
    deployment: Deployment | None = None
    web: bool = False


def read_options(environment: Mapping[str, str]) -> Options:
    """The options that ``environment`` holds. Raises Misused, naming the variable."""
    default, deployment = Options(), _deployment(environment)
    options = Options(
        distance_ms=number(environment, "DISTANCE_MS", default.distance_ms, (0, MAX_DISTANCE_MS)),
        users=round(number(environment, "USERS", default.users, (2, 1000))),
        seconds=round(number(environment, "SECONDS", default.seconds, (1, 3600))),
        seed=round(number(environment, "SEED", default.seed, (0, 2**31))),
        # An edit renames a planet for good: nobody's deployment is changed unasked.
        writes=number(environment, "WRITES", 0.0 if deployment else default.writes, (0, 25)),
        extra=round(number(environment, "EXTRA", default.extra, (0, 999_999))),
        objectives=read_objectives(environment.get("OBJECTIVES", "")),
        deployment=deployment,
        web=bool(number(environment, "WEB", 0, (0, 1))),
    )
    _demand_measurable(options)
    return options


def _deployment(environment: Mapping[str, str]) -> Deployment | None:
    url, direct, stats = (_url(environment, name) for name in ("URL", "DIRECT_URL", "STATS_URL"))
    if url:
        return Deployment(url, direct, stats, environment.get("ORRERY_ADMIN_TOKEN", ""))
    if direct or stats:
        raise Misused("DIRECT_URL and STATS_URL go with URL, the deployment that is to be measured")
    return None


def _url(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "").rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        _ = parts.port
    except ValueError:
        usable = False
    if text and not usable:
        # Its value is not told: somebody may have written a password into it.
        raise Misused(f"{name} cannot be used: an address such as https://planets.example is expected")
    return text


def _demand_measurable(options: Options) -> None:
    deployment = options.deployment
    if deployment is None:
        return
    for figures, name, given in (
        (FROM_STATS, "STATS_URL", deployment.stats_url),
        (FROM_DIRECT, "DIRECT_URL", deployment.direct_url),
    ):
        for objective in options.objectives:
            if objective.figure in figures and not given:
                raise Misused(f"OBJECTIVES={objective.name} cannot be judged without {name}")
