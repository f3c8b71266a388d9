"""The load: pgbench reads single rows by primary key, and writes some of them where the workload says so."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.stage import DATABASE
from tools import programs
from tools.embedded import HOST, PASSWORD, SUPERUSER
from tools.stage.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCHEMA: Final = """
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int NOT NULL DEFAULT 0);
INSERT INTO item SELECT id, 'item ' || id FROM generate_series(1, 10000) id;
ANALYZE item
"""
_READ: Final = "SELECT name, n FROM item WHERE id = :id;\n"
_WRITE: Final = "UPDATE item SET n = n + 1 WHERE id = :id;\n"
_UNIFORM: Final = "\\set id random(1, {rows})\n"
# Few rows are asked for often. Source: PostgreSQL docs, pgbench, "random_zipfian".
_ZIPF: Final = "\\set id random_zipfian(1, {rows}, 1.1)\n"
# Every answer is in the memory with a likelihood of 99.9 % after so many reads for each row.
_READS_PER_ROW: Final = 7
# The share of the statements whose time is written down: enough for p99.9, and little work for pgbench.
_LOGGED: Final = 0.25
# How much longer than it should a run may take before it is given up.
_GRACE_SECONDS: Final = 60.0
# How often the meters are read.
_METER_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Workload:
    """What pgbench says: in which ``protocol`` (its -M), with ``write_percent`` writes, by how many clients
    (0: as many as the caller chose). Rows are equally likely, or with ``zipf`` a few are asked for often.
    ``block``: each read stands in a transaction block, and all three statements count as one.
    """

    protocol: str
    write_percent: int = 0
    zipf: bool = False
    clients: int = 0
    block: bool = False

    def scripts(self, rows: int) -> dict[str, int]:
        """Each script with its weight."""
        pick = (_ZIPF if self.zipf else _UNIFORM).format(rows=rows)
        read = f"BEGIN;\n{_READ}END;\n" if self.block else _READ
        weights = {pick + read: 100 - self.write_percent, pick + _WRITE: self.write_percent}
        return {script: weight for script, weight in weights.items() if weight}


PROTOCOLS: Final = ("prepared", "extended", "simple")
WORKLOADS: Final = {
    **{name: Workload(name) for name in PROTOCOLS},
    "alone": Workload("prepared", clients=1),
    "block": Workload("simple", block=True),
    "99/1": Workload("prepared", write_percent=1, zipf=True),
    "90/10": Workload("prepared", write_percent=10, zipf=True),
}


class LoadFailed(Exception):
    """pgbench did not get through; the message is the last that it said."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked: for ``seconds`` by ``clients`` on as many connections, of the first ``rows`` rows."""

    seconds: int = 3
    clients: int = 8
    rows: int = 1000


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run. Latencies are milliseconds, as the client saw them; ``cpu``: what each meter
    moved by per statement, in microseconds, once all connections stood.
    """

    statements: int
    tps: float
    p50: float
    p99: float
    p999: float
    cpu: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes: a port, and what is said there; ``tools`` is the folder of pgbench."""

    tools: Path
    port: int
    workload: Workload

    def command(self, choice: Choice, folder: Path, how: Sequence[str]) -> list[str]:
        """The words of pgbench, whose scripts are written to ``folder``."""
        where = ("-h", HOST, "-p", str(self.port), "-U", SUPERUSER)
        clients = self.workload.clients or choice.clients
        what = ["-n", "-M", self.workload.protocol, "-c", str(clients), "-j", "1"]
        for number, (script, weight) in enumerate(self.workload.scripts(choice.rows).items()):
            path = folder / f"{number}.sql"
            path.write_text(script)
            what += ["-f", f"{path}@{weight}"]
        return [str(self.tools / "pgbench"), *where, *what, *how, DATABASE]


def warm(target: Target, choice: Choice) -> None:
    """Read each row, most of them more than once. Raises LoadFailed."""
    reader = replace(target, workload=Workload(target.workload.protocol))
    each = max(1, _READS_PER_ROW * choice.rows // choice.clients)
    with tempfile.TemporaryDirectory() as folder:
        _pgbench(reader, choice, Path(folder), ("-t", str(each)), lambda: None)


def run(target: Target, choice: Choice, meters: Sequence[Callable[[], float]]) -> Load:
    """Put the load on the target, and read ``meters`` (seconds) meanwhile. Raises LoadFailed."""
    marks: list[tuple[float, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        log = ("-l", f"--log-prefix={folder}/times", f"--sampling-rate={_LOGGED}")
        how = ("-T", str(choice.seconds), *log)
        read = lambda: marks.append((time.time(), *(meter() for meter in meters)))  # noqa: E731
        said = _pgbench(target, choice, Path(folder), how, read)
        ended, latencies = _logged(Path(folder))
    found = re.search(r"tps = ([\d.]+)", said)
    counted = re.search(r"transactions actually processed: (\d+)", said)
    if found is None or counted is None:
        raise LoadFailed("pgbench told no figure")
    p50, p99, p999 = (percentile(latencies, share) for share in (0.5, 0.99, 0.999))
    return Load(int(counted[1]), float(found[1]), p50, p99, p999, _per_statement(ended, marks))


def _logged(folder: Path) -> tuple[list[float], list[float]]:
    """When each statement ended (seconds of the wall clock), and its latency.

    Source: PostgreSQL docs, pgbench, "Per-Transaction Logging".
    """
    ended, latencies = [], []
    for times in folder.glob("times.*"):
        for line in times.read_text().splitlines():
            _, _, latency, _, seconds, microseconds, *_ = line.split()
            latencies.append(int(latency) / 1000)
            ended.append(int(seconds) + int(microseconds) / 1e6)
    if not ended:
        raise LoadFailed("no statement ended")
    return ended, latencies


def _per_statement(ended: Sequence[float], marks: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """What the meters moved by between the first mark and the last that lie within the load."""
    first, last = min(ended), max(ended)
    within = [mark for mark in marks if first <= mark[0] <= last]
    if len(within) < 2:
        raise LoadFailed("the load was too short to be measured: more --seconds")
    (start, *before), (stop, *after) = within[0], within[-1]
    statements = sum(start <= moment <= stop for moment in ended) / _LOGGED
    return tuple((new - old) * 1e6 / max(statements, 1.0) for old, new in zip(before, after, strict=True))


def _pgbench(
    target: Target, choice: Choice, folder: Path, how: Sequence[str], meanwhile: Callable[[], None]
) -> str:
    command = target.command(choice, folder, how)
    surroundings = programs.environment() | {"PGPASSWORD": PASSWORD}
    deadline = time.monotonic() + choice.seconds + _GRACE_SECONDS
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=surroundings
    ) as process:
        while True:
            try:
                said, complained = process.communicate(timeout=_METER_SECONDS)
                break
            except subprocess.TimeoutExpired:
                meanwhile()
            if time.monotonic() > deadline:
                process.kill()
                raise LoadFailed(f"pgbench did not end {_GRACE_SECONDS:g} seconds after its time")
    failed = re.search(r"error: (.+)", complained)
    if process.returncode or failed:
        raise LoadFailed(failed[1] if failed else f"pgbench: exit status {process.returncode}")
    return said
