"""``make init``: schema and planets, in many places at once, and what is said where that cannot be."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.proxy import Proxy
from tests.postgres import Database
from tests.prisma.commands import ROOT, environment

pytestmark = [pytest.mark.prisma, pytest.mark.postgres]

_AWAY = "postgresql://postgres:secret@127.0.0.1:1/planets"


def _init(url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "prisma" / "init.py"), *arguments]
    return subprocess.run(
        command, env=environment(url), cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_ten_at_once_direct_and_through_the_proxy_make_three_planets(database: Database) -> None:
    with Proxy(database.url()) as proxy, ThreadPoolExecutor(10) as places:
        urls = [database.url(), proxy.url(database.name)] * 5
        outcomes = list(places.map(_init, urls))
        assert [done.returncode for done in outcomes] == [0] * 10, [done.stderr for done in outcomes]
        # whatever the proxy remembered of the schema before is gone
        again = _init(proxy.url(database.name))
    assert sum("seed: 3 added" in done.stdout for done in outcomes) == 1
    assert again.stdout == "init: No pending migrations to apply.\nseed: everything is there already\n"
    rows = database.execute('SELECT id, name FROM "Planet" ORDER BY id')
    assert rows == [(1, "Mercury"), (2, "Venus"), (3, "Mars")]
    assert database.execute("SELECT count(*) FROM _prisma_migrations") == [(1,)]


def test_a_schema_that_comes_through_the_proxy_drops_what_it_remembered(database: Database) -> None:
    with Proxy(database.url()) as proxy:
        assert _init(proxy.url(database.name)).returncode == 0
        assert proxy.figure("invalidations", "ddl") > 0


def test_what_cannot_work_is_one_sentence_that_says_what_to_do(database: Database) -> None:
    database.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'")
    cases = [
        (None, 2, "DATABASE_URL cannot be used: it is not set", "give it"),
        ("secret", 2, "DATABASE_URL cannot be used: it does not begin with", "give it"),
        (_AWAY, 1, "Can't reach database server at `127.0.0.1:1`", "check host and port"),
        (database.url(password="secret"), 1, "Authentication failed", "check user and password"),
        (database.url("reader", "secret"), 1, "ERROR: permission denied for schema public", "CREATE"),
        (database.url(sslmode="require"), 1, "Error opening a TLS connection", "check sslmode"),
    ]
    try:
        for url, status, sentence, advice in cases:
            done = _init(url)
            assert (done.returncode, done.stdout) == (status, ""), done
            assert done.stderr.startswith(f"init: {sentence}"), done.stderr
            assert advice in done.stderr
            assert done.stderr.count("\n") == 1
            assert "secret" not in done.stderr
    finally:
        database.execute("DROP ROLE reader")


def test_a_database_that_holds_other_tables_is_left_alone(database: Database) -> None:
    database.execute("CREATE TABLE other (id int)")
    done = _init(database.url())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("init: The database schema is not empty")
    assert database.execute("SELECT to_regclass('\"Planet\"')") == [(None,)]


def test_it_becomes_the_command_also_where_the_database_is_away(database: Database) -> None:
    command = ("--", sys.executable, "-c", "print('here')")
    assert _init(database.url(), *command).stdout.splitlines()[-2:] == ["seed: 3 added", "here"]
    away = _init(_AWAY, *command)
    assert (away.returncode, away.stdout) == (0, "here\n")
    assert "going on without" in away.stderr


def test_a_wrong_address_and_a_wrong_password_do_not_become_the_command(database: Database) -> None:
    for url, status in (("secret", 2), (database.url(password="secret"), 1)):
        done = _init(url, "--", "echo", "here")
        assert (done.returncode, done.stdout) == (status, "")


def test_a_command_that_is_not_there_is_told(database: Database) -> None:
    done = _init(database.url(), "--", "no-such-program")
    assert done.returncode == 127
    assert done.stderr == "init: no-such-program cannot be started: No such file or directory\n"
