"""The two runs: Locust as a program of the stage, and looks at the proxy while it asks."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final, final
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

from loadtest.proxy_stats import Look, StatsAway, Window
from loadtest.samples import Sample, SampleReader
from loadtest.summary import Run, figures
from loadtest.visits import editors_for, edits_per_second
from tools.stage.errors import PartFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtest.options import Options
    from tools.stage.children import Child, Stop
    from tools.stage.stage import Stage

REPORT: Final = Path("report")
_LOCUSTFILE: Final = "loadtest/locustfile.py"
_ANSWER_SECONDS: Final = 30.0
# The first hit is looked for closely; a look costs the proxy less than a millisecond.
_CLOSE_SECONDS: Final = 3.0
_CLOSE_LOOK_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.5
_TOLD_SECONDS: Final = 10.0
# Beyond the run itself: Locust's start, and answers that were on their way at its end.
_GRACE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run asks: the app's ``url``, the database's ``sql_url`` (or empty), the proxy's ``window``."""

    name: str
    url: str
    sql_url: str = ""
    window: Window | None = None


def demand_up(url: str) -> None:
    """Raise PartFailed, in a sentence, where the app at ``url`` does not answer."""
    asked = f"{url}/planets?limit=1"
    try:
        with urlopen(asked, timeout=_ANSWER_SECONDS):  # noqa: S310 - http and https alone, by the options
            return
    except HTTPError as error:
        raise PartFailed(f"the target is not up: GET {asked} was answered by status {error.code}") from None
    except (OSError, HTTPException) as error:
        raise PartFailed(
            f"the target is not up: GET {asked} was not answered: {getattr(error, 'reason', error)}"
        ) from None


def locust_command(options: Options, target: Target) -> list[str]:
    """Locust with our users, asking ``target``."""
    edits = edits_per_second(options.users, options.writes)
    editors = editors_for(edits)
    users = options.users + editors
    return [
        *(sys.executable, "-m", "locust", "-f", _LOCUSTFILE, "--host", target.url, "--loglevel", "WARNING"),
        *("--users", str(users), "--spawn-rate", str(users), "--seed", str(options.seed)),
        *("--edits-per-second", f"{edits:.6f}", "--editors", str(editors)),
    ]


def run_against(stage: Stage, options: Options, target: Target, stop: Stop) -> Run:
    """Ask ``target`` for ``options.seconds``; what was measured. Raises PartFailed, StopAsked."""
    demand_up(target.url)
    REPORT.mkdir(exist_ok=True)
    file = REPORT.resolve() / f"{target.name}.csv"
    file.unlink(missing_ok=True)
    command = [
        *locust_command(options, target),
        *("--headless", "--only-summary", "--run-time", f"{options.seconds}s", "--stop-timeout", "30"),
        # Failed requests are for us to judge.
        *("--exit-code-on-error", "0", "--samples", str(file)),
    ]
    watch = _Watch(stage, target, file, stop)
    looks = watch.look()
    child = stage.begin("Locust", command, LOADTEST_SQL_URL=target.sql_url)
    looks += watch.until_finished(child, options.seconds + _GRACE_SECONDS)
    samples = sorted(watch.samples, key=lambda sample: sample.at)
    if not samples:
        raise PartFailed(f"Locust asked nothing; its last lines:\n{child.last_lines()}")
    ended = max(sample.at + sample.milliseconds / 1000 for sample in samples)
    return Run(target.name, samples[0].at, ended, samples, looks, watch.busy_percent)


@final
class _Watch:
    """Looks at the proxy, and tells how far the run is, while Locust runs."""

    def __init__(self, stage: Stage, target: Target, file: Path, stop: Stop) -> None:
        self._stage = stage
        self._window = target.window
        self._reader = SampleReader(file)
        self._stop = stop
        self._began: float | None = None
        self._told = 0.0
        self.samples: list[Sample] = []
        self.busy_percent = 0.0

    def until_finished(self, child: Child, patience_seconds: float) -> list[Look]:
        """Look until Locust has finished, and once more."""
        looks: list[Look] = []
        deadline = time.monotonic() + patience_seconds
        while not child.has_finished():
            if time.monotonic() > deadline:
                raise PartFailed(f"Locust did not end in time; its last lines:\n{child.last_lines()}")
            self._stage.demand_alive()
            looks += self.look()
            self._stop.pause(self._pace())
        child.stop()
        self.samples += self._reader.more()
        self.busy_percent = psutil.cpu_percent()
        return looks + self.look()

    def look(self) -> list[Look]:
        """The proxy's figures now; nothing where they are not shown."""
        try:
            return [self._window.look()] if self._window else []
        except StatsAway as error:
            # Where the proxy has ended, that is what went wrong.
            self._stage.demand_alive()
            raise PartFailed(str(error)) from None

    def _pace(self) -> float:
        """Notice the first request, tell the progress, and give the seconds until the next look."""
        if self._began is None:
            self.samples += self._reader.more()
            if not self.samples:
                return _CLOSE_LOOK_SECONDS
            self._began = self._told = time.monotonic()
            # The first call begins the span that the next one measures.
            psutil.cpu_percent()
        elapsed = time.monotonic() - self._began
        if time.monotonic() - self._told >= _TOLD_SECONDS:
            self._told += _TOLD_SECONDS
            self.samples += self._reader.more()
            print(_progress(elapsed, self.samples), flush=True)
        return _CLOSE_LOOK_SECONDS if elapsed < _CLOSE_SECONDS else _LOOK_SECONDS


def _progress(seconds: float, samples: Sequence[Sample]) -> str:
    found = figures(samples)
    p50 = "-" if found.p50_ms is None else f"{found.p50_ms:.1f} ms"
    return f"  {seconds:4.0f} s  {found.requests} requests, {found.failures} failed, p50 {p50}"
