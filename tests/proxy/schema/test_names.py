"""Tests of name resolution, most of them by asking PostgreSQL the same."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.schema.catalogue import Catalogue
from proxy.schema.names import (
    effective_path,
    functions,
    operators,
    resolve_relation,
    resolve_type,
    split_identifiers,
    usable_path,
)
from tests.proxy.schema.origin import Origin

GROUND = """
CREATE SCHEMA stars; CREATE SCHEMA "Stars"; CREATE SCHEMA postgres; CREATE SCHEMA shut; CREATE SCHEMA "a,b";
CREATE TABLE stars.sun (); CREATE TABLE public.sun (); CREATE TABLE shut.sun ();
CREATE TABLE public.pg_class ();
CREATE FUNCTION public.f(integer) RETURNS text LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.f(text, text DEFAULT 'x', text DEFAULT 'y') RETURNS text LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION stars.f(integer) RETURNS text LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.f(text, VARIADIC integer[]) RETURNS text LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR stars.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE DOMAIN stars.text AS pg_catalog.text;
"""
SETTINGS = (
    "public",
    '"$user", public',
    "$user,public",
    "",
    '""',
    "STARS , public",
    '"Stars",stars',
    "public, pg_catalog, stars",
    "missing, stars",
    '"a,b", "a""b", stars',
    "shut, stars",
    "pg_temp, stars",
    "stars, stars",
    "information_schema",
    f"{'x' * 70}, stars",
)


@pytest.fixture(scope="module")
def ground(shared_origin: Origin) -> Origin:
    shared_origin.execute(GROUND)
    return shared_origin


@pytest.fixture(scope="module")
def catalogue(ground: Origin) -> Catalogue:
    return ground.catalogue()


def _ask(origin: Origin, path: str, question: str, role: str | None = None) -> object:
    with psycopg.connect(origin.database.url()) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (path,))
        if role:
            connection.execute(f"SET ROLE {role}".encode())
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


@pytest.mark.postgres
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_path_is_the_one_that_postgresql_takes(
    ground: Origin, catalogue: Catalogue, setting: str
) -> None:
    mine = usable_path(catalogue, effective_path(setting, "postgres"), "postgres")
    # Nothing of a session's own is in a catalogue.
    permanent = "SELECT ARRAY(SELECT s FROM unnest(current_schemas(true)) s WHERE s !~ '^pg_temp')::text[]"
    assert list(mine) == _ask(ground, setting, permanent)


@pytest.mark.postgres
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_relation_is_the_one_that_postgresql_finds(
    ground: Origin, catalogue: Catalogue, setting: str
) -> None:
    path = usable_path(catalogue, effective_path(setting, "postgres"), "postgres")
    for name in ("sun", "pg_class", "tables"):
        found = resolve_relation(catalogue, None, name, path)
        oid = _ask(ground, setting, f"SELECT to_regclass('{name}')::oid::bigint")
        assert (found.oid if found else None) == oid


@pytest.mark.postgres
def test_a_schema_that_the_role_may_not_use_is_passed_over(ground: Origin) -> None:
    ground.execute("CREATE ROLE guest; CREATE ROLE inner_circle; GRANT USAGE ON SCHEMA stars TO inner_circle")
    ground.execute("CREATE ROLE friend; GRANT inner_circle TO friend")
    ground.execute("CREATE ROLE auditor; GRANT pg_read_all_data TO auditor")
    ground.execute("REVOKE USAGE ON SCHEMA shut FROM PUBLIC")
    catalogue = ground.catalogue()
    try:
        for role in ("guest", "friend", "auditor", "postgres"):
            mine = usable_path(catalogue, effective_path("shut, stars, public", role), role)
            assert list(mine) == _ask(
                ground, "shut, stars, public", "SELECT current_schemas(true)::text[]", role
            )
    finally:
        ground.execute("DROP OWNED BY inner_circle; DROP ROLE guest, friend, auditor, inner_circle")


@pytest.mark.postgres
def test_a_role_that_the_catalogue_does_not_know_uses_what_everybody_may(catalogue: Catalogue) -> None:
    assert usable_path(catalogue, ("pg_catalog", "stars", "public"), "newcomer") == ("pg_catalog", "public")


@pytest.mark.postgres
def test_a_name_with_its_schema_needs_no_path(catalogue: Catalogue) -> None:
    sun = resolve_relation(catalogue, "stars", "sun", ())
    assert sun is not None
    assert (sun.schema, sun.name) == ("stars", "sun")
    assert resolve_relation(catalogue, "stars", "nothing", ("public",)) is None


@pytest.mark.postgres
def test_a_type_is_found_along_the_path(catalogue: Catalogue) -> None:
    first = resolve_type(catalogue, None, "text", ("stars", "pg_catalog"))
    second = resolve_type(catalogue, None, "text", ("pg_catalog", "stars"))
    assert first is not None
    assert second is not None
    assert (first.kind, second.oid) == ("d", 25)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("count", "signatures"),
    [
        (0, set()),
        (1, {"stars(23,)", "public(25, 25, 25)"}),
        (2, {"public(25, 25, 25)", "public(25, 1007)"}),
        (3, {"public(25, 25, 25)", "public(25, 1007)"}),
        (9, {"public(25, 1007)"}),
        # By their names arguments may tell apart what their types do not.
        (None, {"stars(23,)", "public(23,)", "public(25, 25, 25)", "public(25, 1007)"}),
    ],
)
def test_candidates_are_those_that_a_call_may_mean(
    catalogue: Catalogue, count: int | None, signatures: set[str]
) -> None:
    found = functions(catalogue, None, "f", count, ("pg_catalog", "stars", "public"))
    assert {f"{function.schema}{function.arguments}" for function in found} == signatures


@pytest.mark.postgres
def test_an_operator_hides_its_like_in_a_schema_further_on(catalogue: Catalogue) -> None:
    def schemas(path: tuple[str, ...]) -> set[str]:
        found = operators(catalogue, None, "+", path)
        return {operator.schema for operator in found if (operator.left, operator.right) == (23, 23)}

    assert schemas(("stars", "pg_catalog")) == {"stars"}
    assert schemas(("pg_catalog", "stars")) == {"pg_catalog"}
    assert operators(catalogue, "stars", "-", ("pg_catalog",)) == ()


@pytest.mark.postgres
def test_a_schema_that_is_gone_is_passed_over(catalogue: Catalogue) -> None:
    without = {name: schema for name, schema in catalogue.schemas.items() if name != "stars"}
    younger = replace(catalogue, schemas=without)
    assert usable_path(younger, ("stars", "public"), "postgres") == ("public",)


def test_bytes_that_are_no_utf8_are_part_of_a_name() -> None:
    assert split_identifiers("\udcffplanets, b") == ("\udcffplanets", "b")
    assert split_identifiers("\udcff" * 70) == ("\udcff" * 63,)


@pytest.mark.parametrize("text", ["a,", ",a", "a b", '"a', '"a"b', "a,,b", ","])
def test_a_malformed_list_gives_no_path_at_all(text: str) -> None:
    assert split_identifiers(text) is None
    assert effective_path(text, "postgres") == ()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)))
def test_quoted_names_come_back_as_they_were(names: list[str]) -> None:
    names = [name for name in names if len(name.encode()) <= 63]
    quoted = " , ".join('"' + name.replace('"', '""') + '"' for name in names)
    assert split_identifiers(quoted) == tuple(names)


@given(st.text(max_size=80))
def test_any_text_is_a_list_or_none(text: str) -> None:
    names = split_identifiers(text.encode(errors="ignore").decode())
    assert names is None or all(len(name.encode()) <= 63 for name in names)
