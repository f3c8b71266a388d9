"""programs: PostgreSQL's programs are found, and run by somebody who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tools import programs


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that everybody may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="orrery-programs-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def install_program(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "postgres"
    program.write_text("#!/bin/sh\nid -u\n")
    program.chmod(0o755)
    return folder / "bin"


@pytest.mark.parametrize("version", [16, 18])
def test_the_wheel_carries_the_version_that_is_asked_for(version: int) -> None:
    told = subprocess.run(
        [programs.from_wheel(version) / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert f"(PostgreSQL) {version}." in told.stdout


def test_a_version_that_the_wheel_does_not_carry_is_named() -> None:
    with pytest.raises(programs.ProgramsMissing, match="PostgreSQL 9"):
        programs.from_wheel(9)


def test_the_newest_of_debians_versions_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "_DEBIAN", tmp_path)
    with pytest.raises(programs.ProgramsMissing, match="package postgresql"):
        programs.from_debian()
    for version in ("9", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
    for version in ("9", "15"):
        (tmp_path / version / "bin" / "initdb").touch()
    assert programs.from_debian() == tmp_path / "15" / "bin"


def test_programs_that_can_be_reached_are_run_where_they_are(open_folder: Path) -> None:
    found = install_program(open_folder / "installed")
    assert programs.runnable(found, open_folder / "spare") == found


def test_programs_in_a_closed_folder_are_run_from_a_copy(open_folder: Path) -> None:
    found = install_program(open_folder / "closed" / "installed")
    (open_folder / "closed").chmod(0o700)
    usable = programs.runnable(found, open_folder / "spare")
    told = subprocess.run(
        [usable / "postgres"], capture_output=True, text=True, check=True, **programs.identity()
    )
    assert told.stdout.strip() != "0"
    assert usable == (open_folder / "spare" / "bin" if os.geteuid() == 0 else found)


def test_the_callers_libpq_defaults_do_not_reach_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "somewhere")
    assert "PGHOST" not in programs.environment()
