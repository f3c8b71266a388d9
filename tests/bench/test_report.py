"""What a run tells people and programs."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench import report
from bench.goals import judge
from bench.load import Choice
from bench.measure import Cell, Sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def found() -> report.Report:
    cells = [
        Cell("orrery", "prepared", [Sample(3000.0, 0.1, 0.2, 0.3, 12.0, 0.0)] * 2),
        Cell("direct", "prepared", [Sample(1000.0, 0.1, 0.4, 0.5, 30.0, 0.0)] * 2),
        Cell("pgbouncer-transaction", "prepared", failure="prepared statement exists"),
    ]
    return report.Report(Choice(), 2, cells, {"pgpool": "pgpool: apt-get install pgpool2"}, judge(cells))


def test_the_tables_tell_figures_failures_what_is_missing_and_the_goals(found: report.Report) -> None:
    console = Console(file=io.StringIO(), width=120)
    report.show(console, found)
    assert isinstance(console.file, io.StringIO)
    told = " ".join(console.file.getvalue().split())
    assert "prepared orrery 3,000 0.100 0.200 0.300 12.0 0.0 -" in told
    assert "pgbouncer-transaction, prepared: prepared statement exists" in told
    assert "pgpool is not measured, for want of pgpool: apt-get install pgpool2" in told
    assert "prepared >= 2 3.00 yes" in told
    assert "prepared >= 10 - not measured" in told


def test_the_file_holds_every_sample(found: report.Report, tmp_path: Path) -> None:
    report.write(tmp_path / "new" / "bench.json", found)
    told = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert [len(cell["samples"]) for cell in told["cells"]] == [2, 2, 0]
    assert told["cells"][0]["medians"]["tps"] == 3000.0
    assert told["verdicts"][0]["reached"] is True
    assert told["machine"]
