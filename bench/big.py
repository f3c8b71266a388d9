"""``make bench-big``: a result of a gigabyte, direct and through the proxy, in turns.

Its rows are a thousand bytes each, made by PostgreSQL as they are asked for; the client throws them away.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import psutil

from bench.report import machine
from bench.speaker import Speaker
from bench.stage import guarded, origin, proxy
from proxy.wire import frontend

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW_BYTES: Final = 1000
_LOOK_SECONDS: Final = 0.01
_GOALS: Final = (
    ("MB/s through the proxy over direct", "ratio", 0.8, True),
    ("more memory, MB", "more_mb", 8.0, False),
)


@dataclass(slots=True)
class Figures:
    """MB/s are medians; ``more_mb``: the most that the proxy had beyond what it had before.

    ``cpu_seconds_per_gb`` is the proxy's processor time, which other programs disturb least.
    """

    megabytes: int
    direct: float = 0.0
    proxied: float = 0.0
    ratio: float = 0.0
    more_mb: float = 0.0
    cpu_seconds_per_gb: float = 0.0
    machine: str = field(default_factory=machine)
    moment: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Peak:
    """The most memory that a process has been seen to have, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self.bytes = 0
        self._process = process
        self._over = threading.Event()

    def watch(self) -> None:
        """Look again and again, until ``stop``."""
        while not self._over.wait(_LOOK_SECONDS):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    def stop(self) -> None:
        """Look no more."""
        self._over.set()


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    """Watch the memory of ``process`` meanwhile."""
    peak = Peak(process)
    thread = threading.Thread(target=peak.watch)
    thread.start()
    try:
        yield peak
    finally:
        peak.stop()
        thread.join()


def main() -> int:
    """Measure and report. Exit status 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(prog="make bench-big", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, metavar="N", help="(default 1000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default 3)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-big.json"))
    options = parser.parse_args()
    figures = Figures(options.megabytes)
    with ExitStack() as parts:
        cluster = origin(parts, "SELECT 1")
        place, child = proxy(parts, cluster, cluster.port)
        (process,) = [one for one in psutil.Process(child.group).children() if "python" in one.name()]
        _measure((cluster.port, place.port), process, options.rounds, figures)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    for name, value in asdict(figures).items():
        print(f"{name:18} {value:,.2f}" if isinstance(value, float) else f"{name:18} {value}")
    for what, name, bound, least in _GOALS:
        found = getattr(figures, name)
        reached = found >= bound if least else found <= bound
        print(
            f"{what}: {found:.2f}, wanted {'>=' if least else '<='} {bound:g}: {'yes' if reached else 'no'}"
        )
    return 0


def _measure(ports: tuple[int, int], process: psutil.Process, rounds: int, figures: Figures) -> None:
    rows = figures.megabytes * 1_000_000 // _ROW_BYTES
    query = frontend.query(b"SELECT repeat('x', %d) FROM generate_series(1, %d)" % (_ROW_BYTES, rows))
    for port in ports:
        with Speaker(port) as client:
            client.count(frontend.query(b"SELECT repeat('x', 1000) FROM generate_series(1, 1000)"))
    before, spent = process.memory_info().rss, sum(process.cpu_times()[:2])
    rates: dict[int, list[float]] = {port: [] for port in ports}
    with watched(process) as peak:
        for _ in range(rounds):
            for port, found in rates.items():
                with Speaker(port) as client:
                    started = time.perf_counter()
                    found.append(client.count(query) / 1e6 / (time.perf_counter() - started))
    figures.direct, figures.proxied = (median(found) for found in rates.values())
    pairs = zip(*rates.values(), strict=True)
    figures.ratio = median(proxied / direct for direct, proxied in pairs)
    spent = sum(process.cpu_times()[:2]) - spent
    figures.cpu_seconds_per_gb = spent / (rounds * figures.megabytes / 1000)
    figures.more_mb = (peak.bytes - before) / 1e6


if __name__ == "__main__":
    sys.exit(guarded("make bench-big", main))
