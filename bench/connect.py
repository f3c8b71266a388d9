"""``make bench-connect``: a connection that is made, asked one remembered question and closed.

Functions that live for one request do that. Direct it costs a handshake, a login and a question, each of them
across the distance.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from typing import Final

import psycopg

from bench import cpu
from bench.load import SCHEMA
from bench.stage import DATABASE, guarded, origin, proxy, relay
from tools.embedded import HOST, PASSWORD, SUPERUSER
from tools.stage.percentiles import percentile

READ: Final = "SELECT name, n FROM item WHERE id = 1"
# What the proxy means to reach, after the user's first login.
WANTED_MS: Final = 3.0
WANTED_CPU_US: Final = 800.0


def visit(port: int) -> float:
    """Connect, ask, close: how long that took, in milliseconds."""
    started = time.perf_counter()
    with psycopg.connect(
        host=HOST, port=port, user=SUPERUSER, password=PASSWORD, dbname=DATABASE, autocommit=True
    ) as connection:
        connection.execute(READ).fetchall()
    return (time.perf_counter() - started) * 1000


def main() -> int:
    """Measure and print. Exit status 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(prog="make bench-connect", description="connect, ask, close")
    parser.add_argument("--visits", type=int, default=300, help="through the proxy (default 300)")
    parser.add_argument("--distance-ms", type=float, default=45.0, help="one way (default 45)")
    options = parser.parse_args()
    with ExitStack() as parts:
        cluster = origin(parts, SCHEMA)
        far = relay(parts, cluster, options.distance_ms)
        place, child = proxy(parts, cluster, far)
        direct = [visit(far) for _ in range(10)]
        first = visit(place.port)
        visit(place.port)
        before = cpu.seconds(child.group)
        near = [visit(place.port) for _ in range(options.visits)]
        cpu_us = (cpu.seconds(child.group) - before) / options.visits * 1e6
    print(f"PostgreSQL {options.distance_ms:g} ms away, one way; connect, one remembered read, close:")
    print(f"  direct               p50 {percentile(direct, 0.5):8.2f} ms")
    print(f"  the proxy, first     {first:12.2f} ms")
    print(
        f"  the proxy, then      p50 {percentile(near, 0.5):8.2f} ms  (wanted <= {WANTED_MS:g})"
        f"  p99 {percentile(near, 0.99):.2f} ms"
    )
    print(f"  its processor time   {cpu_us:12.0f} us  (wanted <= {WANTED_CPU_US:g} for a login)")
    return 0


if __name__ == "__main__":
    sys.exit(guarded("make bench-connect", main))
