"""``make bench-precision``: how many reads stay in the memory while others are written.

Clients read and write single rows by primary key, each row as likely as any other; a tenth of the statements
are writes. Once as it is, and once with writes that name no row in a way that is proven: then every write
drops the answers of the whole table. Every read is checked: it must show no less than was acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field
from random import Random
from typing import Final

import asyncpg

from bench.stage import Place, stage

ROWS: Final = 10_000
CLIENTS: Final = 8
WRITE_SHARE: Final = 0.1
WARMERS: Final = 32
SCHEMA: Final = """
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int NOT NULL DEFAULT 0);
INSERT INTO item SELECT id, 'item ' || id FROM generate_series(1, 10000) id
"""
READ: Final = "SELECT id, name, n FROM item WHERE id = $1"
WRITE: Final = "UPDATE item SET n = n + 1 WHERE id = $1 RETURNING n"
# The same rows, but no equality on the bare column: nothing is proven of which rows these are.
VAGUE_WRITE: Final = "UPDATE item SET n = n + 1 WHERE id + 0 = $1 RETURNING n"
# What the hit ratio must be above, by distance in milliseconds, one way.
WANTED: Final = {0: 0.85, 40: 0.75}


@dataclass(slots=True)
class Run:
    """One measurement over rows 1 to ``rows``. ``seen``: the highest number that was told of each."""

    rows: int = ROWS
    reads: int = 0
    writes: int = 0
    hits: int = 0
    seconds: float = 0.0
    stale: int = 0
    seen: dict[int, int] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The share of reads that the memory answered."""
        return self.hits / max(self.reads, 1)


async def measure(place: Place, write: str, seconds: float, seed: int, rows: int = ROWS) -> Run:
    """Fill the memory with every row, then let the clients at it for ``seconds``."""
    await _warm(place, rows)
    run = Run(rows)
    before = place.outcomes()["hit"]
    started = time.monotonic()
    clients = [_client(place, write, started + seconds, Random(f"{seed}/{n}"), run) for n in range(CLIENTS)]
    await asyncio.gather(*clients)
    run.seconds = time.monotonic() - started
    run.hits = place.outcomes()["hit"] - before
    return run


async def _warm(place: Place, rows: int) -> None:
    async def fetch(first: int) -> None:
        connection = await asyncpg.connect(place.url)
        try:
            for row in range(first, rows + 1, WARMERS):
                await connection.fetch(READ, row)
        finally:
            await connection.close()

    await asyncio.gather(*(fetch(first) for first in range(1, WARMERS + 1)))


async def _client(place: Place, write: str, deadline: float, random: Random, run: Run) -> None:
    connection = await asyncpg.connect(place.url)
    try:
        while time.monotonic() < deadline:
            row = random.randint(1, run.rows)
            known = run.seen.get(row, 0)
            if random.random() < WRITE_SHARE:
                shown = (await connection.fetch(write, row))[0]["n"]
                run.writes += 1
            else:
                shown = (await connection.fetch(READ, row))[0]["n"]
                run.reads += 1
                run.stale += shown < known
            run.seen[row] = max(run.seen.get(row, 0), shown)
    finally:
        await connection.close()


def main() -> int:
    """Measure at each distance; exit status 1 if a ratio is too low, or a read was stale."""
    parser = argparse.ArgumentParser(prog="make bench-precision", description="hit ratio under writes")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="one seed is one choice of rows (default 1)")
    options = parser.parse_args()
    print(
        f"{ROWS} rows by primary key, {CLIENTS} clients, {WRITE_SHARE:.0%} writes, {options.seconds:g} s each"
    )
    print("distance  precision  hit ratio  wanted     reads    writes  a second  stale")
    failed = False
    for distance, wanted in WANTED.items():
        for name, write in (("row", WRITE), ("table", VAGUE_WRITE)):
            with stage(SCHEMA, distance) as place:
                run = asyncio.run(measure(place, write, options.seconds, options.seed))
            goal = f"> {wanted:.0%}" if write is WRITE else ""
            rate = (run.reads + run.writes) / run.seconds
            print(
                f"{distance:>5} ms  {name:<9}  {run.ratio:>9.1%}  {goal:>6}  {run.reads:>8}  {run.writes:>8}"
                f"  {rate:>8.0f}  {run.stale:>5}",
                flush=True,
            )
            failed |= run.stale > 0 or (bool(goal) and run.ratio <= wanted)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
