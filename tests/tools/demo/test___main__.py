"""The demonstration whole: it shows what it promises, stays, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from tools.stage.children import ROOT

PATIENCE_SECONDS = 120.0

pytestmark = [pytest.mark.postgres, pytest.mark.prisma, pytest.mark.slow]


class Demo:
    """A running demonstration on a port of its own, with an empty folder for everything temporary."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.output = folder / "output"
        self.temporary = folder / "temporary"
        self.temporary.mkdir(mode=0o755)
        environment = {
            **os.environ, "PORT": str(port), "DISTANCE_MS": "10", "REQUESTS": "20",
            "TMPDIR": str(self.temporary), "ORRERY_CACHE": "off",
        }  # fmt: skip
        with self.output.open("wb") as output:
            self.process = psutil.Popen(
                [sys.executable, "-m", "tools.demo"],
                cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def parts(self) -> list[psutil.Process]:
        found: list[psutil.Process] = self.process.children(recursive=True)
        return found

    def end(self, number: signal.Signals) -> int:
        """Send the signal; the exit status, once every part is gone as well."""
        parts = self.parts()
        assert parts
        self.process.send_signal(number)
        status = int(self.process.wait(PATIENCE_SECONDS))
        _, alive = psutil.wait_procs(parts, timeout=PATIENCE_SECONDS)
        assert not alive
        return status

    def left_behind(self) -> list[Path]:
        return list(self.temporary.iterdir())


@pytest.fixture
def demo() -> Generator[Demo]:
    # Not tmp_path: PostgreSQL runs as another user where we are root, and has to reach its data there.
    folder = Path(tempfile.mkdtemp(prefix="orrery-test-"))
    folder.chmod(0o755)
    running = Demo(folder, _free_port())
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)
    _eventually(lambda: not running.left_behind())
    shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demonstration_shows_its_figures_stays_and_leaves_nothing(demo: Demo) -> None:
    demo.wait_for("Ctrl-C stops everything")
    said = demo.said()
    assert "\x1b" not in said
    assert re.search(r"p50 of 20 +[\d.]+ ms +[\d.]+ ms", said)
    assert "the second request came from memory" in said
    assert re.search(r"hit ratio +- +9\d\.\d%", said)
    assert "the very next GET showed the new name" in said
    with urlopen(f"http://127.0.0.1:{demo.port}/planets") as answer:
        assert [planet["name"] for planet in json.load(answer)] == ["Mercury", "Venus", "Mars"]
    found = re.search(r"proxy +(postgresql://\S+)", said)
    assert found is not None
    with psycopg.connect(found[1], autocommit=True) as session:
        assert session.execute('SELECT count(*) FROM "Planet"').fetchone() == (3,)
    ports = {demo.port, *(int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", said))}
    assert all(_is_open(port) for port in ports)
    assert demo.end(signal.SIGTERM) == 0
    assert not demo.left_behind()
    assert not any(_is_open(port) for port in ports)


def test_a_stop_in_the_middle_of_the_start_leaves_nothing(demo: Demo) -> None:
    demo.wait_for("bringing in the schema")
    assert demo.end(signal.SIGINT) == 0
    assert demo.said().endswith("not done\nstopped: nothing is left behind\n")
    assert not demo.left_behind()


def test_a_kill_in_the_middle_of_the_start_leaves_nothing(demo: Demo) -> None:
    demo.wait_for("starting the proxy")
    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    assert _eventually(lambda: not demo.left_behind())


def test_a_part_that_dies_is_named_and_ends_the_rest(demo: Demo) -> None:
    demo.wait_for("starting the proxy")
    parts = demo.parts()
    (relay,) = [part for part in parts if "loadtest.distance" in part.cmdline() and part.name() != "sh"]
    relay.kill()
    assert demo.process.wait(PATIENCE_SECONDS) == 1
    assert not psutil.wait_procs(parts, timeout=PATIENCE_SECONDS)[1]
    assert "make demo: the relay ended (exit status 137); its last lines:\n  ready" in demo.said()
    assert not demo.left_behind()


def test_a_taken_port_ends_it_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "tools.demo"],
            cwd=ROOT, env={**os.environ, "PORT": str(port)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert refused.returncode == 2
    assert re.fullmatch(rf"make demo: port {port} cannot be had .* PORT=\d+\n", refused.stderr)
    assert not refused.stdout
