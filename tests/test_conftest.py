"""conftest: under --no-skips a skipped test is a failed one, and an expected failure is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = "def test_it() -> None:\n    pytest.skip('no moon tonight')\n"
SKIPPED_BY_MARK = "@pytest.mark.skip(reason='no moon tonight')\ndef test_it() -> None:\n    pass\n"
EXPECTED_TO_FAIL = "@pytest.mark.xfail\ndef test_it() -> None:\n    raise AssertionError\n"


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    module = folder / "test_one.py"
    module.write_text(f"import pytest\n\n{test}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", "-c"]
    return subprocess.run(
        [*command, ROOT / "pyproject.toml", *options, module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("test", [SKIPPED, SKIPPED_BY_MARK], ids=["by the test", "by its mark"])
def test_a_skip_fails_with_its_reason_where_none_is_allowed(tmp_path: Path, test: str) -> None:
    ran = run(tmp_path, test, "--no-skips")
    assert ran.returncode == 1
    assert "no moon tonight" in ran.stdout


def test_a_skip_is_told_with_its_reason(tmp_path: Path) -> None:
    ran = run(tmp_path, SKIPPED)
    assert ran.returncode == 0
    assert "no moon tonight" in ran.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_TO_FAIL, "--no-skips").returncode == 0
