"""``make loadtest``: the same load direct and through the proxy, and what came out, in ``report/``.

Exit status: 0 every objective is met (Locust's page: it was stopped), 1 one is not, a part failed or the runs
were stopped before their end, 2 it could not begin as asked.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.console import Console

from loadtest.comparison import REPORT, Target, demand_up, locust_command, run_against
from loadtest.options import NAMES, Deployment, Options, read_options
from loadtest.proxy_stats import Window
from loadtest.report.page import page
from loadtest.summary import judged, summary
from loadtest.terminal import show
from tools.embedded import EmbeddedError
from tools.programs import ProgramsMissing
from tools.stage.children import Stop
from tools.stage.errors import Misused, PartFailed, StopAsked
from tools.stage.stage import Stage, demand_free
from tools.stage.steps import step

if TYPE_CHECKING:
    from loadtest.summary import Run

WEB_PORT: Final = 8089
_SUMMARY: Final = REPORT / "summary.json"
_PAGE: Final = REPORT / "index.html"


def main() -> int:
    """Measure; the exit status."""
    _read_arguments()
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop.ask)
    try:
        options = read_options(os.environ)
        with Stage(options.distance_ms, stop) as stage:
            return _watch_page(stage, options) if options.web else _measure(stage, options, stop)
    except StopAsked:
        print("stopped: nothing is left behind", flush=True)
        return 1
    except (Misused, ProgramsMissing) as error:
        return _told(error, 2)
    except (PartFailed, EmbeddedError) as error:
        return _told(error, 1)


def _read_arguments() -> None:
    names = "\n".join(f"  {name:<12} {text}" for name, text in NAMES.items())
    argparse.ArgumentParser(
        "make loadtest",
        description="The same load direct and through the proxy.",
        epilog=f"environment variables, or make loadtest NAME=value:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()


def _measure(stage: Stage, options: Options, stop: Stop) -> int:
    # Where this run fails, the figures of an earlier one must not pass for its own.
    for file in (_SUMMARY, _PAGE):
        file.unlink(missing_ok=True)
    direct, cached = (
        _runs_of_deployment(stage, options, options.deployment, stop)
        if options.deployment
        else _runs_here(stage, options, stop)
    )
    REPORT.mkdir(exist_ok=True)
    told = json.dumps(summary(direct, cached, options), indent=2)
    _SUMMARY.write_text(told + "\n")
    _PAGE.write_text(page(direct, cached, options))
    show(Console(), direct, cached, options)
    print(f"report: {_PAGE.resolve()}", flush=True)
    all_figures = judged(direct, cached)
    return 0 if all(objective.met(all_figures) for objective in options.objectives) else 1


def _runs_here(stage: Stage, options: Options, stop: Stop) -> tuple[Run, Run]:
    """Direct first, while there is no proxy that would have to see those writes, then through it."""
    _start_database(stage, options)
    before = stage.transactions()
    print(f"asking the app without the proxy for {options.seconds} s", flush=True)
    with stage.direct_app() as app:
        target = Target("direct", f"http://127.0.0.1:{app.port}", stage.far_url)
        direct = run_against(stage, options, target, stop)
    between = stage.transactions()
    target = _start_proxied(stage)
    print(f"asking the app through the proxy for {options.seconds} s", flush=True)
    cached = run_against(stage, options, target, stop)
    stage.stop_proxied_app()
    after = stage.transactions()
    return replace(direct, transactions=between - before), replace(cached, transactions=after - between)


def _runs_of_deployment(
    stage: Stage, options: Options, deployment: Deployment, stop: Stop
) -> tuple[Run | None, Run]:
    direct = None
    window = Window(deployment.stats_url, deployment.token) if deployment.stats_url else None
    demand_up(deployment.url)
    if deployment.direct_url:
        print(f"asking {deployment.direct_url} for {options.seconds} s", flush=True)
        direct = run_against(stage, options, Target("direct", deployment.direct_url), stop)
    print(f"asking {deployment.url} for {options.seconds} s", flush=True)
    return direct, run_against(stage, options, Target("cached", deployment.url, window=window), stop)


def _start_database(stage: Stage, options: Options) -> None:
    with step("starting PostgreSQL"):
        stage.start_postgres()
    with step(f"bringing in the schema and {3 + options.extra} planets"):
        stage.initialise(options.extra)
    with step(f"moving PostgreSQL {options.distance_ms:g} ms away"):
        stage.start_distance()


def _start_proxied(stage: Stage) -> Target:
    with step("starting the proxy and the app"):
        app = stage.start_proxied_app()
        stage.await_level()
    window = Window(f"http://127.0.0.1:{stage.admin_port}/stats")
    return Target("cached", f"http://127.0.0.1:{app.port}", stage.proxy_url, window)


def _watch_page(stage: Stage, options: Options) -> int:
    """Locust's own web page on the app through the proxy, until Ctrl-C."""
    demand_free(WEB_PORT)
    deployment = options.deployment
    if deployment:
        demand_up(deployment.url)
        target, stats_url, token = Target("cached", deployment.url), deployment.stats_url, deployment.token
    else:
        _start_database(stage, options)
        target, token = _start_proxied(stage), ""
        stats_url = f"http://127.0.0.1:{stage.admin_port}/stats"
    stage.start(
        "Locust",
        [*locust_command(options, target), "--web-host", "127.0.0.1", "--web-port", str(WEB_PORT)],
        LOADTEST_SQL_URL=target.sql_url,
        LOADTEST_STATS_URL=stats_url,
        LOADTEST_STATS_TOKEN=token,
    )
    print(f"Locust's page: http://127.0.0.1:{WEB_PORT}; its tab Orrery shows the proxy.", flush=True)
    print("Ctrl-C stops everything.", flush=True)
    with suppress(StopAsked):
        stage.watch()
    return 0


def _told(error: Exception, status: int) -> int:
    print(f"make loadtest: {error}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
