"""What a hostile reader of the rules would try: each of these has been, or could be, a wrong answer."""

from __future__ import annotations

import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, last, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient
from tests.matrix import one_memory

pytestmark = pytest.mark.postgres

EARTH = "INSERT INTO planets VALUES (4, 'Earth')"
# The same question in two schemas.
TWO_SKIES = """
CREATE SCHEMA near; CREATE TABLE near.moons AS SELECT 'Luna' AS name;
CREATE SCHEMA far; CREATE TABLE far.moons AS SELECT 'Charon' AS name
"""
MOONS = "SELECT name FROM moons"


@pytest.mark.soundness("4.3")
def test_a_write_before_begin_in_one_string_belongs_to_the_transaction(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as writer, place.connect() as reader:
        ask(writer, f"{EARTH}; BEGIN")
        remember(reader)
        assert len(ask(writer, NAMES)) == 4
        ask(writer, "COMMIT")
        assert len(ask(reader, NAMES)) == 4


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize("ending", ["BEGIN; ROLLBACK", "ROLLBACK"])
def test_a_setting_before_a_rollback_in_one_string_is_undone(place: Place, ending: str) -> None:
    place.direct(TWO_SKIES)
    with place.connect() as far, place.connect() as near:
        ask(far, "SET search_path = far")
        remember(far, MOONS)
        ask(near, "SET search_path = near")
        ask(near, f"SET search_path = far; {ending}")
        assert ask(near, MOONS) == [("Luna",)]


@pytest.mark.soundness("3.3")
def test_a_local_setting_before_begin_in_one_string_holds_in_the_transaction(place: Place) -> None:
    place.direct(TWO_SKIES)
    with place.connect() as far, place.connect() as near:
        ask(near, "SET search_path = near")
        remember(near, MOONS)
        ask(far, "SET search_path = near")
        ask(far, "SET LOCAL search_path = far; BEGIN")
        assert ask(far, MOONS) == [("Charon",)]


@pytest.mark.soundness("3.2")
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


@pytest.mark.soundness("3.2")
@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "client_encoding = latin1"])
def test_a_text_that_only_the_origin_can_read_may_begin_and_write(place: Place, setting: str) -> None:
    place.direct(PLANETS)
    with place.connect() as writer, place.connect() as reader:
        ask(writer, f"SET {setting}")
        ask(writer, f"BEGIN; {EARTH}; SELECT '\\é'")
        remember(reader)
        ask(writer, "COMMIT")
        assert len(ask(reader, NAMES)) == 4


@pytest.mark.soundness("4.1")
def test_a_second_begin_may_still_name_the_isolation(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        ask(connection, "BEGIN")
        ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert len(ask(connection, "SELECT id FROM planets")) == 3
        ask(other, EARTH)
        remember(other)
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.soundness("2.2")
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


@pytest.mark.soundness("3.3")
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


@pytest.mark.soundness("3.6")
def test_a_prepared_statement_whose_result_changed_is_refused_as_postgresql_does(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        for client in (connection, other):
            client.pgconn.prepare(b"s", b"SELECT * FROM planets")
            client.pgconn.exec_prepared(b"s", [])
        ask(other, "ALTER TABLE planets ADD COLUMN rings bool")
        other.pgconn.exec_(b"DEALLOCATE s")
        other.pgconn.prepare(b"s", b"SELECT * FROM planets")
        assert other.pgconn.exec_prepared(b"s", []).nfields == 3
        until(
            lambda: other.pgconn.exec_prepared(b"s", []).nfields == 3 and last(other) == ("hit", None),
            "it is remembered with its new column",
        )
        refused = connection.pgconn.exec_prepared(b"s", [])
        assert refused.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"0A000"


@pytest.mark.soundness("3.1")
@pytest.mark.soundness("3.6")
@pytest.mark.parametrize(
    ("query", "columns", "refused"),
    [
        ("SELECT name FROM planets", "rings bool", False),
        ("SELECT count(*) FROM planets", "rings bool", False),
        ("SELECT * FROM planets", "rings bool", True),
        ("SELECT (SELECT size FROM planets LIMIT 1) FROM stars", "size text", True),
    ],
)
@pytest.mark.parametrize("at_origin", [True, False], ids=["known at the origin", "known here"])
@one_memory
def test_a_new_column_refuses_a_prepared_statement_only_where_postgresql_does(
    place: Place, query: str, columns: str, refused: bool, at_origin: bool
) -> None:
    place.direct(f"{PLANETS}; CREATE TABLE stars (size int); INSERT INTO stars VALUES (1)")
    with place.connect() as connection, place.connect() as other:
        for client in (other, other, connection):
            _prepare_and_run(client, b"s", query.encode())
            client.pgconn.exec_(b"DEALLOCATE s") if client is other else None
        assert last(connection) == ("hit", None)
        if at_origin:
            ask(connection, "SET application_name = 'known'")
        ask(other, f"ALTER TABLE planets ADD COLUMN {columns}")
        told = connection.pgconn.exec_prepared(b"s", [])
        assert (told.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"0A000") is refused
        if not refused:
            assert [connection.pgconn.exec_prepared(b"s", []).ntuples for _ in range(2)] == [told.ntuples] * 2


@pytest.mark.soundness("3.6")
@pytest.mark.parametrize(
    "value", ["'(1,2)'::pair", "NULL::pair", "coalesce(NULL, 'a'::mood)", "ARRAY['a'::mood]"]
)
def test_a_type_that_was_made_again_is_not_the_one_that_was_described(place: Place, value: str) -> None:
    place.direct(f"{PLANETS}; CREATE TYPE pair AS (a int, b int); CREATE TYPE mood AS ENUM ('a')")
    query = f"SELECT {value} FROM planets".encode()
    with place.connect() as connection, place.connect() as other:
        connection.pgconn.prepare(b"s", query)
        for _ in range(2):
            connection.pgconn.exec_prepared(b"s", [])
        assert last(connection) == ("hit", None)
        ask(other, "DROP TYPE pair; DROP TYPE mood")
        ask(other, "CREATE TYPE pair AS (a text, b text); CREATE TYPE mood AS ENUM ('a')")
        other.pgconn.prepare(b"s", query)
        for _ in range(2):
            other.pgconn.exec_prepared(b"s", [])
        refused = connection.pgconn.exec_prepared(b"s", [])
        assert refused.status == psycopg.pq.ExecStatus.FATAL_ERROR


@pytest.mark.soundness("3.1")
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


@pytest.mark.soundness("2.2")
@pytest.mark.parametrize(
    "made",
    [
        "CREATE TEMP VIEW planets AS SELECT 1 AS id, 'Vulcan' AS name",
        "CREATE VIEW pg_temp.planets AS SELECT 1 AS id, 'Vulcan' AS name",
    ],
)
def test_a_temporary_view_hides_the_table_of_its_name(place: Place, made: str) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        ask(connection, made)
        remember(other)
        assert ask(connection, NAMES) == [("Vulcan",)]


@pytest.mark.soundness("2.2")
def test_a_temporary_domain_hides_the_type_of_its_name(place: Place) -> None:
    place.direct(PLANETS)
    query = "SELECT name::text FROM planets ORDER BY id"
    with place.connect() as connection, place.connect() as other:
        ask(connection, "CREATE DOMAIN pg_temp.text AS varchar(2)")
        remember(other, query)
        assert ask(connection, query)[0] == ("Me",)


@pytest.mark.soundness("3.5")
def test_literals_keep_the_meaning_of_their_parse_behind_a_pipelined_set(place: Place) -> None:
    place.direct(
        "CREATE TABLE eclipses (at timestamptz); INSERT INTO eclipses VALUES ('2020-01-01 00:00+00')"
    )
    query = b"SELECT count(*) FROM eclipses WHERE at >= '2020-01-01 00:00'"
    with place.connect(options="-c timezone=UTC") as connection:
        for name in (b"first", b"second", b"third"):
            _prepare_and_run(connection, name, query)
        assert last(connection) == ("hit", None)
        _pipeline(connection, b"SELECT pg_sleep(0.1)", b"SET timezone = 'America/New_York'")
        assert connection.pgconn.exec_prepared(b"third", []).get_value(0, 0) == b"1"


ECLIPSES = """
CREATE TABLE eclipses (id int, at timestamptz);
INSERT INTO eclipses VALUES (1, '2020-01-01 00:00+00'), (2, '2019-12-31 15:00+00')
"""
FIRST_ECLIPSE = b"SELECT id FROM eclipses WHERE at = '2020-01-01 00:00'"


@pytest.mark.soundness("3.5")
@pytest.mark.parametrize("by_sql", [False, True], ids=["by Bind", "by EXECUTE"])
def test_literals_that_postgresql_has_read_anew_under_other_settings_fill_no_memory(
    place: Place, by_sql: bool
) -> None:
    place.direct(ECLIPSES)
    with place.connect(options="-c timezone=UTC") as wanderer, place.connect() as other:
        wanderer.pgconn.prepare(b"s", FIRST_ECLIPSE)
        wanderer.pgconn.exec_prepared(b"s", [])
        ask(wanderer, "SET timezone = 'Asia/Tokyo'")
        # PostgreSQL plans anew, and reads the literal under the settings of this moment.
        ask(other, "ALTER TABLE eclipses ALTER COLUMN id SET STATISTICS 10")
        ask(wanderer, "EXECUTE s") if by_sql else wanderer.pgconn.exec_prepared(b"s", [])
        ask(wanderer, "SET timezone = 'UTC'")
        wanderer.pgconn.exec_prepared(b"s", [])
    with place.connect(options="-c timezone=UTC") as reader:
        assert _run_prepared(reader, FIRST_ECLIPSE) == b"1"


@pytest.mark.soundness("3.5")
def test_a_parse_behind_a_set_in_one_batch_has_the_settings_of_that_set(place: Place) -> None:
    place.direct(ECLIPSES)
    with place.connect(options="-c timezone=UTC") as wanderer:
        server = wanderer.pgconn
        server.enter_pipeline_mode()
        server.send_query_params(b"SET timezone = 'Asia/Tokyo'", [])
        server.send_prepare(b"s", FIRST_ECLIPSE)
        server.pipeline_sync()
        _await_syncs(wanderer, 1)
        server.exit_pipeline_mode()
        ask(wanderer, "SET timezone = 'UTC'")
        server.exec_prepared(b"s", [])
    with place.connect(options="-c timezone=UTC") as reader:
        assert _run_prepared(reader, FIRST_ECLIPSE) == b"1"


@pytest.mark.soundness("3.5")
def test_a_statement_without_literals_comes_back_to_memory_from_other_settings(place: Place) -> None:
    place.direct(PLANETS)
    query = b"SELECT name FROM planets WHERE id = $1"
    with place.connect() as connection:
        connection.pgconn.prepare(b"s", query)
        ask(connection, "SET timezone = 'Asia/Tokyo'")
        connection.pgconn.exec_prepared(b"s", [b"1"])
        ask(connection, "RESET timezone")
        for _ in range(2):
            assert connection.pgconn.exec_prepared(b"s", [b"1"]).get_value(0, 0) == b"Mercury"
        assert last(connection) == ("hit", None)


def _run_prepared(connection: Connection, query: bytes) -> bytes | None:
    connection.pgconn.prepare(b"s", query)
    return connection.pgconn.exec_prepared(b"s", []).get_value(0, 0)


def test_a_statement_that_cannot_be_prepared_late_takes_no_other_with_it(place: Place) -> None:
    place.direct(f"{PLANETS}; CREATE TABLE comets (name text)")
    with place.connect() as connection, place.connect() as other:
        for client in (other, connection):
            for number in (b"1", b"2"):
                _prepare_and_run(client, b"comets" + number, b"SELECT name FROM comets")
                _prepare_and_run(client, b"planets" + number, NAMES.encode())
        assert last(connection) == ("hit", None)
        ask(other, "DROP TABLE comets")
        ask(connection, "SET application_name = 'late'")
        assert connection.pgconn.exec_prepared(b"planets2", []).ntuples == 3


@pytest.mark.soundness("3.5")
@pytest.mark.parametrize(
    "way", ["SET timezone = 'Asia/Tokyo'", "SELECT set_config('timezone', 'Asia/Tokyo', false)"]
)
def test_a_statement_that_only_the_memory_ran_is_there_behind_a_change_of_settings(
    place: Place, way: str
) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        for name in (b"first", b"second", b"third"):
            _prepare_and_run(connection, name, NAMES.encode())
        assert last(connection) == ("hit", None)
        ask(connection, way)
        assert connection.pgconn.exec_prepared(b"third", []).ntuples == 3


def _prepare_and_run(connection: Connection, name: bytes, query: bytes) -> None:
    """Parse, Bind, Describe, Execute in one batch, as some drivers do: the origin need not hear of it."""
    server = connection.pgconn
    server.enter_pipeline_mode()
    server.send_prepare(name, query)
    server.send_query_prepared(name, [])
    server.pipeline_sync()
    _await_syncs(connection, 1)
    server.exit_pipeline_mode()


def _pipeline(connection: Connection, *queries: bytes) -> None:
    """Each with a Sync of its own, none waiting for the one before."""
    server = connection.pgconn
    server.enter_pipeline_mode()
    for query in queries:
        server.send_query_params(query, [])
        server.pipeline_sync()
        server.flush()
    _await_syncs(connection, len(queries))
    server.exit_pipeline_mode()


def _await_syncs(connection: Connection, number: int) -> None:
    while number:
        result = connection.pgconn.get_result()
        number -= result is not None and result.status == psycopg.pq.ExecStatus.PIPELINE_SYNC


@pytest.mark.soundness("5.2")
@pytest.mark.parametrize("way", ["protocol", "sql"])
def test_a_function_may_prepare_another_statement_under_a_known_name(place: Place, way: str) -> None:
    place.direct(
        f"{PLANETS}; CREATE FUNCTION swap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " EXECUTE 'DEALLOCATE s'; EXECUTE 'PREPARE s AS UPDATE planets SET name = ''Ares'' WHERE id = 3';"
        " END $$"
    )
    known, run = {
        "protocol": (frontend.parse(b"s", b"SELECT 1"), frontend.bind(b"", b"s") + frontend.execute(b"")),
        "sql": (frontend.query(b"PREPARE s AS SELECT 1"), frontend.query(b"EXECUTE s")),
    }[way]
    end = frontend.SYNC_FRAME if way == "protocol" else b""
    with place.connect() as reader, RawClient.logged_in(place) as swapper:
        for said in (known + end, frontend.query(b"SELECT swap()")):
            swapper.send(said)
            swapper.until_ready()
        remember(reader)
        swapper.send(run + end)
        swapper.until_ready()
        assert ask(reader, NAMES) == [("Mercury",), ("Venus",), ("Ares",)]
