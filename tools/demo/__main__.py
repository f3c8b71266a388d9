"""``make demo``: start everything, show the figures, stay until Ctrl-C or SIGTERM, leave nothing behind.

Exit status: 0 stopped when asked to, 1 a part failed, 2 it could not begin as asked.
"""

from __future__ import annotations

import os
import signal
import sys

from rich.console import Console
from rich.table import Table

from tools.demo import show
from tools.demo.measure import change, hit_ratio, measure, outcomes
from tools.demo.options import Options, read_options
from tools.embedded import EmbeddedError
from tools.programs import ProgramsMissing
from tools.stage.calls import Caller
from tools.stage.children import Stop
from tools.stage.errors import Misused, PartFailed, StopAsked
from tools.stage.stage import Stage, demand_free
from tools.stage.steps import step


def main() -> int:
    """Demonstrate; the exit status."""
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop.ask)
    try:
        options = read_options(os.environ)
        demand_free(options.port)
        with Stage(options.distance_ms, stop) as stage:
            _perform_whole(stage, options, stop)
    except StopAsked:
        print("stopped: nothing is left behind", flush=True)
    except (Misused, ProgramsMissing) as error:
        return _told(error, 2)
    except (PartFailed, EmbeddedError) as error:
        return _told(error, 1)
    return 0


def _perform_whole(stage: Stage, options: Options, stop: Stop) -> None:
    """Perform; where a request failed because a part has ended, that part is what failed."""
    try:
        _perform(stage, options, stop)
    except PartFailed:
        stage.demand_alive()
        raise


def _perform(stage: Stage, options: Options, stop: Stop) -> None:
    console = Console()
    with step("starting PostgreSQL"):
        stage.start_postgres()
    with step("bringing in the schema and the planets"):
        stage.initialise()
    with step(f"moving PostgreSQL {options.distance_ms:g} ms away"):
        stage.start_distance()
    with step("starting the proxy and the app"):
        proxied = stage.start_proxied_app(options.port)
        stage.await_level()
    figures, verdict = _compare(stage, options, proxied, stop)
    console.print(figures)
    console.print(verdict, highlight=False, soft_wrap=True)
    console.print(show.freshness(change(proxied)), highlight=False, soft_wrap=True)
    show.addresses(console, stage, options.port)
    stage.watch()


def _compare(stage: Stage, options: Options, proxied: Caller, stop: Stop) -> tuple[Table, str]:
    requests, admin = options.requests, stage.caller(stage.admin_port)
    with step(f"asking the same app without the proxy {requests} times"), stage.direct_app() as direct:
        with_direct = measure(direct, requests, stop)
    with step(f"asking the app through the proxy {requests} times"):
        start = outcomes(admin)
        with_proxy = measure(proxied, requests, stop)
        end = outcomes(admin)
    # All but the first: then the second is one of them.
    from_memory = end["hit"] - start["hit"] > requests
    table = show.figures(options, with_direct, with_proxy, hit_ratio(start, end))
    return table, show.verdict(with_direct, with_proxy, from_memory)


def _told(error: Exception, status: int) -> int:
    print(f"make demo: {error}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
