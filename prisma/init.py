#!/usr/bin/env python
"""Brings schema and first planets into the database of DATABASE_URL: ``init [--extra N] [-- COMMAND ...]``.

It may run again, and in many places at once: the migrations wait for each other by Prisma's lock, the seed by
its own; nothing is ever reset. With a COMMAND it becomes that command afterwards, also where the database
could not be reached: an instance that ends for the sake of a sleeping database would be started for ever.
Exit status 0: all is there; 1: it is not, and why; 2: a wrong argument or no usable DATABASE_URL.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import seed

from app.database_url import fault_of

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
# Prisma waits ten seconds for the lock of its migrations; many instances that start at once need longer.
LOCK_SECONDS: Final = 120.0
_LOCKED: Final = "P1002"
_NOT_NOW: Final = frozenset({"P1001", "P1002", "P1008", "P1017", "P2024", "P2037"})
# Source of the codes: Prisma docs, orm/reference/error-reference, "Error codes".
_ADVICE: Final = {
    "P1000": "check user and password in DATABASE_URL",
    "P1001": "check host and port in DATABASE_URL, and that the server runs and lets you in",
    "P1002": "another program holds the lock of the migrations: end it, then run this again",
    "P1003": "create the database, or check its name in DATABASE_URL",
    "P1010": "check user and database in DATABASE_URL, and what the server's pg_hba.conf says of them",
    "P1011": "check sslmode and sslrootcert in DATABASE_URL",
    "P1013": "put that part of DATABASE_URL right",
    "P1017": "check that the server, or what stands before it, takes connections for this database",
    "P2037": "close some, or raise max_connections of the server",
    "P3005": "give an empty database, or say that the schema is there: prisma migrate resolve --applied",
    "P3009": "put the failed migration right, then tell Prisma: prisma migrate resolve",
    "P3018": "put the cause right, then tell Prisma: prisma migrate resolve --rolled-back",
}
_ERROR: Final = re.compile(r"^Error: (?:(P\d{4})\b:?\s*)?(.+)$", re.MULTILINE)
_CREATED: Final = re.compile(r"PostgreSQL database .+ created")
_RIGHTS: Final = re.compile(r"permission denied|must be owner")


class InitError(Exception):
    """The schema could not be brought in; ``code`` is Prisma's, the message a sentence without secrets."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code


def failure(output: str) -> InitError:
    """What Prisma's ``output`` says went wrong, and what to do about it."""
    found = _ERROR.search(output)
    if found is None:
        return InitError(None, "prisma migrate deploy failed without a reason")
    code, sentence = found[1], found[2].strip().rstrip(".")
    advice = _ADVICE.get(code or "")
    if _RIGHTS.search(sentence):
        advice = "grant the user of DATABASE_URL CREATE on the schema, or give one who may"
    return InitError(code, f"{sentence}: {advice}" if advice else sentence)


def told(output: str) -> str:
    """What was done, of Prisma's ``output``: it also makes a database that is missing, where it may."""
    lines = output.strip().splitlines()
    return " ".join([*(f"{line}." for line in lines if _CREATED.match(line)), lines[-1]])


def migrate() -> str:
    """Apply the migrations that are missing; what Prisma says of it. Raises InitError."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        done = subprocess.run(  # noqa: S603 - a program of ours
            [HERE / "engines" / "prisma", "migrate", "deploy", f"--schema={HERE / 'schema.prisma'}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return told(done.stdout)
        error = failure(done.stdout)
        if error.code != _LOCKED or time.monotonic() > deadline:
            raise error


def bring(extra: int, *, may_wait: bool) -> int:
    """Migrate, then seed; the exit status. With ``may_wait`` a database that is away is no failure."""
    try:
        print(f"init: {migrate()}", flush=True)
    except InitError as error:
        print(f"init: {error}", file=sys.stderr)
        if may_wait and error.code in _NOT_NOW:
            print("init: going on without; the schema is brought in at the next start", file=sys.stderr)
            return 0
        return 1
    return seed.main(["--extra", str(extra)])


def main(arguments: Sequence[str]) -> int:
    """The program; its exit status, unless it becomes the command."""
    parser = argparse.ArgumentParser(
        prog="init", description="Bring schema and planets into the database of DATABASE_URL."
    )
    parser.add_argument("--extra", type=seed.extra_planets, default=0, metavar="N", help="exoplanets too")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="become this command afterwards")
    chosen = parser.parse_args(arguments)
    command: list[str] = chosen.command
    fault = fault_of(os.environ.get("DATABASE_URL"))
    if fault:
        print(f"init: DATABASE_URL cannot be used: {fault}", file=sys.stderr)
        return 2
    status = bring(chosen.extra, may_wait=bool(command))
    if status == 0 and command:
        return _become(command)
    return status


def _become(command: list[str]) -> int:
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - what this program was asked to become
    except OSError as error:
        print(f"init: {command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
