"""The build step on a machine without a Dockerfile: ``python -m deploy.buildpack``.

A buildpack has installed requirements.txt into the Python that runs this, and nothing else: no .venv, no
engines, no client, and not this project itself. What is missing is made here, then the database is brought up
to date as ``make init`` does. It may run again, and in several builds at once. Exit status: 0, that of the
step that failed, or 2 where DATABASE_URL cannot be used.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from proxy.errors import ConfigurationError
from proxy.origin_url import OriginUrl

ROOT: Final = Path(__file__).resolve().parent.parent
_ENGINES: Final = "prisma/engines"
_SCHEMA: Final = "--schema=prisma/schema.prisma"


class Step(NamedTuple):
    """One part of the build, run in the project's folder."""

    name: str
    command: tuple[str, ...]


STEPS: Final = (
    Step("Prisma's engines", (f"{_ENGINES}/npm", "ci", "--prefix", _ENGINES, "--no-audit", "--no-fund")),
    Step("Prisma's client", (f"{_ENGINES}/prisma", "generate", _SCHEMA)),
    Step("schema and planets", (sys.executable, "prisma/init.py")),
)


def environment() -> dict[str, str]:
    """Ours, such that every step finds this Python first, and the project in its folder."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def main(steps: tuple[Step, ...] = STEPS) -> int:
    """Build; the exit status."""
    try:
        OriginUrl.parse(os.environ["DATABASE_URL"], os.environ)
    except KeyError:
        print("build: DATABASE_URL is not set: give it a postgresql:// address", file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(f"build: DATABASE_URL cannot be used: {error}", file=sys.stderr)
        return 2
    for number, step in enumerate(steps, 1):
        print(f"build: [{number}/{len(steps)}] {step.name}", flush=True)
        start = time.monotonic()
        status = subprocess.run(step.command, cwd=ROOT, env=environment(), check=False).returncode
        if status:
            print(
                f"build: {step.name} failed with exit status {status}; the reason stands above",
                file=sys.stderr,
            )
            return status
        print(f"build: {step.name}: done in {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
