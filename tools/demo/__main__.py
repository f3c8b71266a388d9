"""``make demo``: start everything, show the figures, stay until Ctrl-C or SIGTERM, leave nothing behind.

Exit status: 0 stopped when asked to, 1 a part failed, 2 it could not begin as asked.
"""

from __future__ import annotations

import os
import signal
import sys

from rich.console import Console

from tools.demo import show
from tools.demo.children import Stop
from tools.demo.errors import Misused, PartFailed, StopAsked
from tools.demo.measure import Caller, change, hit_ratio, measure, outcomes
from tools.demo.options import read_options
from tools.demo.stage import Stage, demand_free
from tools.embedded import EmbeddedError
from tools.programs import ProgramsMissing


def main() -> int:
    """Demonstrate; the exit status."""
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop.ask)
    try:
        options = read_options(os.environ)
        demand_free(options.port)
        with Stage(options, stop) as stage:
            _perform_whole(stage, stop)
    except StopAsked:
        print("stopped: nothing is left behind", flush=True)
    except (Misused, ProgramsMissing) as error:
        return _told(error, 2)
    except (PartFailed, EmbeddedError) as error:
        return _told(error, 1)
    return 0


def _perform_whole(stage: Stage, stop: Stop) -> None:
    """Perform; where a request failed because a part has ended, that part is what failed."""
    try:
        _perform(stage, stop)
    except PartFailed:
        stage.demand_alive()
        raise


def _perform(stage: Stage, stop: Stop) -> None:
    console = Console()
    with show.step("starting PostgreSQL"):
        stage.start_postgres()
    with show.step("bringing in the schema and the planets"):
        stage.initialise()
    with show.step(f"moving PostgreSQL {stage.options.distance_ms:g} ms away"):
        stage.start_distance()
    with show.step("starting the proxy and the app"):
        proxied = stage.start_proxied_app()
        stage.await_level()
    _compare(stage, proxied, stop, console)
    console.print(show.freshness(change(proxied)), highlight=False, soft_wrap=True)
    show.addresses(console, stage)
    stage.watch()


def _compare(stage: Stage, proxied: Caller, stop: Stop, console: Console) -> None:
    requests, admin = stage.options.requests, stage.caller(stage.admin_port)
    with show.step(f"asking the same app without the proxy {requests} times"), stage.direct_app() as direct:
        with_direct = measure(direct, requests, stop)
    with show.step(f"asking the app through the proxy {requests} times"):
        start = outcomes(admin)
        with_proxy = measure(proxied, requests, stop)
        end = outcomes(admin)
    console.print(show.figures(stage.options, with_direct, with_proxy, hit_ratio(start, end)))
    # All but the first: then the second is one of them.
    from_memory = end["hit"] - start["hit"] > requests
    console.print(show.verdict(with_direct, with_proxy, from_memory), highlight=False, soft_wrap=True)


def _told(error: Exception, status: int) -> int:
    print(f"make demo: {error}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
