"""``make bench``: the proxy beside PostgreSQL, the poolers and the limit, in one run."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench import report
from bench.goals import judge
from bench.load import PROTOCOLS, SCHEMA, WORKLOADS, Choice
from bench.measure import Ground, measure
from bench.servers import HBA, SERVERS, Missing, Server
from bench.stage import guarded, origin

if TYPE_CHECKING:
    from collections.abc import Callable


def options_of(parser: argparse.ArgumentParser, workloads: tuple[str, ...] = PROTOCOLS) -> None:
    """What every benchmark of hits lets its caller choose; ``workloads``: what it does unasked."""
    for name, default, most, what in (
        ("--seconds", 3, 600, "of each turn"),
        ("--rounds", 3, 100, "turns of each, interleaved"),
        ("--clients", 8, 30, "connections of the load"),
        ("--rows", 1000, 10_000, "rows that are read"),
    ):
        told = f"{what}, 1 to {most} (default {default})"
        parser.add_argument(name, type=_whole(most), default=default, metavar="N", help=told)
    known = tuple(WORKLOADS)
    parser.add_argument("--workloads", type=_names(known), default=workloads, help=",".join(known))


def choice_of(options: argparse.Namespace) -> Choice:
    """The load that the options ask for."""
    return Choice(options.seconds, options.clients, options.rows)


def main() -> int:
    """Measure and report. Exit status 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="throughput, latency and CPU of hits and misses"
    )
    options_of(parser, tuple(WORKLOADS))
    parser.add_argument("--only", type=_names(tuple(SERVERS)), default=SERVERS, help=",".join(SERVERS))
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="(build/bench.json)")
    options = parser.parse_args()
    missing: dict[str, str] = {}
    with ExitStack() as parts:
        cluster = origin(parts, SCHEMA, HBA)
        servers: list[Server] = []
        for name in options.only:
            try:
                servers.append(SERVERS[name](parts, cluster))
            except Missing as lack:
                missing[name] = str(lack)
        cells = measure(Ground(cluster, servers, choice_of(options)), options.workloads, options.rounds)
    found = report.Report(choice_of(options), options.rounds, cells, missing, judge(cells))
    report.show(Console(width=max(Console().width, report.WIDTH)), found)
    report.write(options.json, found)
    return 0


def _whole(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most} is expected")
        return int(text)

    return read


def _names(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]}: one of {', '.join(known)} is expected")
        return names

    return read


if __name__ == "__main__":
    sys.exit(guarded("make bench", main))
