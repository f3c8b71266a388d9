"""Lock every dependency of pyproject.toml with its hashes: ``python -m tools.lock``.

Writes requirements.txt (what runs) and requirements-dev.txt (that, and what builds and tests it). What is
locked already keeps its version; ``--upgrade`` takes the newest. No address is written: whoever installs says
where from.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SILENT = ("index-url", "find-links", "trusted-host", "options")
HEADER = "# Made from pyproject.toml by python -m tools.lock; for Python 3.11 to 3.13 on every platform.\n"


def lock(name: str, *options: str) -> None:
    """Write one file. Raises CalledProcessError where no versions fit together."""
    path = ROOT / name
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe",
               "--strip-extras", "--no-annotate", "--no-header", *(f"--no-emit-{what}" for what in SILENT),
               *options, "--output-file", name, "pyproject.toml"]  # fmt: skip
    # A wheel that lies on this machine must not bring its hash in.
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PIP_FIND_LINKS": ""}, check=True)
    path.write_text(HEADER + path.read_text().removeprefix(HEADER))


def main() -> None:
    """Lock what runs first, and then hold what tests it to the same versions."""
    lock("requirements.txt", *sys.argv[1:])
    lock("requirements-dev.txt", "--extra", "dev", "--constraint", "requirements.txt", *sys.argv[1:])


if __name__ == "__main__":
    main()
