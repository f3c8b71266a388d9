"""sql: under gevent, a statement that takes its time holds up nobody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.postgres import Database
from tools.stage.children import ROOT

# As Locust does it: gevent first. Ten sessions sleep half a second each, at the same time or one by one.
PROGRAM = """
import sys, time
import locust
import gevent
import psycopg
from psycopg import waiting
from loadtest.users import sql

assert sql.psycopg is psycopg
assert waiting.wait.__name__ != "wait_c", "the compiled way of waiting holds up the whole process"

def sleep():
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(0.5)")

start = time.monotonic()
gevent.joinall([gevent.spawn(sleep) for _ in range(10)], raise_error=True)
print(time.monotonic() - start)
"""


@pytest.mark.postgres
def test_ten_sessions_wait_at_the_same_time(database: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, database.url()],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # One by one would be at least five seconds.
    assert float(done.stdout) < 4.5
