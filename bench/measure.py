"""One run: every server under every workload, in turns, so that a busy minute meets them all."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from bench import cpu, load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.servers import Server
    from tools.embedded import Cluster

FIGURES: Final = ("tps", "p50", "p99", "p999", "cpu_us", "origin_cpu_us", "hit_ratio")


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one server. Milliseconds; ``cpu_us``: microseconds of its processor time per statement,
    ``origin_cpu_us``: of PostgreSQL's behind it, 0 for PostgreSQL itself. ``hit_ratio``: the share of the
    reads that a memory answered, 0 where there is none or it does not tell.
    """

    tps: float
    p50: float
    p99: float
    p999: float
    cpu_us: float
    origin_cpu_us: float
    hit_ratio: float = 0.0


@dataclass(slots=True)
class Cell:
    """All turns of one server under one workload; ``failure``: why there are no more of them."""

    server: str
    workload: str
    samples: list[Sample] = field(default_factory=list)
    failure: str = ""

    def median(self, figure: str) -> float:
        """The median of one of ``FIGURES``."""
        values: list[float] = [getattr(sample, figure) for sample in self.samples]
        return median(values)


@dataclass(frozen=True, slots=True)
class Ground:
    """``cluster`` is the PostgreSQL behind all ``servers``."""

    cluster: Cluster
    servers: Sequence[Server]
    choice: load.Choice


def measure(ground: Ground, workloads: Sequence[str], rounds: int) -> list[Cell]:
    """Warm everything, then give each its turns; in every round another one begins."""
    cells = [
        Cell(server.name, name)
        for name in workloads
        for server in ground.servers
        if server.stores or not load.WORKLOADS[name].write_percent
    ]
    servers = {server.name: server for server in ground.servers}
    _each(cells, lambda cell: _warm(ground, servers[cell.server], cell), "filling the memories")
    for number in range(rounds):
        shift = number % len(servers)
        turns = [*cells[shift:], *cells[:shift]]
        _each(
            turns, lambda cell: _turn(ground, servers[cell.server], cell), f"round {number + 1} of {rounds}"
        )
    return cells


def _each(cells: Sequence[Cell], act: Callable[[Cell], None], what: str) -> None:
    for cell in cells:
        if cell.failure:
            continue
        print(f"{what}: {cell.server}, {cell.workload}", file=sys.stderr, flush=True)
        try:
            act(cell)
        except load.LoadFailed as failed:
            cell.failure = str(failed)


def _warm(ground: Ground, server: Server, cell: Cell) -> None:
    for _ in range(server.memories):
        load.warm(_target(ground, server, cell), ground.choice)


def _turn(ground: Ground, server: Server, cell: Cell) -> None:
    origin = ground.cluster.pid
    meters = (lambda: cpu.seconds(server.root), lambda: cpu.seconds(origin))
    before = server.hits() if server.hits else 0
    done = load.run(_target(ground, server, cell), ground.choice, meters)
    hits = server.hits() - before if server.hits else 0
    own, behind = done.cpu
    behind = 0.0 if server.root == origin else behind
    reads = done.statements * (1 - load.WORKLOADS[cell.workload].write_percent / 100)
    cell.samples.append(Sample(done.tps, done.p50, done.p99, done.p999, own, behind, hits / max(reads, 1.0)))


def _target(ground: Ground, server: Server, cell: Cell) -> load.Target:
    return load.Target(ground.cluster.programs, server.port, load.WORKLOADS[cell.workload])
