"""Compile the hot rooms: ``python -m tools.compiled``, and ``--remove`` to be without again.

Each of MODULES becomes an extension that lies beside its source and is imported in its place: the same
Python, made into C by mypyc. It needs a C compiler and Python's headers; everything works without. Whoever
edits one of them has to compile again, or to remove what was compiled: the tests refuse a stale one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# What a hit goes through, and an ordinary miss. Not those whose objects are held weakly (facets, tags,
# virtual), which an extension does not allow, and nothing that waits or does I/O.
MODULES: Final = (
    "proxy/cache/index.py",
    "proxy/cache/entry.py",
    "proxy/cache/memory.py",
    "proxy/cache/buckets.py",
    "proxy/cache/store.py",
    "proxy/cache/fills.py",
    "proxy/cache/ttl.py",
    "proxy/session/hits.py",
    "proxy/session/misses.py",
    "proxy/session/session.py",
    "proxy/session/intake.py",
    "proxy/session/batch.py",
    "proxy/session/runs.py",
    "proxy/session/rows.py",
    "proxy/session/block.py",
    "proxy/session/uplink.py",
    "proxy/session/exchange.py",
    "proxy/session/recording.py",
    "proxy/session/landing.py",
    "proxy/session/tally.py",
    "proxy/session/tenancy.py",
    "proxy/session/standing.py",
    "proxy/session/state.py",
    "proxy/session/outlook.py",
    "proxy/session/statements.py",
    "proxy/session/last.py",
    "proxy/session/transaction.py",
    "proxy/session/shapes.py",
    "proxy/wire/framing.py",
    "proxy/wire/frontend.py",
    "proxy/wire/backend.py",
    "proxy/metrics/histogram.py",
    "proxy/metrics/counters.py",
    "proxy/metrics/templates.py",
    "proxy/session/shared.py",
)
# The one library that they share lies in the package as well: only there does an installed program find it.
_GROUP: Final = "proxy.hot"


def main() -> int:
    """Compile, or remove. Exit status 1: the compiler failed, in its own words."""
    parser = argparse.ArgumentParser(prog="make compiled", description="compile the hot rooms")
    parser.add_argument("--remove", action="store_true", help="have only plain Python again")
    parser.add_argument("--build", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        _build()
        return 0
    for made in extensions():
        made.unlink()
    if options.remove:
        return 0
    # A process of its own: setuptools takes over the arguments, and mypyc the memory.
    command = [sys.executable, "-m", "tools.compiled", "--build"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{done.stdout}{done.stderr}"[-3000:], file=sys.stderr)
        return 1
    for made in extensions():
        made.touch()  # those whose C has stayed the same were only copied, with their age
    print(f"{len(MODULES)} modules are compiled")
    return 0


def extensions(root: Path = ROOT) -> list[Path]:
    """What is compiled at this moment."""
    return sorted((root / "proxy").rglob("*.so"))


def stale(root: Path = ROOT) -> list[str]:
    """The sources that have changed since they were compiled."""
    made = {path.with_name(path.name.partition(".")[0] + ".py"): path for path in extensions(root)}
    return [
        str(source.relative_to(root))
        for source, compiled in made.items()
        if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime
    ]


def _build() -> None:
    from mypyc.build import mypycify  # noqa: PLC0415 - only this process needs them
    from setuptools import setup  # noqa: PLC0415

    os.chdir(ROOT)
    setup(
        name="orrery-compiled",
        packages=[],
        ext_modules=mypycify(["--no-incremental", *MODULES], group_name=_GROUP, target_dir="build/mypyc"),
        script_args=["--quiet", "build_ext", "--inplace", "--build-temp", "build/mypyc"],
    )


if __name__ == "__main__":
    sys.exit(main())
