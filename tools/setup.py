"""Set the project up: ``python3 tools/setup.py``, by the standard library alone and without a compiler.

Each step leaves a stamp, a digest of what it was made from. A step whose stamp still fits is not repeated, so
a second run takes no time. Exit status: 0 all is there, 1 a step failed, 2 this machine lacks something.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
ENGINES = ROOT / "prisma" / "engines"
SCHEMA = ROOT / "prisma" / "schema.prisma"

SUPPORTED = ((3, 11), (3, 12), (3, 13))
GLIBC = (2, 28)  # the oldest that the wheels of Node and PostgreSQL run with
FREE_BYTES = 1_500_000_000
SHOWN_LINES = 25


class MissingError(Exception):
    """This machine lacks something; the message says what, and what to do."""


class FailedError(Exception):
    """A step did not succeed; the message holds the end of its output."""


class Step(NamedTuple):
    """One part of the set-up: ``command``, run in ``folder``, turns ``inputs`` into ``made``."""

    name: str
    inputs: tuple[Path, ...]
    command: tuple[str | Path, ...]
    made: Path
    folder: Path = ROOT


def steps() -> tuple[Step, ...]:
    """All steps, in their order: each builds on the ones before."""
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
    locked, project = ROOT / "requirements-dev.txt", ROOT / "pyproject.toml"
    packages = ("--only-binary=:all:", "--require-hashes", "-r", locked)
    lock = (ENGINES / "package.json", ENGINES / "package-lock.json")
    modules = ENGINES / "node_modules"
    # A virtual environment of another version, or of a clone that has moved since, is made anew.
    clear = () if _made_version() == _wanted_version() else ("--clear",)
    return (
        Step("virtual environment", (), (sys.executable, "-m", "venv", *clear, VENV), PYTHON),
        Step("Python packages and Node", (locked,), (*pip, *packages), VENV),
        Step("Prisma's engines", lock, ("./npm", "ci", "--no-audit", "--no-fund"), modules, ENGINES),
        Step("Prisma's client", (SCHEMA,), (ENGINES / "prisma", "generate", f"--schema={SCHEMA}"), VENV),
        # Without isolation the builder is the locked one, and nothing is downloaded that has no hash.
        Step(
            "orrery", (project,), (*pip, "--no-deps", "--no-build-isolation", "-e", "."), VENV / "bin/orrery"
        ),
    )


def run(todo: tuple[Step, ...]) -> int:
    """Do what is not done yet and return how many steps that took."""
    digest = hashlib.sha256(f"{ROOT} {_wanted_version()}".encode())
    done = 0
    for number, step in enumerate(todo, 1):
        for path in step.inputs:
            digest.update(path.read_bytes())
        stamp = STAMPS / str(number)
        if step.made.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
            continue
        if not done:
            demand_prerequisites()
        _do(step, f"[{number}/{len(todo)}] {step.name}")
        STAMPS.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
        done += 1
    return done


def demand_prerequisites() -> None:
    """Raise MissingError for the first thing that the set-up needs and this machine lacks."""
    if sys.version_info[:2] not in SUPPORTED:
        raise MissingError(
            f"Python 3.11 to 3.13 is needed, {sys.executable} is {_version()}; try PYTHON=python3.12"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise MissingError("Python's modules venv and ensurepip are missing (Debian: package python3-venv)")
    for program in ("git", "openssl"):
        if shutil.which(program) is None:
            raise MissingError(f"the program {program} is not on PATH: install the package {program}")
    _demand_c_library()
    free = shutil.disk_usage(ROOT).free
    if free < FREE_BYTES:
        raise MissingError(
            f"{FREE_BYTES // 10**6} MB of free disk are needed at {ROOT}, {free // 10**6} MB are there"
        )


def _demand_c_library() -> None:
    if sys.platform != "linux":
        return
    name, version = platform.libc_ver()
    if name != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < GLIBC:
        seen = f"{name} {version}" if name else "another C library"
        raise MissingError(
            f"glibc {GLIBC[0]}.{GLIBC[1]} or newer is needed (Debian 10, RHEL 8), this is {seen}"
        )


def choose_interpreter() -> None:
    """Go on under a supported Python where ``python3`` is none and nobody chose it by PYTHON."""
    if sys.version_info[:2] in SUPPORTED or "PYTHON" in os.environ:
        return
    for minor in (13, 12, 11):
        path = shutil.which(f"python3.{minor}")
        if path and _runs(path):
            os.execv(path, [path, *sys.argv])  # noqa: S606 - this very program, under another interpreter


def _runs(interpreter: str) -> bool:
    """A version manager's placeholder is on PATH too, but does not run."""
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def _wanted_version() -> str:
    """Our own version if PYTHON chose us or nothing was made yet, else the one that was made."""
    return _version() if "PYTHON" in os.environ else _made_version() or _version()


def _made_version() -> str | None:
    """The version of the virtual environment's Python, if it runs and was made at this place."""
    program = "import sys; print(sys.prefix, '%d.%d' % sys.version_info[:2])"
    try:
        told = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    place, _, version = told.strip().rpartition(" ")
    return version if place == str(VENV) else None


def _version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _do(step: Step, title: str) -> None:
    print(f"{title} ... ", end="", flush=True)
    start = time.monotonic()
    ran = subprocess.run(
        step.command, cwd=step.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if ran.returncode:
        shown = "\n".join(ran.stdout.decode(errors="replace").splitlines()[-SHOWN_LINES:])
        raise FailedError(f"{step.name}: exit status {ran.returncode} after these lines\n{shown}")
    print(f"{time.monotonic() - start:.0f} s", flush=True)


def main() -> int:
    """Set up, alone: a second run at the same time waits for the first."""
    choose_interpreter()
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if run(steps()):
            print("set up: .venv/bin/orrery and .venv/bin/python work")
    except MissingError as missing:
        print(f"make setup: {missing}", file=sys.stderr)
        return 2
    except FailedError as failed:
        print(f"failed\nmake setup: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
