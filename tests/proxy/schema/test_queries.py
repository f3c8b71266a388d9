"""Tests of the queries as PostgreSQL 15 and 18 answer them, to a superuser and to a role that is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from proxy.schema.catalogue import Identity
from proxy.schema.queries import Abilities, built_in_query
from tests.proxy.schema.origin import Origin, relation

pytestmark = pytest.mark.postgres


@pytest.fixture
def plain(origin: Origin) -> Iterator[Origin]:
    """The same database, asked by a role without any right of its own."""
    origin.execute("CREATE ROLE plain LOGIN PASSWORD 'orbit'")
    yield replace(origin, user="plain")
    origin.execute("DROP OWNED BY plain; DROP ROLE plain")


def test_a_superuser_learns_which_server_this_is(origin: Origin) -> None:
    identity = Identity(*origin.identity())  # type: ignore[arg-type]  # cells of a row are objects
    (system,) = origin.execute("SELECT system_identifier FROM pg_control_system()")[0]
    (oid,) = origin.execute("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")[0]
    (started,) = origin.execute("SELECT extract(epoch FROM pg_postmaster_start_time()) * 1000000")[0]
    assert (identity.system_identifier, identity.timeline, identity.in_recovery) == (system, 1, False)
    assert (identity.database, identity.started_us) == (oid, started)
    assert 150000 <= identity.server_version < 200000


def test_a_role_that_may_not_read_the_control_file_learns_the_rest(plain: Origin) -> None:
    everything = plain.identity()
    plain.execute("REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn) FROM PUBLIC")
    assert plain.abilities() == Abilities()
    assert plain.identity() == (None, None, *everything[2:])


def test_a_reload_of_the_configuration_shows_in_the_identity(origin: Origin) -> None:
    before = origin.identity()
    origin.execute("SELECT pg_reload_conf()")
    # The postmaster reads the signal when it likes; what it has read then is asked for again and again.
    after = next(now for _ in range(1000) if (now := origin.identity()) != before)
    assert (*after[:3], *after[4:]) == (*before[:3], *before[4:])


def test_a_role_without_rights_reads_the_same_catalogue(plain: Origin) -> None:
    plain.execute(
        "CREATE TABLE planet (id integer PRIMARY KEY, name text DEFAULT lower('X') CHECK (name <> ''));"
        "CREATE VIEW seen AS SELECT id FROM planet; REVOKE ALL ON planet, seen FROM PUBLIC"
    )
    superuser = replace(plain, user="postgres").catalogue()
    mine = plain.catalogue()
    assert replace(mine, fingerprint="", rights={}) == replace(superuser, fingerprint="", rights={})
    # A stranger to pg_authid sees everything of the roles but their passwords.
    assert set(superuser.rights) - set(mine.rights) == {"pg_authid"}
    assert set(mine.rights) - set(superuser.rights) == {"pg_roles"}


@pytest.mark.parametrize("path", ["public", "stars,public", "pg_catalog", "stars,pg_catalog"])
def test_what_is_printed_names_every_schema_but_pg_catalog(origin: Origin, path: str) -> None:
    origin.execute(
        "CREATE SCHEMA stars; CREATE TABLE stars.sun (id integer);"
        "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';"
        "CREATE TABLE public.planet (id integer DEFAULT f() CHECK (id > f()));"
        "CREATE VIEW public.seen AS SELECT planet.id, lower('A') FROM planet, stars.sun WHERE f() = 1;"
        "CREATE INDEX ON planet ((id + 1), id, abs(id)) WHERE id > 2;"
        "CREATE FUNCTION stars.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1';"
    )
    catalogue = replace(origin, search_path=path).catalogue()
    seen, planet = relation(catalogue, "seen"), relation(catalogue, "planet")
    assert seen.definition is not None
    assert "FROM public.planet" in seen.definition
    assert "stars.sun" in seen.definition
    assert "public.f()" in seen.definition
    assert " lower('A'::text)" in seen.definition
    assert planet.columns[0].default == "public.f()"
    assert sorted(planet.expressions) == ["(id > 2)", "(id > public.f())", "ROW((id + 1), abs(id))"]


def test_the_path_that_is_set_for_printing_is_gone_after_the_statement(origin: Origin) -> None:
    with psycopg.connect(origin.database.url(), autocommit=True) as connection:
        before = connection.execute("SHOW search_path").fetchone()
        connection.execute(built_in_query().encode())
        assert connection.execute("SHOW search_path").fetchone() == before


def test_a_database_with_too_many_relations_answers_null(origin: Origin) -> None:
    relations = len(origin.rows()["relations"]) + len(origin.built_in_rows()["relations"])
    assert origin.answer(limit=relations) is not None
    assert origin.answer(limit=relations - 1) is None
