"""The build step of a buildpack, on a machine like its own: requirements.txt installed, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from deploy import buildpack
from deploy.buildpack import Step
from deploy.button import BUILD_COMMAND
from tests.deploy.planted import ROOT

if TYPE_CHECKING:
    from tests.postgres import Database

PLANETS: Final = b'[{"id":1,"name":"Mercury"},{"id":2,"name":"Venus"},{"id":3,"name":"Mars"}]'
START_SECONDS: Final = 60.0
_FOREIGN: Final = ("ORRERY_", "PG", "PRISMA_", "PYTHON", "VIRTUAL_ENV", "DATABASE_URL", "PATH")


class Machine:
    """A checkout in ``folder``, and a Python of its own that holds what requirements.txt pins."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "checkout"
        self._python = place / "python"
        for name in self._tracked():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self._python], check=True)
        for line in (ROOT / "requirements.txt").read_text().splitlines():
            if pin := re.match(r"([\w.-]+)==", line):
                self._install(pin[1])

    @staticmethod
    def _tracked() -> list[str]:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]

    def _install(self, package: str) -> None:
        """What the package's own record lists: a generated client is not among it."""
        base = next((self._python / "lib").glob("python3*")) / "site-packages"
        for file in files(package) or ():
            source, target = Path(str(file.locate())), Path(os.path.normpath(base / file))
            if not source.is_file() or target.suffix == ".pyc":
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.parent.name == "bin" and source.read_bytes()[:2] == b"#!":
                text = source.read_text().replace(sys.executable, str(self._python / "bin" / "python"))
                target.write_text(text)
                target.chmod(0o755)
            elif package == "prisma":  # its generator writes into it
                shutil.copy2(source, target)
            else:
                _linked(source, target)

    def environment(self, url: str, **more: str) -> dict[str, str]:
        """A buildpack's: its Python on PATH, the service's variables, nothing of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        path = f"{self._python / 'bin'}:/usr/bin:/bin"
        return {**kept, "PATH": path, "DATABASE_URL": url, **more}


@pytest.mark.prisma
@pytest.mark.postgres
@pytest.mark.slow
def test_the_build_command_and_procfile_serve_the_planets(tmp_path: Path, database: Database) -> None:
    machine = Machine(tmp_path)
    url = database.url()
    built = subprocess.run(
        ["bash", "-c", BUILD_COMMAND], cwd=machine.folder, env=machine.environment(url),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    line = (machine.folder / "Procfile").read_text().removeprefix("web: ").strip()
    port = _free_port()
    with subprocess.Popen(
        ["bash", "-c", f"exec {line}"], cwd=machine.folder, env=machine.environment(url, PORT=str(port)),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as web:  # fmt: skip
        try:
            assert _eventually(f"http://127.0.0.1:{port}/planets", web) == PLANETS
        finally:
            web.send_signal(signal.SIGTERM)
            log, _ = web.communicate(timeout=30)
    assert "event=started" in log


def test_the_steps_run_in_their_order_until_one_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d")
    steps = (
        Step("the first", (sys.executable, "-c", "print('one', flush=True)")),
        Step("the second", (sys.executable, "-c", "raise SystemExit(7)")),
        Step("the third", ("touch", str(tmp_path / "third"))),
    )
    assert buildpack.main(steps) == 7
    told = capfd.readouterr()
    assert told.out.splitlines()[:2] == ["build: [1/3] the first", "one"]
    assert told.err == "build: the second failed with exit status 7; the reason stands above\n"
    assert not (tmp_path / "third").exists()
    assert "hunter2" not in told.out + told.err


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "build: DATABASE_URL is not set: give it a postgresql:// address"),
        ("CHANGE_ME", "DATABASE_URL cannot be used: the origin URL must begin with postgresql://"),
        ("postgresql://u:hunter2@h:x/d", "the port of the origin URL is not a number"),
    ],
)
def test_without_a_usable_url_nothing_is_built(
    url: str | None, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)
    assert buildpack.main((Step("never", ("false",)),)) == 2
    told = capsys.readouterr()
    assert reason in told.err
    assert "hunter2" not in told.err
    assert told.out == ""


def test_what_a_buildpack_detects_is_there() -> None:
    assert re.fullmatch(r"3\.(9|1[0-3])\.\d+", (ROOT / ".python-version").read_text().strip())
    assert (ROOT / "requirements.txt").exists()
    assert re.fullmatch(r"web: [^\n]+\n", (ROOT / "Procfile").read_text())


def _linked(source: Path, target: Path) -> None:
    """A copy that takes no time: Node alone has 200 MB."""
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copy2(source, target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _eventually(url: str, process: subprocess.Popen[str]) -> bytes:
    for _ in _until(START_SECONDS):
        if process.poll() is not None:
            pytest.fail(f"it ended: {process.communicate()[0]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            continue
    pytest.fail(f"{url} did not answer within {START_SECONDS} s")


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
