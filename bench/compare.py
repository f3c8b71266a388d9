"""``make bench-compare REV=...``: hits of another revision of the proxy against those of the sources here.

Both stand before the same PostgreSQL, take turns, and run under the same interpreter and libraries.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.__main__ import choice_of, options_of
from bench.load import SCHEMA
from bench.measure import Cell, Ground, measure
from bench.report import WIDTH
from bench.servers import Server
from bench.stage import guarded, origin, proxy
from tools.stage.children import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = "here"


def main() -> int:
    """Measure and print. Exit status 2: git knows no such revision."""
    parser = argparse.ArgumentParser(prog="make bench-compare", description="hits of two revisions, paired")
    parser.add_argument("revision", help="what to compare with: a commit, a tag, HEAD~3")
    options_of(parser)
    options = parser.parse_args()
    with ExitStack() as parts:
        try:
            tree = _tree(parts, options.revision)
        except subprocess.CalledProcessError as failed:
            print(f"make bench-compare: {failed.stderr.strip()}", file=sys.stderr)
            return 2
        cluster = origin(parts, SCHEMA)
        servers = []
        for name, sources in ((options.revision, tree), (HERE, ROOT)):
            place, child = proxy(parts, cluster, cluster.port, sources)
            servers.append(Server(name, place.port, child.group))
        cells = measure(Ground(cluster, servers, choice_of(options)), options.workloads, options.rounds)
    Console(width=max(Console().width, WIDTH)).print(_table(cells, options.revision))
    return 0


def _tree(parts: ExitStack, revision: str) -> Path:
    """The sources of ``revision`` in a folder that goes with ``parts``."""
    folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="orrery-revision-")))
    tree = folder / "orrery"
    _git("worktree", "add", "--detach", str(tree), revision)
    parts.callback(_git, "worktree", "remove", "--force", str(tree))
    return tree


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)


def _table(cells: Sequence[Cell], revision: str) -> Table:
    """For each workload both medians, and the change from turn to turn."""
    table = Table(box=SIMPLE)
    for heading in ("workload", "figure", revision, HERE, "change, median", "least", "most"):
        table.add_column(heading, justify="left" if heading in ("workload", "figure") else "right")
    for before, now in zip(cells[::2], cells[1::2], strict=True):
        for cell in (before, now):
            if cell.failure:
                table.add_row(cell.workload, cell.server, cell.failure)
        if not before.samples or not now.samples:
            continue
        for figure, shown in (("cpu_us", "{:.2f}"), ("tps", "{:,.0f}"), ("p50", "{:.3f}"), ("p99", "{:.3f}")):
            pairs = zip(before.samples, now.samples, strict=False)
            changes = sorted(getattr(new, figure) / getattr(old, figure) - 1 for old, new in pairs)
            told = (f"{change:+.0%}" for change in (changes[len(changes) // 2], changes[0], changes[-1]))
            medians = (shown.format(cell.median(figure)) for cell in (before, now))
            table.add_row(now.workload, figure, *medians, *told)
    return table


if __name__ == "__main__":
    sys.exit(guarded("make bench-compare", main))
