"""Many clients over registers, counters, pairs and rows, while things break: can every read be explained?

Exit status: 0 when it can, 1 when not. The seed decides what clients say and what breaks when; which of it
meets, the machine decides. So a finding may need several runs to be seen again; its story says what met.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from tests.histories.broken_proxy import LAWS
from tests.histories.faults import FAULTS, WORKER_FAULTS
from tests.histories.run import Plan, run


def main() -> int:
    """Read the arguments, run, report."""
    options = _options()
    every = (*FAULTS, *WORKER_FAULTS) if options.workers > 1 else FAULTS
    chosen = [f for f in every if options.faults and (not options.fault or f.__name__ in options.fault)]
    program = (sys.executable, "-m", "tests.histories.broken_proxy", options.law) if options.law else None
    plan = Plan(
        options.seconds,
        options.seed,
        options.clients,
        options.write_share,
        tuple(chosen),
        program,
        workers=options.workers,
    )
    result = asyncio.run(run(plan, lambda line: print(line, flush=True)))
    print("\n".join(result.lines()), flush=True)
    return 0 if result.passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long clients are at work (600)")
    parser.add_argument("--seed", type=int, default=1, help="of what is said and what breaks (1)")
    parser.add_argument(
        "--workers", type=int, default=int(os.environ.get("WORKERS", "1")), help="of the proxy (WORKERS, 1)"
    )
    parser.add_argument("--clients", type=int, default=8, help="how many at a time, two to a process (8)")
    parser.add_argument("--write-share", type=float, default=0.02, help="of what clients do, 0 to 1 (0.02)")
    parser.add_argument(
        "--faults", action=argparse.BooleanOptionalAction, default=True, help="let things break (on)"
    )
    parser.add_argument(
        "--fault",
        action="append",
        choices=[fault.__name__ for fault in (*FAULTS, *WORKER_FAULTS)],
        metavar="NAME",
        help="only this one (repeatable): " + ", ".join(f.__name__ for f in (*FAULTS, *WORKER_FAULTS)),
    )
    parser.add_argument(
        "--break",
        dest="law",
        choices=list(LAWS),
        help="a proxy that breaks this law, for the checker to find: see broken_proxy.py",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
