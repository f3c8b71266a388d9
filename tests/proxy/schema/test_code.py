"""The code that a write runs: each place where a user's function may hide, told by PostgreSQL itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.schema.catalogue import Catalogue
from proxy.schema.code import unproven_code
from tests.proxy.schema.origin import Origin, relation

pytestmark = pytest.mark.postgres

GROUND = """
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION compare(smallint, smallint) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 0';
CREATE OPERATOR CLASS strange FOR TYPE smallint USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 compare(smallint, smallint);
CREATE DOMAIN checked AS integer CHECK (g(VALUE) > 0);
CREATE DOMAIN defaulted AS integer DEFAULT f();
CREATE DOMAIN plain AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (one integer, other checked);
CREATE TYPE mood AS ENUM ('sad');
CREATE TYPE stretch AS RANGE (SUBTYPE = smallint, SUBTYPE_OPCLASS = strange);
CREATE TYPE hours AS RANGE (SUBTYPE = time);
"""

# What is made as the relation t, and the word for a write that stores rows; the SQL may follow with more.
PLACES = (
    ("TABLE t (id serial PRIMARY KEY, at timestamptz DEFAULT now())", ""),
    ("TABLE t (id integer DEFAULT f())", "function"),
    ("TABLE t (id integer, twice integer GENERATED ALWAYS AS (g(id)) STORED)", "function"),
    ("TABLE t (id integer CHECK (g(id) > 0))", "function"),
    ("TABLE t (id integer) PARTITION BY RANGE (g(id))", "function"),
    ("TABLE t (id integer); CREATE INDEX ON t (g(id))", "function"),
    ("TABLE t (id integer); CREATE INDEX ON t (id) WHERE g(id) > 0", "function"),
    ("TABLE t (id smallint); CREATE INDEX ON t (id strange)", "index"),
    ("TABLE t (id smallint) PARTITION BY RANGE (id strange)", "index"),
    ("TABLE t (id smallint)", ""),
    ("TABLE t (id smallint[])", "index"),
    ("TABLE t (id text[], numbers bigint[])", ""),
    ("TABLE t (id checked)", "domain"),
    ("TABLE t (id defaulted)", "domain"),
    ("TABLE t (id plain, feeling mood, open hours)", ""),
    ("TABLE t (id checked[])", "domain"),
    ("TABLE t (id pair)", "domain"),
    ("TABLE t (id pair[])", "domain"),
    ("TABLE t (id stretch)", "index"),
    ("TABLE t (); CREATE POLICY p ON t USING (f() = 1); ALTER TABLE t ENABLE ROW LEVEL SECURITY", "policy"),
    ("TABLE t (); CREATE POLICY p ON t USING (f() = 1)", ""),
    ("VIEW t AS SELECT id FROM (VALUES (1)) AS v(id) WHERE id > f()", "view"),
    ("VIEW t AS SELECT id FROM (VALUES (1)) AS v(id)", ""),
)  # fmt: skip


@pytest.fixture(scope="module")
def ground(shared_origin: Origin) -> Origin:
    shared_origin.execute(GROUND)
    return shared_origin


def without_functions_of_ours(text: str) -> bool:
    return "public.f(" not in text and "public.g(" not in text


def _word(catalogue: Catalogue, *, stores: bool, trusted: frozenset[str] = frozenset()) -> str:
    return unproven_code(catalogue, relation(catalogue, "t"), stores, without_functions_of_ours, trusted)


@pytest.mark.parametrize(("made", "word"), PLACES)
def test_a_place_where_code_hides_is_found(ground: Origin, made: str, word: str) -> None:
    ground.execute(f"CREATE {made}")
    catalogue = ground.catalogue()
    ground.execute(f"DROP {made.split(maxsplit=1)[0]} t")
    assert _word(catalogue, stores=True) == word
    removing = word if word in {"index", "policy", "view"} else ""
    assert _word(catalogue, stores=False) == removing


def test_a_type_of_an_extension_is_proven_only_by_trust_in_it(ground: Origin) -> None:
    # An extension that any PostgreSQL has takes in a base type, as citext would bring one.
    ground.execute(
        "CREATE TYPE word;"
        "CREATE FUNCTION word_in(cstring) RETURNS word IMMUTABLE LANGUAGE internal AS 'textin';"
        "CREATE FUNCTION word_out(word) RETURNS cstring IMMUTABLE LANGUAGE internal AS 'textout';"
        "CREATE TYPE word (INPUT = word_in, OUTPUT = word_out, LIKE = text);"
        "CREATE TABLE t (id word[])"
    )
    assert _word(ground.catalogue(), stores=True) == "type"
    ground.execute("ALTER EXTENSION plpgsql ADD TYPE word")
    catalogue = ground.catalogue()
    ground.execute("ALTER EXTENSION plpgsql DROP TYPE word; DROP TABLE t; DROP TYPE word CASCADE")
    assert _word(catalogue, stores=True) == "type"
    assert _word(catalogue, stores=True, trusted=frozenset({"plpgsql"})) == ""


def test_a_type_younger_than_the_catalogue_is_not_proven(ground: Origin) -> None:
    ground.execute("CREATE TABLE t (id mood)")
    catalogue = ground.catalogue()
    ground.execute("DROP TABLE t")
    assert _word(replace(catalogue, types={}), stores=True) == "type"
