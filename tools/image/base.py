"""The image that all stages begin with: the one that the Dockerfile names, else a Debian made here."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.image.errors import ImageFailed, Misused
from tools.stage.children import ROOT, Sweeper

if TYPE_CHECKING:
    from collections.abc import Iterator

# As the official image of the Dockerfile's default: Debian's release, with the Python of its own.
_SUITE: Final = "bookworm"
_PACKAGES: Final = "ca-certificates,openssl,python3,python3-venv"
_SHOWN_LINES: Final = 15


def default_base(dockerfile: str) -> str:
    """The base that the Dockerfile's own text names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    if found is None:
        raise Misused("the Dockerfile names no default for BASE_IMAGE")
    return found[1]


def mirror(index_targets: str) -> str | None:
    """The site from which this machine's own packages of that release come; None: debootstrap knows one."""
    for line in index_targets.splitlines():
        site, _, codename = line.partition(" ")
        if codename == _SUITE:
            return site
    return None


@contextmanager
def debian() -> Iterator[Path]:
    """A minimal Debian with Python as a folder, while it is needed. Raises Misused without debootstrap."""
    if shutil.which("debootstrap") is None:
        raise Misused("the base image cannot be pulled, and debootstrap is not there to make one: install it")
    folder = Path(tempfile.mkdtemp(prefix="orrery-base-"))
    sweeper = Sweeper(folder)
    try:
        # what is inside is everybody's to read, as the root of any system
        folder.chmod(0o755)
        _bootstrap(folder)
        yield folder
    finally:
        sweeper.close()


def _bootstrap(folder: Path) -> None:
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)"],
        capture_output=True,
        text=True,
        check=False,
    )
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(folder)]
    site = mirror(asked.stdout)
    done = subprocess.run(
        command if site is None else [*command, site],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-_SHOWN_LINES:])
        raise ImageFailed(f"debootstrap failed (exit status {done.returncode}):\n{end}")
    for cached in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(folder / cached, ignore_errors=True)
