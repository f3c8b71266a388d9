"""Runs Prisma's command line with the project's engines in place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ROOT / "prisma" / "engines"
SCHEMA = ROOT / "prisma" / "schema.prisma"
COMMAND_SECONDS = 60.0


def environment(url: str | None) -> dict[str, str]:
    """Ours with ``url`` as DATABASE_URL, and without the variables that would bring other engines in."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISMA_", "DATABASE_"))
    }
    return kept if url is None else {**kept, "DATABASE_URL": url}


def prisma(
    *arguments: str, url: str | None, cwd: Path = ROOT, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """One command; both outputs are joined in ``stdout``, as a person sees them."""
    return subprocess.run(
        [str(ENGINES / "prisma"), *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=cwd,
        env=environment(url),
        timeout=COMMAND_SECONDS,
    )


def succeed(*arguments: str, url: str | None, cwd: Path = ROOT, stdin: str = "") -> str:
    """What one command printed; a failure shows it."""
    done = prisma(*arguments, url=url, cwd=cwd, stdin=stdin)
    assert done.returncode == 0, done.stdout
    return done.stdout
