"""api: readers ask for what is there, editors notice a stale answer, two workers do not hinder each other."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from loadtest.samples import SampleReader
from tests.loadtest.users.stand_in import PATIENCE_SECONDS, command, environment, run, serving
from tools.stage.children import ROOT

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_editor_takes_an_old_name_for_a_failure(tmp_path: Path) -> None:
    with serving(forgetful=True) as planets:
        done = run(planets.url, tmp_path / "samples")
    assert done.returncode == 1, done.stderr
    samples = SampleReader(tmp_path / "samples").more()
    own = [sample for sample in samples if sample.name == "own write"]
    assert own
    assert all(sample.failure.startswith("stale: ") for sample in own)
    assert not any(sample.failure for sample in samples if sample.name != "own write")


def test_two_workers_share_the_users_and_edit_different_planets(tmp_path: Path) -> None:
    port, samples = free_port(), tmp_path / "samples"
    shared = ("--generators", "2", "--editors", "2", "--edits-per-second", "30", "--samples", str(samples))
    with serving() as planets:
        workers = [
            subprocess.Popen(
                command("--worker", "--master-port", str(port)), cwd=ROOT, env=environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]  # fmt: skip
        master = subprocess.run(
            command(
                *("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)),
                *("--expect-workers", "2", "--headless", "--host", planets.url, "--users", "6"),
                *("--spawn-rate", "6", "--run-time", "3s", "--only-summary", *shared),
            ),
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        statuses = [worker.wait(PATIENCE_SECONDS) for worker in workers]
        edited = [name.rpartition(" ")[2] for name in planets.names.values() if "edition" in name]
    assert master.returncode == 0, master.stderr
    assert statuses == [0, 0]
    parts = [SampleReader(samples.with_suffix(f".{index}")).more() for index in range(2)]
    assert all(any(sample.name == "own write" for sample in part) for part in parts)
    assert not any(sample.failure for part in parts for sample in part)
    assert {edition.split(".")[1] for edition in edited} == {"0", "1"}
