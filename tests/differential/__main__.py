"""``python -m tests.differential``: exit status 0 when every answer was equal, 1 otherwise.

With ``--planted`` the other way round: each run is through a proxy with one fault, and has to notice it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.differential.faults import FAULTS
from tests.differential.run import CHAPTER, run_in_parallel, statements_until_found

_tell = partial(print, flush=True)


def main() -> int:
    """Read the arguments, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="one seed is one run for ever (default 1)")
    parser.add_argument(
        "--statements", type=int, default=100_000, help="how many in all, or for each fault (default 100000)"
    )
    parser.add_argument("--chapter", type=int, action="append", help="play only this chapter (repeatable)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="servers at once (default: one for each core)"
    )
    parser.add_argument(
        "--workers", type=int, default=int(os.environ.get("WORKERS", "1")), help="of the proxy (WORKERS, 1)"
    )
    parser.add_argument(
        "--planted", nargs="*", metavar="FAULT", choices=FAULTS, help="plant these faults (default all)"
    )
    options = parser.parse_args()
    if options.planted is not None:
        return _planted(options.planted or list(FAULTS), options.seed, options.statements, options.jobs)
    chapters = options.chapter or range(-(-options.statements // CHAPTER))
    began = time.monotonic()
    result = run_in_parallel(options.seed, chapters, options.jobs, _tell, options.workers)
    _tell("\n".join(result.lines(options.seed, time.monotonic() - began)))
    return 1 if result.found else 0


def _planted(faults: list[str], seed: int, statements: int, jobs: int) -> int:
    if statements_until_found("", seed, statements):
        _tell(f"seed {seed}: a run shows a difference without any fault, which proves nothing")
        return 1
    missed = 0
    with ThreadPoolExecutor(jobs) as workers:
        needed = workers.map(partial(statements_until_found, seed=seed, statements=statements), faults)
        for fault, after in zip(faults, needed, strict=True):
            missed += not after
            _tell(f"{fault}: {f'noticed after {after} statements' if after else 'NOT NOTICED'}")
    _tell(f"seed {seed}: {len(faults)} faults planted, {missed} not noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
