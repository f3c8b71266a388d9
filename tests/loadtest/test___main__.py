"""The load test whole: both ways, the report, the exit status, and what cannot begin."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools.stage.children import ROOT

PATIENCE_SECONDS = 240


def load_test(folder: Path, **chosen: str) -> subprocess.CompletedProcess[str]:
    """``make loadtest`` in a folder of its own: its report lands there, and what it leaves behind is seen."""
    temporary = folder / "temporary"
    temporary.mkdir(mode=0o755)
    return subprocess.run(
        [sys.executable, "-m", "loadtest"],
        cwd=folder, env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT), **chosen},
        capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip


@pytest.mark.postgres
@pytest.mark.prisma
@pytest.mark.slow
def test_both_ways_are_measured_and_an_objective_that_is_not_met_fails_the_run() -> None:
    # Not tmp_path: PostgreSQL runs as another user where we are root, and has to reach its data there.
    folder = Path(tempfile.mkdtemp(prefix="orrery-test-"))
    folder.chmod(0o755)
    chosen = {
        "SECONDS": "4",
        "DISTANCE_MS": "10",
        "WRITES": "10",
        "OBJECTIVES": "hit_ratio>=0 requests>=1000000",
    }
    done = load_test(folder, **chosen)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "NOT MET  requests>=1000000" in done.stdout
    assert re.search(r"HTTP failed +0 +0", done.stdout)
    told = json.loads((folder / "report" / "summary.json").read_text())
    met = {objective["name"]: objective["met"] for objective in told["objectives"]}
    assert met == {"failures<=0": True, "hit_ratio>=0": True, "requests>=1000000": False}
    assert told["direct"]["p50_ms"] > 20
    assert told["cached"]["hit_ratio"] > 0
    assert told["proxy"]["outcomes"]["write"] == told["proxy"]["invalidations"]["own_write"] > 0
    assert (folder / "report" / "index.html").read_text().count("<svg") == 5
    assert not list((folder / "temporary").iterdir())
    shutil.rmtree(folder)


def test_a_malformed_choice_is_one_sentence(tmp_path: Path) -> None:
    done = load_test(tmp_path, OBJECTIVES="hit_ratio=0.9")
    assert done.returncode == 2
    assert re.fullmatch(r"make loadtest: OBJECTIVES=hit_ratio=0.9 cannot be used: [^\n]+\n", done.stderr)


def test_a_deployment_that_is_not_up_is_told_at_once_and_leaves_no_old_figures(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "summary.json").write_text("of an earlier run")
    done = load_test(tmp_path, URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert re.fullmatch(
        r"make loadtest: the target is not up: GET \S+ was not answered: [^\n]+\n", done.stderr
    )
    assert not list((tmp_path / "report").iterdir())
