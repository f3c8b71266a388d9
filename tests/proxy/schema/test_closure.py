"""How far a write goes: what PostgreSQL changed is in the closure, and nothing is in it by guess."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.schema.catalogue import Catalogue, ForeignKey, Relation
from proxy.schema.closure import closure
from tests.proxy.schema.origin import Origin, names, relation

GROUND = """
CREATE TABLE star (id integer PRIMARY KEY);
CREATE TABLE planet (id integer PRIMARY KEY,
  star integer REFERENCES star ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE moon (id integer PRIMARY KEY, planet integer REFERENCES planet ON DELETE SET NULL);
CREATE TABLE probe (id integer, planet integer DEFAULT 0 REFERENCES planet ON DELETE SET DEFAULT);
CREATE TABLE crater (moon integer REFERENCES moon ON UPDATE CASCADE);
CREATE TABLE audit (planet integer REFERENCES planet (id) ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE orbit (planet integer REFERENCES planet ON DELETE CASCADE, at integer) PARTITION BY RANGE (at);
CREATE TABLE early PARTITION OF orbit FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (at);
CREATE TABLE first PARTITION OF early FOR VALUES FROM (0) TO (5);
CREATE TABLE late PARTITION OF orbit FOR VALUES FROM (10) TO (20);
CREATE TABLE body (id integer);
CREATE TABLE rock () INHERITS (body);
CREATE TABLE dust () INHERITS (rock);
CREATE VIEW bright AS SELECT id FROM star WHERE id > 0;
CREATE VIEW brightest AS SELECT id FROM bright WHERE id > 1;
INSERT INTO star VALUES (1), (2);
INSERT INTO planet VALUES (0, 2), (1, 1), (2, 2);
INSERT INTO moon VALUES (1, 1); INSERT INTO crater VALUES (1); INSERT INTO probe VALUES (1, 1);
INSERT INTO orbit VALUES (1, 1), (1, 11);
INSERT INTO body VALUES (1); INSERT INTO rock VALUES (1); INSERT INTO dust VALUES (1);
"""
ORBITS = {"orbit", "early", "first", "late"}
OF_PLANET = {"planet", "moon", "probe", *ORBITS}

# The relation, the events, a statement that does it, the closure.
WRITES = (
    ("star", "insert", "INSERT INTO star VALUES (9)", {"star"}),
    ("star", "delete", "DELETE FROM star WHERE id = 1", {"star"} | OF_PLANET | {"crater"}),
    ("star", "update", "UPDATE star SET id = 7 WHERE id = 1", {"star", "planet"}),
    ("planet", "delete", "DELETE FROM planet WHERE id = 1", OF_PLANET | {"crater"}),
    ("planet", "update", "UPDATE planet SET star = 2", {"planet"}),
    ("moon", "update", "UPDATE moon SET id = 5", {"moon", "crater"}),
    ("moon", "delete", "DELETE FROM moon WHERE id = 6", {"moon"}),
    ("crater", "truncate", "TRUNCATE crater", {"crater"}),
    ("moon", "truncate", "TRUNCATE moon CASCADE", {"moon", "crater"}),
    ("star", "truncate", "TRUNCATE star CASCADE", {"star", "crater", "audit"} | OF_PLANET),
    ("orbit", "insert", "INSERT INTO orbit VALUES (1, 2)", ORBITS),
    ("orbit", "update", "UPDATE orbit SET at = 12 WHERE at = 1", ORBITS),
    ("first", "delete", "DELETE FROM first", {"first", "early", "orbit"}),
    ("early", "delete", "DELETE FROM early", {"first", "early", "orbit"}),
    ("late", "insert", "INSERT INTO late VALUES (1, 12)", {"late", "orbit"}),
    ("body", "insert", "INSERT INTO body VALUES (2)", {"body"}),
    ("body", "update", "UPDATE body SET id = 3", {"body", "rock", "dust"}),
    ("rock", "delete", "DELETE FROM rock", {"body", "rock", "dust"}),
    ("body", "truncate", "TRUNCATE body", {"body", "rock", "dust"}),
    ("brightest", "insert", "INSERT INTO brightest VALUES (9)", {"brightest", "bright", "star"}),
    ("bright", "update", "UPDATE bright SET id = 8 WHERE id = 1", {"bright", "star", "planet"}),
)
FOREIGN = """
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE TABLE visit (at integer) PARTITION BY RANGE (at);
CREATE FOREIGN TABLE away PARTITION OF visit FOR VALUES FROM (0) TO (10) SERVER far;
"""
CODE = """
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE watched (id integer); CREATE TABLE watching (id integer) ;
CREATE TRIGGER t AFTER UPDATE ON watched FOR EACH STATEMENT EXECUTE FUNCTION f();
CREATE TABLE asleep (id integer); CREATE TRIGGER t AFTER UPDATE ON asleep FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE asleep DISABLE TRIGGER t;
CREATE TABLE known (id integer); CREATE TRIGGER t BEFORE UPDATE ON known FOR EACH ROW
  EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE asked (id integer); CREATE TRIGGER t BEFORE UPDATE ON asked FOR EACH ROW
  WHEN (OLD.id > 1) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE ruled (id integer); CREATE RULE r AS ON UPDATE TO ruled DO ALSO NOTHING;
CREATE TABLE far_off (id integer REFERENCES star ON DELETE CASCADE); CREATE TABLE kept (id integer);
CREATE MATERIALIZED VIEW remembered AS SELECT id FROM star;
"""
HAZARDS = (
    ("watched", "update", "trigger"),
    ("watched", "insert", ""),
    ("asleep", "update", ""),
    ("known", "update", ""),
    ("asked", "update", "trigger"),
    ("ruled", "update", "rule"),
    ("visit", "insert", "foreign"),
    ("visit", "delete", "foreign"),
    ("remembered", "update", "relation"),
)


def harmless(_: str) -> bool:
    return True


@pytest.fixture(scope="module")
def ground(shared_origin: Origin) -> Origin:
    shared_origin.execute(GROUND + FOREIGN + CODE)
    return shared_origin


@pytest.fixture(scope="module")
def catalogue(ground: Origin) -> Catalogue:
    return ground.catalogue()


@pytest.mark.postgres
@pytest.mark.parametrize(("table", "event", "statement", "reached"), WRITES)
def test_a_write_changes_nothing_outside_its_closure(
    ground: Origin, catalogue: Catalogue, table: str, event: str, statement: str, reached: set[str]
) -> None:
    reach = closure(catalogue, relation(catalogue, table).oid, frozenset({event}), harmless)
    written = names(catalogue, reach.tables) - {"far_off"}
    assert (written, reach.unknown) == (reached, "")
    assert _changed_by(ground, statement) <= written


def _changed_by(origin: Origin, statement: str) -> set[str]:
    """The tables and views whose rows differ after ``statement``, which is then rolled back."""
    shown = ["star", "planet", "moon", "probe", "crater", "audit", "body", "rock", "dust"]
    shown += [*ORBITS, "bright", "brightest"]
    with psycopg.connect(origin.database.url()) as connection:
        cursor = connection.cursor()
        before = {name: cursor.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in shown}
        cursor.execute(statement.encode())
        after = {name: cursor.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in shown}
        connection.rollback()
    assert before != after or statement.startswith(("DELETE FROM moon", "DELETE FROM early"))
    # What a view shows is its tables' matter: it is reached only when it is written through.
    return {name for name in shown if before[name] != after[name]} - {"bright", "brightest"}


@pytest.mark.postgres
@pytest.mark.parametrize(("table", "event", "word"), HAZARDS)
def test_code_that_may_write_elsewhere_makes_the_reach_unknown(
    catalogue: Catalogue, table: str, event: str, word: str
) -> None:
    oid = relation(catalogue, table).oid
    assert closure(catalogue, oid, frozenset({event}), harmless).unknown == word


@pytest.mark.postgres
def test_a_trigger_behind_a_foreign_key_counts(ground: Origin) -> None:
    ground.execute(
        "CREATE TABLE boss (id integer PRIMARY KEY);"
        "CREATE TABLE clerk (id integer REFERENCES boss ON DELETE SET NULL);"
        "CREATE TRIGGER t AFTER UPDATE ON clerk FOR EACH ROW EXECUTE FUNCTION f()"
    )
    catalogue = ground.catalogue()
    boss = relation(catalogue, "boss").oid
    assert closure(catalogue, boss, frozenset({"delete"}), harmless).unknown == "trigger"
    assert closure(catalogue, boss, frozenset({"update"}), harmless).unknown == ""


@pytest.mark.postgres
def test_a_system_relation_has_unknown_reach(catalogue: Catalogue) -> None:
    oid = relation(catalogue, "pg_class", "pg_catalog").oid
    assert closure(catalogue, oid, frozenset({"update"}), harmless).unknown == "system"


def test_a_relation_that_is_not_in_the_catalogue_has_unknown_reach() -> None:
    assert closure(_catalogue([], []), 1, frozenset({"insert"}), harmless).unknown == "relation"


def _catalogue(relations: list[Relation], keys: list[ForeignKey]) -> Catalogue:
    targets = {key.target for key in keys}
    return Catalogue(
        database=1, server_version=160000, fingerprint="",
        relations={at.oid: at for at in relations}, relation_names={},
        functions={}, function_names={}, types={}, type_names={}, operators={}, casts={}, triggers={},
        foreign_keys_to={target: tuple(key for key in keys if key.target == target) for target in targets},
    )  # fmt: skip


TABLES = st.integers(20_000, 20_005)
KEYS = st.lists(st.builds(ForeignKey, TABLES, TABLES, st.sampled_from("arcnd"), st.sampled_from("arcnd")))
EVENTS = st.frozensets(st.sampled_from(["insert", "update", "delete", "truncate"]), min_size=1)


TABLE = Relation(20_000, "public", "t", "r", "p", 10)


def _tables() -> list[Relation]:
    return [replace(TABLE, oid=oid) for oid in range(20_000, 20_006)]


@given(KEYS, TABLES, EVENTS)
def test_a_closure_is_the_sum_of_what_each_event_reaches(
    keys: list[ForeignKey], table: int, events: frozenset[str]
) -> None:
    catalogue = _catalogue(_tables(), keys)
    parts = [closure(catalogue, table, frozenset({event}), harmless).tables for event in events]
    assert closure(catalogue, table, events, harmless).tables == frozenset().union(*parts)


@given(KEYS, TABLES, EVENTS, st.builds(ForeignKey, TABLES, TABLES, st.just("c"), st.just("c")))
def test_one_more_foreign_key_never_makes_a_closure_smaller(
    keys: list[ForeignKey], table: int, events: frozenset[str], more: ForeignKey
) -> None:
    before = closure(_catalogue(_tables(), keys), table, events, harmless).tables
    after = closure(_catalogue(_tables(), [*keys, more]), table, events, harmless).tables
    assert table in before
    assert before <= after
