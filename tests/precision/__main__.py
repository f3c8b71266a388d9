"""``python -m tests.precision``, the long form: exit status 0 when no answer was wrongly kept, else 1."""

from __future__ import annotations

import argparse
import sys

from tests.postgres import Cluster, Database, ProgramsMissing
from tests.precision.judge import Tally, play


def main() -> int:
    """Read the arguments, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.precision", description=__doc__)
    parser.add_argument("--schemas", type=int, default=100, help="random schemas (default 100)")
    parser.add_argument("--writes", type=int, default=60, help="writes tried in each (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="one seed is one run for ever (default 1)")
    options = parser.parse_args()
    tally = Tally()
    with _server() as server:
        database = Database(server, "precision")
        database.create()
        for number in range(options.schemas):
            play(database, f"{options.seed}/{number}", options.writes, tally, icu=server.tls)
            if tally.found or number % 10 == 9:
                print(f"schema {number + 1}: {tally.line()}", flush=True)
            if tally.found:
                print(tally.found[0], flush=True)
                return 1
    print(tally.line(), flush=True)
    return 0


def _server() -> Cluster:
    """With ICU, whose collations fold, where there is one."""
    try:
        return Cluster(tls=True)
    except ProgramsMissing as missing:
        print(f"without folding collations: {missing}", flush=True)
        return Cluster()


if __name__ == "__main__":
    sys.exit(main())
