"""List the licences of all that is shipped with this project: ``python -m tools.licences``.

The list is of requirements.txt, by what the installed packages say of themselves, and of the engines' lock.
"""

from __future__ import annotations

import json
from importlib.metadata import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "LICENSES" / "third-party.md"

HEAD = """\
# Licences of what is shipped

The sources of this project are under the Apache License 2.0 (`LICENSE`). An installation, or an image
made of it, also holds what is listed here. One part, pglast, is under the GNU General Public License,
version 3 or later: so the combined work as a whole may be passed on under the terms of GPL version 3,
with which the other licences agree; its text is in `GPL-3.0.txt`. Most packages carry their own licence text
where they are installed.

Made by `python -m tools.licences`; a test compares it with what is locked.
"""


class Part(NamedTuple):
    """One shipped package."""

    name: str
    version: str
    licence: str


def python_parts() -> list[Part]:
    """What requirements.txt installs. Raises PackageNotFoundError for what is not installed here."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = (line.split()[0].split("==") for line in lines if line[:1].isalnum())
    return [Part(name, version, _licence(name)) for name, version in pins]


def node_parts() -> list[Part]:
    """What the lock file of Prisma's engines installs."""
    lock = json.loads((ROOT / "prisma" / "engines" / "package-lock.json").read_text())
    folder = "node_modules/"
    found = {
        Part(
            entry.get("name", path.rpartition(folder)[2]),
            entry["version"],
            entry.get("license", "not stated by the package"),
        )
        for path, entry in lock["packages"].items()
        if path
    }
    return sorted(found)


def report() -> str:
    """The whole list, as it is kept."""
    return "\n".join(
        (HEAD, *_table("Python packages", python_parts()), *_table("Node packages", node_parts()))
    )


def _table(title: str, parts: list[Part]) -> list[str]:
    rows = (f"| {part.name} | {part.version} | {part.licence} |" for part in parts)
    return [f"## {title}", "", "| package | version | licence |", "|---|---|---|", *rows, ""]


def _licence(name: str) -> str:
    """An SPDX expression where the package gives one, else its own words, else its classifiers."""
    said = metadata(name)
    words = (said.get_all("License-Expression") or said.get_all("License") or [""])[0]
    classifiers = (line for line in said.get_all("Classifier") or () if line.startswith("License ::"))
    return words.splitlines()[0] if words else ", ".join(line.rpartition(" :: ")[2] for line in classifiers)


if __name__ == "__main__":
    REPORT.write_text(report())
