"""hooks: a run on a target that is not up ends at once and says so."""

from __future__ import annotations

from pathlib import Path

from tests.loadtest.users.stand_in import run


def test_a_target_that_is_not_up_ends_the_run_at_once(tmp_path: Path) -> None:
    done = run("http://127.0.0.1:1", tmp_path / "samples", "--run-time", "1h")
    assert done.returncode == 1
    assert "GET http://127.0.0.1:1/planets?limit=1000&after=0 gives no planets: " in done.stderr
    assert not (tmp_path / "samples").exists()
