"""Prisma's command line over the schema engine: migrations, push, pull, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.postgres import Database
from tests.prisma.commands import COMMAND_SECONDS, ENGINES, ROOT, environment, prisma, succeed

pytestmark = [pytest.mark.prisma, pytest.mark.postgres]

_MIGRATIONS = ROOT / "prisma" / "migrations"
# A body with semicolons: the engine must hand the script to PostgreSQL whole.
_FUNCTION = """
CREATE FUNCTION twice(number int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  number := number * 2;
  RETURN number;
END;
$$;
COMMENT ON FUNCTION twice IS 'one; two';
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the application's schema and migrations, to be changed."""
    shutil.copytree(_MIGRATIONS, tmp_path / "migrations")
    shutil.copy(ROOT / "prisma" / "schema.prisma", tmp_path / "schema.prisma")
    return tmp_path


def _migrate_dev(project: Path, url: str, name: str) -> str:
    """``migrate dev`` wants a person: it gets a terminal."""
    leader, follower = pty.openpty()
    command = [str(ENGINES / "prisma"), "migrate", "dev", "--name", name, "--skip-generate", "--skip-seed"]
    done = subprocess.run(
        [*command, f"--schema={project / 'schema.prisma'}"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        cwd=project,
        env=environment(url),
        timeout=COMMAND_SECONDS,
    )
    os.close(leader)
    os.close(follower)
    return done.stdout


def _schema_of(project: Path) -> str:
    return f"--schema={project / 'schema.prisma'}"


def test_deploy_makes_the_database_once_and_is_idempotent(database: Database) -> None:
    database.drop()
    assert "successfully applied" in succeed("migrate", "deploy", url=database.url())
    assert "No pending migrations" in succeed("migrate", "deploy", url=database.url())
    assert database.execute('SELECT count(*) FROM "Planet"') == [(0,)]
    assert "up to date" in succeed("migrate", "status", url=database.url())


def test_deploy_in_several_places_at_once_applies_each_migration_once(database: Database) -> None:
    database.drop()
    with ThreadPoolExecutor(4) as places:
        outcomes = list(places.map(lambda _: prisma("migrate", "deploy", url=database.url()), range(4)))
    assert [done.returncode for done in outcomes] == [0] * 4, [done.stdout for done in outcomes]
    assert database.execute("SELECT count(*) FROM _prisma_migrations") == [(1,)]


def test_dev_writes_a_migration_that_deploys_and_status_tells_of_one_not_applied(
    database: Database, project: Path
) -> None:
    succeed("migrate", "deploy", _schema_of(project), url=database.url())
    schema = project / "schema.prisma"
    schema.write_text(schema.read_text().replace("name String", "name String\n  moons Int @default(0)"))
    _migrate_dev(project, database.url(), "moons")
    [script] = project.glob("migrations/*_moons/migration.sql")
    assert 'ADD COLUMN     "moons"' in script.read_text()
    assert database.execute('SELECT count("moons") FROM "Planet"') == [(0,)]
    # no shadow database is left behind
    assert database.execute("SELECT datname FROM pg_database WHERE datname LIKE 'prisma%'") == []
    another = prisma("migrate", "status", _schema_of(project), url=f"{database.url()}_other")
    assert another.returncode == 1
    assert "P1003" in another.stdout


def test_a_script_reaches_postgresql_whole(database: Database, project: Path) -> None:
    folder = project / "migrations" / "20990101000000_twice"
    folder.mkdir()
    (folder / "migration.sql").write_text(_FUNCTION)
    succeed("migrate", "deploy", _schema_of(project), url=database.url())
    assert database.execute("SELECT twice(21)") == [(42,)]


def test_a_failed_migration_is_told_and_can_be_resolved(database: Database, project: Path) -> None:
    folder = project / "migrations" / "20990101000000_wrong"
    folder.mkdir()
    (folder / "migration.sql").write_text("CREATE TABLE fine (id int); SELECT nothing FROM nowhere;")
    done = prisma("migrate", "deploy", _schema_of(project), url=database.url())
    assert done.returncode == 1
    assert 'relation "nowhere" does not exist' in done.stdout
    assert "P3009" in prisma("migrate", "deploy", _schema_of(project), url=database.url()).stdout
    succeed("migrate", "resolve", "--rolled-back", folder.name, _schema_of(project), url=database.url())
    (folder / "migration.sql").write_text("CREATE TABLE fine (id int);")
    succeed("migrate", "deploy", _schema_of(project), url=database.url())


def test_diff_compares_a_database_a_schema_and_migrations(database: Database, project: Path) -> None:
    url = database.url()
    to_schema = ["--to-schema-datamodel", str(project / "schema.prisma")]
    assert 'CREATE TABLE "Planet"' in succeed(
        "migrate", "diff", "--from-empty", *to_schema, "--script", url=url
    )
    missing = prisma("migrate", "diff", "--from-url", url, *to_schema, "--exit-code", url=url)
    assert (missing.returncode, "Planet" in missing.stdout) == (2, True)
    succeed("migrate", "deploy", url=url)
    assert "No difference" in succeed("migrate", "diff", "--from-url", url, *to_schema, url=url)
    from_migrations = ["--from-migrations", str(_MIGRATIONS), "--shadow-database-url", url]
    assert "No difference" in succeed("migrate", "diff", *from_migrations, *to_schema, url=url)


def test_reset_empties_the_database_and_migrates_again(database: Database) -> None:
    succeed("migrate", "deploy", url=database.url())
    database.execute("""INSERT INTO "Planet" (name) VALUES ('Pluto'); CREATE TABLE other (id int)""")
    succeed("migrate", "reset", "--force", "--skip-generate", "--skip-seed", url=database.url())
    assert database.execute("""SELECT count(*), to_regclass('other')::text FROM "Planet" """) == [(0, None)]


def test_push_and_pull_agree_also_in_a_schema_of_its_own(
    database: Database, rich_schema: Path, tmp_path: Path
) -> None:
    url = database.url(schema="orbit")
    succeed("db", "push", "--skip-generate", f"--schema={rich_schema}", url=url)
    assert "already in sync" in succeed("db", "push", "--skip-generate", f"--schema={rich_schema}", url=url)
    assert database.execute("""SELECT count(*) FROM orbit."User" """) == [(0,)]
    pulled = tmp_path / "schema.prisma"
    shutil.copy(rich_schema, pulled)
    succeed("db", "pull", "--force", f"--schema={pulled}", url=url)
    text = pulled.read_text()
    assert "model PostCategory {" in text
    assert "zones     DateTime[] @db.Timestamptz(6)" in text
    assert "enum Role {" in text


def test_execute_runs_a_script(database: Database) -> None:
    script = "CREATE TABLE one (id int); INSERT INTO one VALUES (1);"
    assert "Script executed" in succeed(
        "db", "execute", "--stdin", "--url", database.url(), url=None, stdin=script
    )
    assert database.execute("SELECT id FROM one") == [(1,)]


def test_what_cannot_work_is_told_in_a_sentence_without_the_password(database: Database) -> None:
    cases = {
        database.url(password="secret"): "P1000: Authentication failed",
        "postgresql://postgres:secret@127.0.0.1:1/db": "P1001: Can't reach database server at `127.0.0.1:1`",
        database.url(sslmode="verify-full"): "P1011: Error opening a TLS connection",
        "secret": "must start with the protocol",
    }
    for url, sentence in cases.items():
        done = prisma("migrate", "deploy", url=url)
        assert done.returncode != 0
        assert sentence in done.stdout
        assert "secret" not in done.stdout
    assert "Environment variable not found: DATABASE_URL" in prisma("migrate", "deploy", url=None).stdout


def test_db_seed_runs_the_program_that_the_project_names(database: Database, project: Path) -> None:
    succeed("migrate", "deploy", _schema_of(project), url=database.url())
    seed = f"{sys.executable} {ROOT / 'prisma' / 'seed.py'}"
    (project / "package.json").write_text(json.dumps({"name": "project", "prisma": {"seed": seed}}))
    assert "3 added" in succeed("db", "seed", _schema_of(project), url=database.url(), cwd=project)
    assert database.execute('SELECT count(*) FROM "Planet"') == [(3,)]
