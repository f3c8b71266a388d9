"""``python -m tests.differential``: exit status 0 when every answer was equal, 1 otherwise."""

from __future__ import annotations

import argparse
import sys

from tests.differential.run import run, stage


def main() -> int:
    """Read the arguments, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="one seed is one run for ever (default 1)")
    parser.add_argument("--statements", type=int, default=5000, help="how many in all (default 5000)")
    parser.add_argument("--chapter", type=int, action="append", help="play only this chapter (repeatable)")
    options = parser.parse_args()
    with stage() as nursery:
        result = run(nursery, options.seed, options.statements, options.chapter)
    print("\n".join(result.lines(options.seed)), flush=True)
    return 1 if result.found else 0


if __name__ == "__main__":
    sys.exit(main())
