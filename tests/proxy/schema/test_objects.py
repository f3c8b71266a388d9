"""Tests of the objects with names, as PostgreSQL tells of them."""

from __future__ import annotations

import pytest

from proxy.schema.catalogue import FIRST_USER_OID, Cast, Operator
from proxy.schema.objects import build_objects, tuples
from tests.proxy.schema.origin import Origin, relation

pytestmark = pytest.mark.postgres


def test_values_are_gathered_by_key_in_their_order() -> None:
    assert tuples([("a", 2), ("b", 1), ("a", 1)]) == {"a": (2, 1), "b": (1,)}


def test_what_initdb_made_is_told_once(origin: Origin) -> None:
    objects = build_objects(origin.built_in_rows())
    every = [*objects.relations, *objects.functions, *objects.types]
    assert max(every) < FIRST_USER_OID
    assert {objects.functions[oid].result for oid in objects.function_names["lower"]} >= {25}
    assert objects.casts[23, 20] == Cast(23, 20, 481, "i", "f")
    (plus,) = [at for at in objects.operators["+"] if (at.left, at.right) == (23, 23)]
    assert plus == Operator(551, "pg_catalog", "+", 23, 23, 23, 177)
    assert objects.types[objects.types[23].oid].name == "int4"


def test_a_table_is_told_with_its_columns_in_order(origin: Origin) -> None:
    origin.execute(
        "CREATE TABLE planet (id integer GENERATED ALWAYS AS IDENTITY, gone text,"
        " name varchar(9) NOT NULL,"
        " mass numeric DEFAULT 1, twice numeric GENERATED ALWAYS AS (mass * 2) STORED)"
        " WITH (fillfactor = 90);"
        "ALTER TABLE planet DROP COLUMN gone"
    )
    planet = relation(origin.catalogue(), "planet")
    assert [(column.number, column.name, column.type_oid) for column in planet.columns] == [
        (1, "id", 23),
        (3, "name", 1043),
        (4, "mass", 1700),
        (5, "twice", 1700),
    ]
    identity, name, mass, twice = planet.columns
    assert (identity.identity, identity.not_null, identity.default) == (True, True, None)
    assert (name.typmod, name.not_null, mass.default) == (13, True, "1")
    assert (twice.generated, twice.default) == (True, "(mass * (2)::numeric)")
    assert (planet.kind, planet.persistence, planet.options) == ("r", "p", ("fillfactor=90",))


def test_a_function_is_told_with_what_a_call_needs(origin: Origin) -> None:
    origin.execute(
        "CREATE FUNCTION f(integer, VARIADIC text[] DEFAULT '{}') RETURNS SETOF integer STABLE"
        " LANGUAGE sql AS 'SELECT 1'; ALTER EXTENSION plpgsql ADD FUNCTION f"
    )
    catalogue = origin.catalogue()
    (function,) = [catalogue.functions[oid] for oid in catalogue.function_names["f"]]
    assert (function.schema, function.arguments, function.result) == ("public", (23, 1009), 23)
    assert (function.volatility, function.kind, function.language) == ("s", "f", "sql")
    assert (function.set_returning, function.variadic, function.defaults) == (True, 25, 1)
    assert function.extension == "plpgsql"


def test_types_are_told_with_what_they_are_made_of(origin: Origin) -> None:
    origin.execute(
        "CREATE DOMAIN d AS integer DEFAULT 2 CHECK (VALUE > 0);"
        "CREATE TYPE hours AS RANGE (SUBTYPE = time); CREATE TYPE pair AS (one integer)"
    )
    catalogue = origin.catalogue()
    domain, hours, many, pair, array = (
        catalogue.types[catalogue.type_names["public", name]]
        for name in ("d", "hours", "hours_multirange", "pair", "_pair")
    )
    assert (domain.kind, domain.base, domain.checks, domain.default) == ("d", 23, ("(VALUE > 0)",), "2")
    assert [(kind.kind, kind.subtype) for kind in (hours, many)] == [("r", 1083), ("m", 1083)]
    assert catalogue.relations[pair.relation].columns[0].name == "one"
    assert (array.category, array.element) == ("A", pair.oid)


def test_inheritance_is_told_both_ways_and_a_view_with_what_it_mentions(origin: Origin) -> None:
    origin.execute(
        "CREATE TABLE body (id integer); CREATE TABLE rock () INHERITS (body);"
        "CREATE VIEW seen WITH (security_barrier) AS SELECT id FROM rock;"
        "CREATE MATERIALIZED VIEW kept AS SELECT id FROM rock"
    )
    catalogue = origin.catalogue()
    body, rock, seen, kept = (relation(catalogue, name) for name in ("body", "rock", "seen", "kept"))
    assert (body.children, rock.parents, seen.uses, kept.uses) == ((rock.oid,), (body.oid,), (rock.oid,), ())
    assert seen.options == ("security_barrier=true",)
    assert seen.definition is not None
    assert seen.definition.endswith("FROM public.rock")


def test_temporary_relations_are_left_out(origin: Origin) -> None:
    with_temporary = origin.database.execute(
        "CREATE TABLE body (id integer); CREATE TEMP TABLE mine () INHERITS (body); SELECT 1"
    )
    catalogue = origin.catalogue()
    assert with_temporary == [(1,)]
    assert relation(catalogue, "body").children == ()
    assert not [at for at in catalogue.relations.values() if at.name == "mine"]
