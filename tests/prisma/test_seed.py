"""The seed: what it brings, that it may run again and in several places, and what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.postgres import Database
from tests.prisma.commands import ROOT, environment, succeed

pytestmark = [pytest.mark.prisma, pytest.mark.postgres]

FIRST = [(1, "Mercury"), (2, "Venus"), (3, "Mars")]
_ALL = 'SELECT id, name FROM "Planet" ORDER BY id'
_ADD = """INSERT INTO "Planet" (name) VALUES ('Saturn') RETURNING id"""


@pytest.fixture
def planets(database: Database) -> Database:
    """A database with the schema and no rows."""
    succeed("migrate", "deploy", url=database.url())
    return database


def _seed(url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "prisma" / "seed.py"), *arguments]
    return subprocess.run(
        command, env=environment(url), cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_three_planets_once_and_the_next_id_is_four(planets: Database) -> None:
    assert _seed(planets.url()).stdout == "seed: 3 added\n"
    before = planets.execute('SELECT xmin::text, id, name FROM "Planet" ORDER BY id')
    assert _seed(planets.url()).stdout == "seed: everything is there already\n"
    assert planets.execute('SELECT xmin::text, id, name FROM "Planet" ORDER BY id') == before
    assert planets.execute(_ALL) == FIRST
    assert planets.execute(_ADD) == [(4,)]


def test_in_several_places_at_once_it_is_three_planets(planets: Database) -> None:
    with ThreadPoolExecutor(5) as places:
        outcomes = list(places.map(lambda _: _seed(planets.url(), "--extra", "20"), range(5)))
    assert [done.returncode for done in outcomes] == [0] * 5, [done.stderr for done in outcomes]
    assert planets.execute(_ALL)[:3] == FIRST
    assert planets.execute('SELECT count(*), count(DISTINCT name) FROM "Planet"') == [(23, 23)]


def test_rows_of_others_stay_and_the_sequence_never_goes_back(planets: Database) -> None:
    planets.execute("""INSERT INTO "Planet" (id, name) VALUES (2, 'Ishtar'), (40, 'Pluto')""")
    planets.execute("""SELECT setval(pg_get_serial_sequence('"Planet"', 'id'), 70)""")
    assert _seed(planets.url()).stdout == "seed: 2 added\n"
    assert planets.execute(_ALL) == [(1, "Mercury"), (2, "Ishtar"), (3, "Mars"), (40, "Pluto")]
    assert planets.execute(_ADD) == [(71,)]


def test_extra_planets_have_the_same_names_each_time(planets: Database) -> None:
    assert _seed(planets.url(), "--extra", "3").stdout == "seed: 6 added\n"
    assert _seed(planets.url(), "--extra", "5").stdout == "seed: 2 added\n"
    names = [name for _, name in planets.execute(_ALL)[3:]]
    assert names == [f"Exoplanet {number:06d}" for number in range(1, 6)]


def test_what_cannot_work_is_one_sentence_without_the_password(planets: Database) -> None:
    cases = [
        (None, 2, "seed: DATABASE_URL cannot be used: it is not set"),
        ("secret", 2, "seed: DATABASE_URL cannot be used: it does not begin"),
        (
            "postgresql://postgres:secret@127.0.0.1:1/db",
            1,
            "seed: Can't reach database server at `127.0.0.1:1`.",
        ),
        (planets.url(password="secret"), 1, "seed: Authentication failed against database server"),
        (
            planets.url().replace(planets.name, "postgres"),
            1,
            "seed: The table `public.Planet` does not exist",
        ),
    ]
    for url, status, sentence in cases:
        done = _seed(url)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith(sentence)
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr
    assert _seed(planets.url(), "--extra", "-1").returncode == 2
