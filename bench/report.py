"""What a run of ``make bench`` found: a table for the terminal, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE
from rich.table import Table

from bench.measure import FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from bench.goals import Verdict
    from bench.load import Choice
    from bench.measure import Cell

WIDTH: Final = 100  # columns that the tables need


def machine() -> str:
    """Processor, number of cores, and what else keeps them busy."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return f"{model or platform.machine()}, {os.cpu_count()} cores, load averages {load}"


@dataclass(frozen=True, slots=True)
class Report:
    """``missing``: what is needed for a server that was not measured, by its name."""

    choice: Choice
    rounds: int
    cells: Sequence[Cell]
    missing: Mapping[str, str]
    verdicts: Sequence[Verdict]
    machine: str = field(default_factory=machine)
    moment: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def show(console: Console, report: Report) -> None:
    """The tables, what is missing, and where the figures come from."""
    choice = report.choice
    console.print(f"{report.moment}, {report.machine}", highlight=False)
    console.print(
        f"one row by primary key of {choice.rows}, {choice.clients} clients, {report.rounds} turns of"
        f" {choice.seconds} s each, interleaved; medians",
        highlight=False,
    )
    console.print(_figures(report.cells))
    for cell in report.cells:
        if cell.failure:
            console.print(f"{cell.server}, {cell.workload}: {cell.failure}", highlight=False)
    for name, lack in report.missing.items():
        console.print(f"{name} is not measured, for want of {lack}", highlight=False)
    console.print(_goals(report.verdicts))


def write(path: Path, report: Report) -> None:
    """Every sample, and all that the tables show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = asdict(report)
    for told, verdict in zip(found["verdicts"], report.verdicts, strict=True):
        told["reached"] = verdict.reached
    for told, cell in zip(found["cells"], report.cells, strict=True):
        told["medians"] = {figure: cell.median(figure) for figure in FIGURES} if cell.samples else {}
    path.write_text(json.dumps(found, indent=1) + "\n")


def _figures(cells: Sequence[Cell]) -> Table:
    table = Table(box=SIMPLE)
    for heading in ("workload", "server"):
        table.add_column(heading, no_wrap=True)
    for heading in ("a second", "p50 ms", "p99 ms", "p99.9 ms", "CPU us", "origin's us", "hits"):
        table.add_column(heading, justify="right")
    for cell in cells:
        if cell.samples:
            tps, *latencies, own, behind, hits = (cell.median(figure) for figure in FIGURES)
            told = [f"{tps:,.0f}", *(f"{each:.3f}" for each in latencies), f"{own:.1f}", f"{behind:.1f}"]
            table.add_row(cell.workload, cell.server, *told, f"{hits:.1%}" if hits else "-")
    return table


def _goals(verdicts: Sequence[Verdict]) -> Table:
    table = Table("goal", "workload", "wanted", "found", "reached", box=SIMPLE)
    for verdict in verdicts:
        goal, found = verdict.goal, verdict.found
        wanted = f"{'<=' if goal.at_most else '>='} {goal.bound:g}"
        told = (
            ("-", "not measured") if found is None else (f"{found:.2f}", "yes" if verdict.reached else "no")
        )
        table.add_row(goal.what, goal.workload, wanted, *told)
    return table
