"""Brings the first planets into the database that DATABASE_URL names: ``python prisma/seed.py [--extra N]``.

It may run again, and in several places at once: what is there stays as it is, and nothing is ever deleted.
Exit status 0: all rows are there; 1: they are not, and why; 2: a wrong argument or no usable DATABASE_URL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prisma import Prisma
from prisma.engine.errors import EngineConnectionError
from prisma.errors import PrismaError

from app.database_url import fault_of
from app.queries import ADVANCE_SEQUENCE, STOP_WRITERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prisma.types import PlanetCreateWithoutRelationsInput

PLANETS: Final = Path(__file__).with_name("planets.json")
EXOPLANET: Final = "Exoplanet {:06d}"
MAX_EXTRA: Final = 999_999

# Any number will do that no other program of this database uses; Prisma's own migrations use 72707369.
_SEED_LOCK: Final = 7_265_700_001
# The statement that adds rows stays far below PostgreSQL's 65535 parameters.
_ROWS_PER_STATEMENT: Final = 5_000
_CONNECT: Final = timedelta(seconds=5)
_WAIT: Final = timedelta(seconds=30)
_WORK: Final = timedelta(minutes=10)


class SeedError(Exception):
    """The rows could not be brought in; the message is one sentence without secrets."""


def first_planets() -> list[PlanetCreateWithoutRelationsInput]:
    """The planets with the ids that the first page of the API shows."""
    planets: list[PlanetCreateWithoutRelationsInput] = json.loads(PLANETS.read_text())
    return planets


def exoplanet_names(count: int) -> list[str]:
    """The same ``count`` names each time, so that a second run finds them."""
    return [EXOPLANET.format(number) for number in range(1, count + 1)]


async def seed(client: Prisma, extra: int) -> int:
    """Add what is missing of the first planets and of ``extra`` exoplanets; the number of rows added."""
    async with client.tx(max_wait=_WAIT, timeout=_WORK) as transaction:
        # Held until the commit, so also behind a pooler that changes connections between transactions.
        await transaction.execute_raw("SELECT pg_advisory_xact_lock($1)", _SEED_LOCK)
        return await _add_first(transaction) + await _add_exoplanets(transaction, extra)


async def _add_first(transaction: Prisma) -> int:
    planets = first_planets()
    ids = [planet["id"] for planet in planets if "id" in planet]
    if await transaction.planet.count(where={"id": {"in": ids}}) == len(ids):
        return 0
    await transaction.execute_raw(STOP_WRITERS)
    added = await transaction.planet.create_many(data=planets, skip_duplicates=True)
    await transaction.execute_raw(ADVANCE_SEQUENCE)
    return added


async def _add_exoplanets(transaction: Prisma, count: int) -> int:
    names = exoplanet_names(count)
    present = await _present(transaction, names)
    missing: list[PlanetCreateWithoutRelationsInput] = [
        {"name": name} for name in names if name not in present
    ]
    for start in range(0, len(missing), _ROWS_PER_STATEMENT):
        await transaction.planet.create_many(data=missing[start : start + _ROWS_PER_STATEMENT])
    return len(missing)


async def _present(transaction: Prisma, names: Sequence[str]) -> set[str]:
    if not names:
        return set()
    found = await transaction.planet.find_many(where={"name": {"startswith": EXOPLANET.split("{", 1)[0]}})
    return {planet.name for planet in found}


async def run(extra: int) -> int:
    """Connect, seed, disconnect. Raises SeedError."""
    client = Prisma()
    try:
        await client.connect(timeout=_CONNECT)
    except EngineConnectionError as error:
        # the engine's own reason stands beneath the client's "could not connect"
        raise SeedError(str(error.__cause__ or error)) from error
    try:
        return await seed(client, extra)
    except PrismaError as error:
        raise SeedError(f"{_last_line(error)} (is the schema there? run: prisma migrate deploy)") from error
    finally:
        await client.disconnect()


def _last_line(error: PrismaError) -> str:
    return str(error).strip().splitlines()[-1]


def extra_planets(text: str) -> int:
    """``--extra`` as a number. Raises ArgumentTypeError."""
    if text.isdecimal() and int(text) <= MAX_EXTRA:
        return int(text)
    raise argparse.ArgumentTypeError(f"a whole number from 0 to {MAX_EXTRA} is expected")


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit status."""
    parser = argparse.ArgumentParser(description="Bring the first planets into the database of DATABASE_URL.")
    parser.add_argument(
        "--extra", type=extra_planets, default=0, metavar="N", help="and N generated exoplanets"
    )
    extra: int = parser.parse_args(arguments).extra
    fault = fault_of(os.environ.get("DATABASE_URL"))
    if fault:
        print(f"seed: DATABASE_URL cannot be used: {fault}", file=sys.stderr)
        return 2
    try:
        added = asyncio.run(run(extra))
    except SeedError as error:
        print(f"seed: {error}", file=sys.stderr)
        return 1
    print(f"seed: {added} added" if added else "seed: everything is there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
