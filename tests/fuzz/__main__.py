"""``python -m tests.fuzz``: exit status 0 when nothing was found, 1 otherwise."""

from __future__ import annotations

import argparse
import os
import sys

from tests.fuzz.run import run, run_in_parallel
from tests.fuzz.subjects import SUBJECTS


def main() -> int:
    """Read the arguments, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    names = [subject.name for _, subject in SUBJECTS]
    parser.add_argument("--seed", type=int, default=1, help="one seed is one run for ever (default 1)")
    parser.add_argument("--inputs", type=int, default=20_000, help="how many in all (default 20000)")
    parser.add_argument("--subject", action="append", choices=names, help="only this one (repeatable)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)"
    )
    parser.add_argument("--only", type=int, help="play the one input with this number, of one --subject")
    options = parser.parse_args()
    chosen = [pair for pair in SUBJECTS if not options.subject or pair[1].name in options.subject]
    if options.only is not None and len(chosen) != 1:
        parser.error("--only wants one --subject")
    if options.only is not None:
        result = run(chosen, options.seed, options.inputs, options.only)
    else:
        result = run_in_parallel(chosen, options.seed, options.inputs, options.jobs)
    print("\n".join(result.lines(options.seed)), flush=True)
    return 1 if result.found else 0


if __name__ == "__main__":
    sys.exit(main())
