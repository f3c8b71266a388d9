"""Many clients over few connections to the origin, in its long form: does each get its own?

Exit status: 0 when every reply and setting was the client's own and the limit held, 1 when not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.integration.place import Place
from tests.integration.proxy import Proxy
from tests.postgres import Cluster, Database
from tests.storm.run import Plan, run


def main() -> int:
    """Read the arguments, run, report."""
    options = _options()
    plan = Plan(options.clients, options.seconds, options.pause, options.seed)
    pool = ("--pool-size", str(options.pool_size), "--pool-wait-seconds", "300", "--login-seconds", "300")
    with Cluster() as cluster, Proxy(cluster.url(), "--freshness", "wire", *pool) as proxy:
        database = Database(cluster, "storm")
        database.create()
        result = asyncio.run(run(Place(proxy, database), plan))
    figures = result.figures
    print(f"{plan.clients} clients, {plan.seconds:g} s: {result.asked} questions")
    print(f"{len(result.findings)} findings")
    print(f"connections: at most {result.most} at one time, {options.pool_size} allowed")
    print(f"outcomes: {figures['outcomes']}; pinned: {figures['pinned']}")
    print("\n".join(result.findings[:20]))
    return 1 if result.findings or result.most > options.pool_size else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000, help="how many at a time (1000)")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long they are at work (300)")
    parser.add_argument("--pool-size", type=int, default=50, help="connections to the origin (50)")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two questions of one (1)")
    parser.add_argument("--seed", type=int, default=1, help="of what is said (1)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
