"""What a hostile reader of the rules would try: each of these has been, or could be, a wrong answer."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, remember

pytestmark = pytest.mark.postgres

EARTH = "INSERT INTO planets VALUES (4, 'Earth')"
# The same question in two schemas.
TWO_SKIES = """
CREATE SCHEMA near; CREATE TABLE near.moons AS SELECT 'Luna' AS name;
CREATE SCHEMA far; CREATE TABLE far.moons AS SELECT 'Charon' AS name
"""
MOONS = "SELECT name FROM moons"


def test_a_write_before_begin_in_one_string_belongs_to_the_transaction(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as writer, place.connect() as reader:
        ask(writer, f"{EARTH}; BEGIN")
        remember(reader)
        assert len(ask(writer, NAMES)) == 4
        ask(writer, "COMMIT")
        assert len(ask(reader, NAMES)) == 4


@pytest.mark.parametrize("ending", ["BEGIN; ROLLBACK", "ROLLBACK"])
def test_a_setting_before_a_rollback_in_one_string_is_undone(place: Place, ending: str) -> None:
    place.direct(TWO_SKIES)
    with place.connect() as far, place.connect() as near:
        ask(far, "SET search_path = far")
        remember(far, MOONS)
        ask(near, "SET search_path = near")
        ask(near, f"SET search_path = far; {ending}")
        assert ask(near, MOONS) == [("Luna",)]


def test_a_local_setting_before_begin_in_one_string_holds_in_the_transaction(place: Place) -> None:
    place.direct(TWO_SKIES)
    with place.connect() as far, place.connect() as near:
        ask(near, "SET search_path = near")
        remember(near, MOONS)
        ask(far, "SET search_path = near")
        ask(far, "SET LOCAL search_path = far; BEGIN")
        assert ask(far, MOONS) == [("Charon",)]


@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "client_encoding = latin1"])
def test_a_text_that_only_the_origin_can_read_may_commit(place: Place, setting: str) -> None:
    place.direct(PLANETS)
    with place.connect() as writer, place.connect() as reader:
        ask(writer, f"SET {setting}")
        ask(writer, "BEGIN")
        ask(writer, EARTH)
        remember(reader)
        ask(writer, "COMMIT; SELECT '\\é'")
        assert len(ask(reader, NAMES)) == 4


@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "client_encoding = latin1"])
def test_a_text_that_only_the_origin_can_read_may_begin_and_write(place: Place, setting: str) -> None:
    place.direct(PLANETS)
    with place.connect() as writer, place.connect() as reader:
        ask(writer, f"SET {setting}")
        ask(writer, f"BEGIN; {EARTH}; SELECT '\\é'")
        remember(reader)
        ask(writer, "COMMIT")
        assert len(ask(reader, NAMES)) == 4


def test_a_second_begin_may_still_name_the_isolation(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        ask(connection, "BEGIN")
        ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert len(ask(connection, "SELECT id FROM planets")) == 3
        ask(other, EARTH)
        remember(other)
        assert len(ask(connection, NAMES)) == 3


def test_a_table_made_where_the_path_begins_with_pg_temp_is_temporary(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        remember(other)
        ask(connection, "SET search_path = pg_temp, public")
        ask(connection, "CREATE TABLE planets (id int, name text)")
        ask(connection, "RESET search_path")
        remember(other)
        assert ask(connection, NAMES) == []


def _lose_the_connection(place: Place) -> None:
    place.direct(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query = 'SELECT 17'"
    )


def test_whoever_listens_is_told_that_its_connection_was_lost(place: Place) -> None:
    with place.connect() as connection:
        ask(connection, "LISTEN comets")
        ask(connection, "SELECT 17")
        _lose_the_connection(place)
        with pytest.raises(psycopg.OperationalError):
            ask(connection, "SELECT 1")


def test_settings_made_by_a_function_do_not_vanish_with_the_connection(place: Place) -> None:
    place.direct(
        "CREATE FUNCTION tenant() RETURNS text LANGUAGE sql"
        " AS $$ SELECT set_config('app.tenant', 'x', false) $$"
    )
    with place.connect() as connection:
        ask(connection, "SELECT tenant()")
        ask(connection, "SELECT 17")
        _lose_the_connection(place)
        with pytest.raises(psycopg.OperationalError):
            ask(connection, "SELECT 1")


def test_a_prepared_statement_whose_result_changed_is_refused_as_postgresql_does(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        for client in (connection, other):
            client.pgconn.prepare(b"s", b"SELECT * FROM planets")
            client.pgconn.exec_prepared(b"s", [])
        ask(other, "ALTER TABLE planets ADD COLUMN rings bool")
        other.pgconn.exec_(b"DEALLOCATE s")
        other.pgconn.prepare(b"s", b"SELECT * FROM planets")
        assert [other.pgconn.exec_prepared(b"s", []).nfields for _ in range(3)] == [3, 3, 3]
        assert last(other) == ("hit", None)
        refused = connection.pgconn.exec_prepared(b"s", [])
        assert refused.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"0A000"


def test_a_session_does_not_move_into_another_database_of_the_same_name(place: Place) -> None:
    name = place.origin.name
    with place.connect() as first:
        ask(first, "SELECT 1")
        stranger = place.connect()  # needs no connection to the origin yet
    with psycopg.connect(place.proxy.url("postgres"), autocommit=True) as elsewhere:
        elsewhere.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        elsewhere.execute(f'CREATE DATABASE "{name}"'.encode())
    place.direct(PLANETS)
    with place.connect() as reader:
        remember(reader)
        try:
            ask(stranger, EARTH)
        except psycopg.OperationalError:
            assert len(ask(reader, NAMES)) == 3
        else:
            assert len(ask(reader, NAMES)) == 4
    stranger.close()


def test_a_do_block_may_change_what_later_writes_reach(place: Place) -> None:
    place.direct(f"{PLANETS}; CREATE TABLE log (id int)")
    place.direct(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$"
    )
    trigger = "CREATE TRIGGER noted AFTER INSERT ON planets FOR EACH ROW EXECUTE FUNCTION note()"
    with place.connect() as writer, place.connect() as reader:
        remember(reader, "SELECT id FROM log")
        ask(writer, f"DO $$ BEGIN EXECUTE '{trigger}'; END $$")
        ask(reader, "SELECT id FROM log")
        ask(reader, "SELECT id FROM log")
        ask(writer, EARTH)
        assert ask(reader, "SELECT id FROM log") == [(4,)]
