"""Two revisions side by side."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

import pytest

from bench import compare
from bench.stage import origin, proxy


def test_the_sources_of_a_revision_are_there_and_gone_again() -> None:
    with ExitStack() as parts:
        tree = compare._tree(parts, "HEAD")
        assert (tree / "proxy" / "__init__.py").exists()
    assert not tree.exists()
    listed = ["git", "worktree", "list", "--porcelain"]
    assert str(tree) not in subprocess.run(listed, capture_output=True, text=True, check=True).stdout


def test_git_says_which_revision_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make bench-compare", "no-such-revision"])
    assert compare.main() == 2
    assert "no-such-revision" in capsys.readouterr().err


@pytest.mark.postgres
def test_the_proxy_that_runs_is_the_one_of_its_tree() -> None:
    with ExitStack() as parts:
        tree = compare._tree(parts, "HEAD")
        (tree / "proxy" / "__init__.py").write_text("raise SystemExit('the other tree')")
        cluster = origin(parts, "SELECT 1")
        with pytest.raises(Exception, match="the other tree"):
            proxy(parts, cluster, cluster.port, tree)
