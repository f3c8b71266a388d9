"""What may change an analysis or a right moves the fingerprint, and daily upkeep does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from proxy.schema.fingerprint import RIGHTS_PARTS, parts_of
from proxy.schema.queries import fingerprint_query
from tests.proxy.schema.origin import Origin

pytestmark = pytest.mark.postgres

GROUND = """
CREATE SCHEMA IF NOT EXISTS ground;
CREATE TABLE IF NOT EXISTS planet (id integer PRIMARY KEY, name text, mass numeric DEFAULT 1);
CREATE TABLE IF NOT EXISTS moon (id integer, planet integer);
CREATE TABLE IF NOT EXISTS orbit (at date) PARTITION BY RANGE (at);
CREATE OR REPLACE VIEW seen AS SELECT id FROM planet;
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
ROLES = """
DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE astronomer; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
"""

# Each is run in a database that holds GROUND, and undone with it: the order does not matter.
CHANGES = (
    "CREATE TABLE comet (id integer)",
    "DROP TABLE moon",
    "ALTER TABLE planet RENAME TO world",
    "ALTER TABLE planet SET SCHEMA ground",
    "ALTER TABLE planet OWNER TO reader",
    "ALTER TABLE planet SET UNLOGGED",
    "ALTER TABLE planet ADD COLUMN rings boolean",
    "ALTER TABLE planet DROP COLUMN name",
    "ALTER TABLE planet RENAME COLUMN name TO title",
    "ALTER TABLE planet ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE planet ALTER COLUMN name TYPE varchar(10)",
    "ALTER TABLE planet ALTER COLUMN mass SET DEFAULT 2",
    "ALTER TABLE planet ADD CHECK (mass > 0)",
    "ALTER TABLE moon ADD FOREIGN KEY (planet) REFERENCES planet ON DELETE CASCADE",
    "ALTER TABLE moon INHERIT planet_like",
    "ALTER TABLE planet ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE planet FORCE ROW LEVEL SECURITY",
    "CREATE POLICY p ON planet USING (id > 0)",
    "CREATE TABLE early PARTITION OF orbit FOR VALUES FROM ('2000-01-01') TO ('2010-01-01')",
    "CREATE INDEX ON planet (lower(name))",
    "CREATE STATISTICS s ON (lower(name)) FROM planet",
    "CREATE INDEX ON planet (name) WHERE mass > 1",
    "CREATE TRIGGER t BEFORE INSERT ON planet FOR EACH ROW EXECUTE FUNCTION quiet()",
    "ALTER TABLE moon DISABLE TRIGGER wakeful",
    "CREATE RULE r AS ON DELETE TO planet DO ALSO DELETE FROM moon",
    "CREATE OR REPLACE VIEW seen AS SELECT id FROM planet WHERE mass > 1",
    "ALTER VIEW seen SET (security_barrier)",
    "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one",
    "CREATE SEQUENCE s",
    "CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 2'",
    "ALTER FUNCTION one() IMMUTABLE",
    "REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC",
    "CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer)",
    "CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)",
    "CREATE CAST (planet AS integer) WITH FUNCTION one_of(planet)",
    "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
    "ALTER DOMAIN whole ADD CHECK (VALUE > 0)",
    "CREATE TYPE colour AS ENUM ('red')",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    "CREATE TYPE spell AS RANGE (SUBTYPE = time)",
    "CREATE COLLATION mine FROM \"C\"",
    "CREATE TEXT SEARCH CONFIGURATION star (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR asciiword",
    "CREATE OPERATOR CLASS ints FOR TYPE integer USING btree AS OPERATOR 1 <",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION watch()",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE SERVER far FOREIGN DATA WRAPPER wrapper",
    "CREATE FOREIGN TABLE afar (id integer) SERVER near",
    "DROP EXTENSION plpgsql CASCADE",
    "ALTER EXTENSION plpgsql ADD FUNCTION one()",
    "CREATE SCHEMA other",
    "GRANT USAGE ON SCHEMA ground TO reader",
    "GRANT SELECT ON planet TO reader",
    "GRANT SELECT (name) ON planet TO reader",
    "GRANT USAGE ON TYPE mood TO reader",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader",
)  # fmt: skip
MORE_GROUND = """
CREATE TABLE planet_like (id integer, planet integer);
CREATE TRIGGER wakeful BEFORE INSERT ON moon FOR EACH ROW EXECUTE FUNCTION quiet();
CREATE FUNCTION one_of(planet) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE DOMAIN whole AS integer;
CREATE TYPE mood AS ENUM ('sad');
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER near FOREIGN DATA WRAPPER wrapper;
"""

# These hold in the whole server: (do, undo).
SHARED_CHANGES = (
    ("CREATE ROLE visitor", "DROP ROLE visitor"),
    ("ALTER ROLE reader NOLOGIN SUPERUSER", "ALTER ROLE reader NOSUPERUSER"),
    ("ALTER ROLE reader BYPASSRLS", "ALTER ROLE reader NOBYPASSRLS"),
    ("ALTER ROLE reader PASSWORD 'changed'", "ALTER ROLE reader PASSWORD NULL"),
    ("ALTER ROLE reader VALID UNTIL '2030-01-01'", "ALTER ROLE reader VALID UNTIL 'infinity'"),
    ("ALTER ROLE reader CONNECTION LIMIT 3", "ALTER ROLE reader CONNECTION LIMIT -1"),
    ("ALTER ROLE reader SET work_mem = '1MB'", "ALTER ROLE reader RESET ALL"),
    ("ALTER DATABASE postgres SET work_mem = '1MB'", "ALTER DATABASE postgres RESET ALL"),
    ("GRANT astronomer TO reader", "REVOKE astronomer FROM reader"),
    ("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC", "GRANT CONNECT ON DATABASE postgres TO PUBLIC"),
    ("GRANT SET ON PARAMETER work_mem TO reader", "REVOKE SET ON PARAMETER work_mem FROM reader"),
    ("CREATE DATABASE elsewhere", "DROP DATABASE elsewhere"),
)

# The same transaction may not hold some of these, and none needs undoing.
UPKEEP = (
    "VACUUM",
    "VACUUM FULL",
    "ANALYZE",
    "CHECKPOINT",
    "REINDEX TABLE planet",
    "CREATE INDEX ON planet (name)",
    "TRUNCATE moon",
    "INSERT INTO planet SELECT generate_series(1, 1000); UPDATE planet SET mass = 3; DELETE FROM planet",
    "COMMENT ON TABLE planet IS 'round'",
    "CREATE TEMP TABLE mine (id serial PRIMARY KEY, n text CHECK (n > '')); CREATE INDEX ON mine (lower(n))",
    "CREATE TEMP TABLE child () INHERITS (planet)",
    "CREATE TEMP VIEW v AS SELECT 1; CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
)  # fmt: skip


@pytest.fixture(scope="module")
def ground(shared_origin: Origin) -> Origin:
    """A database with one thing of each sort."""
    shared_origin.execute(GROUND + ROLES + MORE_GROUND)
    return shared_origin


@dataclass(frozen=True, slots=True)
class Watch:
    """A connection whose transactions are all rolled back, and what the catalogue was before them."""

    connection: psycopg.Connection
    query: bytes
    before: str

    def fingerprint(self) -> str:
        row = self.connection.execute(self.query).fetchone()
        assert row is not None
        return str(row[0])


@pytest.fixture(scope="module")
def watch(ground: Origin) -> Iterator[Watch]:
    query = fingerprint_query(ground.abilities())
    with psycopg.connect(ground.database.url()) as connection:
        yield Watch(connection, query.encode(), ground.fingerprint())


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_database_moves_the_fingerprint(watch: Watch, change: str) -> None:
    try:
        assert watch.fingerprint() == watch.before
        watch.connection.execute(change.encode())
        assert watch.fingerprint() != watch.before
    finally:
        watch.connection.rollback()


@pytest.mark.parametrize(("change", "undo"), SHARED_CHANGES)
def test_a_change_of_the_server_moves_the_fingerprint(ground: Origin, change: str, undo: str) -> None:
    before = ground.fingerprint()
    ground.execute(change)
    try:
        after = ground.fingerprint()
    finally:
        ground.execute(undo)
    moved = {part for part, value in parts_of(after).items() if parts_of(before)[part] != value}
    assert moved
    assert moved <= RIGHTS_PARTS


@pytest.mark.parametrize("work", UPKEEP)
def test_upkeep_and_temporary_objects_leave_the_fingerprint_alone(ground: Origin, work: str) -> None:
    before = ground.fingerprint()
    ground.execute(work)
    assert parts_of(ground.fingerprint()) == parts_of(before)
