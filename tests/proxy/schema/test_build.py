"""Tests of the whole picture: what stands beside the named objects in a catalogue."""

from __future__ import annotations

import pytest

from proxy.schema.build import build
from proxy.schema.catalogue import ForeignKey
from proxy.schema.objects import build_objects
from tests.postgres import Cluster, Database
from tests.proxy.schema.origin import Origin, relation

pytestmark = pytest.mark.postgres


def test_a_catalogue_says_where_it_comes_from(origin: Origin) -> None:
    catalogue = origin.catalogue()
    assert catalogue.databases[origin.database.name] == catalogue.database
    assert catalogue.fingerprint == origin.fingerprint()
    assert set(catalogue.rights) >= {"pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_database"}
    assert catalogue.server_version == origin.identity()[5]


def test_users_objects_stand_beside_those_of_initdb(origin: Origin) -> None:
    origin.execute(
        "CREATE FUNCTION public.lower(integer) RETURNS text LANGUAGE sql AS 'SELECT $1::text';"
        "CREATE OPERATOR public.+ (LEFTARG = text, RIGHTARG = text, FUNCTION = textcat)"
    )
    catalogue = origin.catalogue()
    assert {catalogue.functions[oid].schema for oid in catalogue.function_names["lower"]} == {
        "pg_catalog",
        "public",
    }
    assert {at.schema for at in catalogue.operators["+"]} == {"pg_catalog", "public"}
    assert catalogue.relations[catalogue.relation_names["pg_catalog", "pg_class"]].kind == "r"
    assert ("information_schema", "tables") in catalogue.relation_names


def test_the_half_of_initdb_bears_any_number_of_catalogues(origin: Origin) -> None:
    built_in = build_objects(origin.built_in_rows())
    before = build(origin.rows(), built_in)
    origin.execute("CREATE FUNCTION lower(integer) RETURNS text LANGUAGE sql AS 'SELECT $1::text'")
    after = build(origin.rows(), built_in)
    assert len(after.function_names["lower"]) == len(before.function_names["lower"]) + 1
    assert built_in.function_names["lower"] == before.function_names["lower"]


def test_foreign_keys_stand_under_their_target(origin: Origin) -> None:
    origin.execute(
        "CREATE TABLE planet (x integer, y integer, PRIMARY KEY (y, x));"
        "CREATE TABLE moon (a integer, b integer, FOREIGN KEY (b, a) REFERENCES planet ON DELETE SET NULL)"
    )
    catalogue = origin.catalogue()
    planet, moon = relation(catalogue, "planet").oid, relation(catalogue, "moon").oid
    assert catalogue.foreign_keys_to == {planet: (ForeignKey(moon, planet, "n", "a", (2, 1), (2, 1)),)}


def test_triggers_are_told_with_their_events(origin: Origin) -> None:
    origin.execute(
        "CREATE TABLE planet (id integer PRIMARY KEY REFERENCES planet); CREATE FUNCTION f() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN END'; CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON planet"
        " FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION f();"
        "CREATE TRIGGER b BEFORE TRUNCATE ON planet EXECUTE FUNCTION f();"
        "ALTER TABLE planet DISABLE TRIGGER b"
    )
    catalogue = origin.catalogue()
    found = {trigger.name: trigger for trigger in catalogue.triggers[relation(catalogue, "planet").oid]}
    # Those of the foreign key are internal.
    assert set(found) == {"a", "b"}
    assert (found["a"].events, found["a"].row, found["a"].conditional, found["a"].enabled) == (
        frozenset({"insert", "update", "delete"}),
        True,
        True,
        "O",
    )
    assert (found["b"].events, found["b"].row, found["b"].enabled) == (frozenset({"truncate"}), False, "D")


def test_a_role_inherits_what_its_groups_inherit(origin: Origin) -> None:
    origin.execute(
        "CREATE ROLE low LOGIN; CREATE ROLE middle; CREATE ROLE top; CREATE ROLE stranger NOINHERIT;"
        "GRANT top TO middle; GRANT middle TO low; GRANT top TO stranger"
    )
    roles = origin.catalogue().roles
    origin.execute("DROP ROLE low; DROP ROLE middle; DROP ROLE top; DROP ROLE stranger")
    low, middle, top, stranger = (roles[name] for name in ("low", "middle", "top", "stranger"))
    assert low.inherits == {low.oid, middle.oid, top.oid}
    assert stranger.inherits == {stranger.oid}
    assert (low.can_login, top.can_login) == (True, False)
    assert (low.superuser, roles["postgres"].superuser) == (False, True)
    # The owner of the database is a member of this one without being granted it.
    assert roles["pg_database_owner"].oid in roles["postgres"].inherits


def test_settings_of_roles_and_databases_are_told(origin: Origin) -> None:
    origin.execute(f"ALTER DATABASE {origin.database.name} SET work_mem = '1MB'")
    origin.execute("ALTER ROLE postgres SET search_path = stars, public")
    catalogue = origin.catalogue()
    origin.execute("ALTER ROLE postgres RESET ALL")
    assert catalogue.role_settings[catalogue.database, 0] == ("work_mem=1MB",)
    assert catalogue.role_settings[0, 10] == ("search_path=stars, public",)


def test_the_surroundings_are_told(origin: Origin) -> None:
    bare = origin.catalogue()
    origin.execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w")
    assert bare.extensions == {"plpgsql"}
    assert not bare.foreign_servers
    assert origin.catalogue().foreign_servers
    assert bare.trusted_languages == {"sql", "plpgsql"}
    assert bare.schemas["pg_catalog"].oid == 11


def test_a_language_that_is_not_confined_is_told(origin: Origin) -> None:
    assert not origin.catalogue().untrusted_languages
    origin.execute("CREATE LANGUAGE wild HANDLER plpgsql_call_handler")
    assert origin.catalogue().untrusted_languages


@pytest.mark.parametrize(
    "right",
    [
        "EXECUTE ON FUNCTION pg_current_xact_id_if_assigned()",
        "EXECUTE ON FUNCTION pg_cursor()",
        "SELECT ON pg_cursors",
        "USAGE ON SCHEMA pg_catalog",
    ],
)
def test_a_right_that_everybody_needs_to_ask_for_transaction_ids_is_missed(
    origin: Origin, right: str
) -> None:
    before = origin.catalogue()
    assert before.id_is_public
    origin.execute(f"REVOKE {right} FROM PUBLIC")
    after = origin.catalogue()
    assert not after.id_is_public
    assert after.fingerprint != before.fingerprint


@pytest.mark.tls
def test_a_nondeterministic_collation_is_told(tls_cluster: Cluster) -> None:
    # The embedded PostgreSQL is built without ICU.
    database = Database(tls_cluster, "collations")
    database.create()
    database.execute("CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und', DETERMINISTIC = false)")
    ((oid,),) = database.execute("SELECT oid::bigint FROM pg_collation WHERE collname = 'loose'")
    found = Origin(database).catalogue().nondeterministic_collations
    database.drop()
    assert found == {oid}


def test_an_order_that_a_user_made_for_a_type_is_told(origin: Origin) -> None:
    origin.execute(
        "CREATE TYPE mood AS ENUM ('calm');"
        "CREATE FUNCTION compare(mood, mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';"
        "CREATE OPERATOR CLASS own DEFAULT FOR TYPE mood USING btree AS FUNCTION 1 compare(mood, mood)"
    )
    catalogue = origin.catalogue()
    assert catalogue.orderings == {catalogue.type_names["public", "mood"]: frozenset({""})}
