"""The axes that ``make test-matrix`` runs the tests over, by environment variables.

``TEST_POOL`` (transaction, session) and ``TEST_WORKERS`` (a number) become options of every proxy that a test
starts as a process of its own; a test's own options come behind them, and win. What does not apply is
skipped, with its reason in pytest's summary. ``python -m tests.matrix``: all combinations, one after the
other; arguments go to pytest; exit status 0 when all have passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from typing import Final

import pytest

AXES: Final = {"TEST_POOL": ("transaction", "session"), "TEST_WORKERS": ("1", "2")}
# What starts a proxy as a user does; all other tests run the same whatever the axes say.
FOLDERS: Final = ("tests/integration", "tests/transparency", "tests/differential", "tests/histories")

POOL: Final = os.environ.get("TEST_POOL", "transaction")
WORKERS: Final = int(os.environ.get("TEST_WORKERS", "1"))

one_process = pytest.mark.skipif(
    WORKERS > 1, reason="each worker knows the process ids of its own clients alone"
)
one_memory = pytest.mark.skipif(
    WORKERS > 1, reason="what one client has left is found by another: each worker has a memory of its own"
)

pool_transaction = pytest.mark.skipif(
    POOL != "transaction", reason="with --pool session each login opens a connection"
)

one_pool = pytest.mark.skipif(
    WORKERS > 1 or POOL != "transaction", reason="clients share one pool: each worker has one of its own"
)


def options() -> list[str]:
    """What the axes add to the command line."""
    workers = ["--workers", str(WORKERS)] if WORKERS > 1 else []
    return workers if POOL == "transaction" else ["--pool", POOL, *workers]


def main() -> int:
    """Run every combination; a line on each at the end."""
    told, worst = [], 0
    for values in product(*AXES.values()):
        chosen = dict(zip(AXES, values, strict=True))
        words = " ".join(f"{name}={value}" for name, value in chosen.items())
        print(f"=== {words}", flush=True)
        command = [sys.executable, "-m", "pytest", *FOLDERS, *sys.argv[1:]]
        status = subprocess.run(command, env={**os.environ, **chosen}, check=False).returncode
        worst = worst or status
        told.append(f"{words}: {'passed' if status == 0 else f'FAILED (status {status})'}")
    print("\n".join(told))
    return worst


if __name__ == "__main__":
    sys.exit(main())
