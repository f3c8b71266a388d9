"""children: a program and all that it started end with us, however we end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tools.stage.children import ROOT, Child, Stop, Sweeper
from tools.stage.errors import PartFailed, StopAsked

PATIENCE_SECONDS = 20.0
# Says who it is, then waits; its own child ignores SIGTERM.
STUBBORN = ("/bin/sh", "-c", "(trap '' TERM; echo child; sleep 600) & echo started; wait")


def started(tmp_path: Path, *command: str) -> Child:
    return Child("the program", command, os.environ, tmp_path / "log")


def eventually(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(answer)


def has_failed(child: Child) -> bool:
    try:
        child.has_finished()
    except PartFailed:
        return True
    return False


def members(group: int) -> list[int]:
    return [pid for pid in psutil.pids() if _group(pid) == group]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid) if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else 0
    except (ProcessLookupError, psutil.NoSuchProcess):
        return 0


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    child = started(tmp_path, *STUBBORN)
    assert eventually(lambda: child.told("(child)") and child.told("(started)"))
    child.stop()
    child.stop()
    assert eventually(lambda: not members(child.group))


def test_a_program_that_ended_by_itself_is_told_with_its_last_lines(tmp_path: Path) -> None:
    child = started(tmp_path, "/bin/sh", "-c", "echo no room; exit 3")
    assert eventually(lambda: has_failed(child))
    with pytest.raises(PartFailed, match=r"the program ended \(exit status 3\); its last lines:\n  no room"):
        child.demand_alive()
    child.stop()


def test_a_command_that_went_well_has_finished(tmp_path: Path) -> None:
    child = started(tmp_path, "/bin/sh", "-c", "echo number 42")
    assert eventually(child.has_finished)
    assert child.told(r"number (\d+)") == "42"
    assert child.told(r"letter (\w)") is None
    child.stop()


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    program = f"""
import os, signal, time
from pathlib import Path
from tools.stage.children import Child, Sweeper
sweeper = Sweeper(Path({str(folder)!r}))
child = Child("the program", {STUBBORN!r}, os.environ, Path({str(tmp_path / "log")!r}))
while not (child.told("(child)") and child.told("(started)")):
    time.sleep(0.02)
print(child.group, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    assert eventually(lambda: not members(int(killed.stdout)))
    assert eventually(lambda: not folder.exists())


def test_a_sweeper_removes_its_folders_when_it_is_closed(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two words"]
    for folder in folders:
        folder.mkdir()
        (folder / "file").touch()
    Sweeper(*folders).close()
    assert not any(folder.exists() for folder in folders)


def test_a_wait_ends_at_once_when_a_stop_is_asked() -> None:
    stop = Stop()
    stop.pause()
    stop.ask()
    with pytest.raises(StopAsked):
        stop.pause(PATIENCE_SECONDS)
