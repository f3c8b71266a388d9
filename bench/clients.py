"""``make bench-clients``: what a login and an idle client cost, and whether ten thousand of them work.

All log in by SCRAM through the memory of logins, as in an application that reconnects: the first one asks the
origin, the others do not. Processor time is that of the proxy's own process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from bench.report import machine
from bench.speaker import Speaker
from bench.stage import guarded, origin, proxy
from proxy.wire import frontend

_SCHEMA: Final = "CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'one')"
_READ: Final = frontend.query(b"SELECT name FROM item WHERE id = 1")
_LOGINS: Final = 1000  # of which the processor time is taken, while few are connected
_SPARE_FILES: Final = 200  # of this process, beside its sockets
_GOALS: Final = (
    ("processor time of a SCRAM login, us", "login_cpu_us", 800.0),
    ("bytes of an idle client", "idle_bytes", 16 * 1024.0),
)


@dataclass(slots=True)
class Figures:
    """``clients``: at one time; ``all_answered``: each of them got its answer, twice."""

    clients: int
    why_fewer: str = ""
    login_cpu_us: float = 0.0
    connected_seconds: float = 0.0
    idle_bytes: float = 0.0
    idle_bytes_after_a_hit: float = 0.0
    all_answered: bool = False
    answer_seconds: float = 0.0
    machine: str = field(default_factory=machine)
    moment: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def main() -> int:
    """Measure and report. Exit status 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(prog="make bench-clients", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000, metavar="N", help="(default 10000)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-clients.json"))
    options = parser.parse_args()
    figures = Figures(*_room(options.clients))
    with ExitStack() as parts:
        cluster = origin(parts, _SCHEMA)
        place, child = proxy(parts, cluster, cluster.port)
        (process,) = [one for one in psutil.Process(child.group).children() if "python" in one.name()]
        _measure(place.port, process, figures)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    for name, value in asdict(figures).items():
        print(f"{name:24} {value:,.1f}" if isinstance(value, float) else f"{name:24} {value}")
    for what, name, bound in _GOALS:
        found = getattr(figures, name)
        print(f"{what}: {found:,.0f}, wanted <= {bound:g}: {'yes' if found <= bound else 'no'}")
    return 0


def _room(wanted: int) -> tuple[int, str]:
    """How many clients this machine lets us have, and why fewer than wanted."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = wanted + _SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # The proxy keeps two files for each client ready: one of them for a connection to the origin.
    fit = min(wanted, hard - _SPARE_FILES, (hard - _SPARE_FILES) // 2)
    return fit, "" if fit == wanted else f"the hard limit of open files is {hard}"


def _measure(port: int, process: psutil.Process, figures: Figures) -> None:
    _hit(Speaker(port))  # the one that asks the origin
    figures.login_cpu_us = 1e6 * min(_login_seconds(port, process) for _ in range(3))
    with ExitStack() as held:
        clients = [held.enter_context(Speaker(port)) for _ in range(100)]
        before, started = process.memory_info().rss, time.perf_counter()
        clients += [held.enter_context(Speaker(port)) for _ in range(figures.clients - len(clients))]
        figures.connected_seconds = time.perf_counter() - started
        more = figures.clients - 100
        figures.idle_bytes = (process.memory_info().rss - before) / more
        started = time.perf_counter()
        figures.all_answered = all(map(_hit, clients))
        figures.answer_seconds = time.perf_counter() - started
        figures.all_answered &= all(map(_hit, clients))
        figures.idle_bytes_after_a_hit = (process.memory_info().rss - before) / more


def _login_seconds(port: int, process: psutil.Process) -> float:
    before = sum(process.cpu_times()[:2])
    for _ in range(_LOGINS):
        with Speaker(port):
            pass
    return float(sum(process.cpu_times()[:2]) - before) / _LOGINS


def _hit(client: Speaker) -> bool:
    return b"one" in client.ask(_READ)


if __name__ == "__main__":
    sys.exit(guarded("make bench-clients", main))
