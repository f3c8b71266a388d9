"""A statement whose effects nobody knows: what PostgreSQL proves of it, and what it cannot hide."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, remember
from tests.integration.proxy import until
from tests.matrix import one_memory

if TYPE_CHECKING:
    from tests.integration.place import Connection

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("5.4")]

# ``acts(true)`` does something, ``acts(false)`` nothing: one template, so that the second surprises.
ACTS: Final = """
CREATE FUNCTION acts(really bool) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN IF really THEN {}; END IF; RETURN 1; END $$
"""
LOG: Final = """;
CREATE TABLE log (entry text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO log VALUES ('seen'); RETURN NULL; END $$;
"""
WRITE: Final = "UPDATE planets SET name = name || 'X' WHERE id = 1"

# What the function does each time, what has to be there for it, and a read that must show it.
DEEDS: Final = {
    "update": (WRITE, "", NAMES),
    "a stable writer": ("PERFORM writes()", "", NAMES),
    "in a subtransaction": (f"BEGIN {WRITE}; EXCEPTION WHEN others THEN NULL; END", "", NAMES),
    "dynamic": ("EXECUTE 'UPDATE planets SET name = upper(name) || id'", "", NAMES),
    "truncate": (
        """IF EXISTS (SELECT FROM planets) THEN TRUNCATE planets;
           ELSE INSERT INTO planets VALUES (1, 'X'); END IF""",
        "",
        NAMES,
    ),
    "ddl": (
        """IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'planets'::regclass AND attname = 'rings')
           THEN ALTER TABLE planets DROP COLUMN rings;
           ELSE ALTER TABLE planets ADD COLUMN rings bool; END IF""",
        "",
        "SELECT * FROM planets ORDER BY id",
    ),
    "unlogged": (
        "INSERT INTO scratch VALUES (1)",
        "; CREATE UNLOGGED TABLE scratch (id int)",
        "SELECT count(*) FROM scratch",
    ),
    "at commit, by a cursor": (
        "EXECUTE 'DECLARE later CURSOR WITH HOLD FOR SELECT writes()'",
        "",
        NAMES,
    ),
    "at commit, by a deferred trigger": (
        "UPDATE planets SET name = 'X'",
        LOG
        + """CREATE CONSTRAINT TRIGGER noted AFTER UPDATE ON planets DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION note()""",
        "SELECT count(*) FROM log",
    ),
    "without a row, by a trigger on the statement": (
        "UPDATE planets SET name = 'X' WHERE false",
        LOG + "CREATE TRIGGER noted AFTER UPDATE ON planets EXECUTE FUNCTION note()",
        "SELECT count(*) FROM log",
    ),
}


def in_a_text(connection: Connection, really: bool) -> None:
    ask(connection, f"SELECT acts({really})")


def prepared(connection: Connection, really: bool) -> None:
    connection.execute("SELECT acts(%s)", (really,), prepare=True)


def in_a_block(connection: Connection, really: bool) -> None:
    for text in ("BEGIN", f"SELECT acts({really})", "COMMIT"):
        ask(connection, text)


def in_a_prepared_block(connection: Connection, really: bool) -> None:
    connection.execute("BEGIN", prepare=True)
    connection.execute("SELECT acts(%s)", (really,), prepare=True)
    connection.execute("COMMIT", prepare=True)


WAYS: Final = (in_a_text, prepared, in_a_block, in_a_prepared_block)


def furnish(place: Place, deed: str, furniture: str = "") -> None:
    writes = f"CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS $$ {WRITE} RETURNING id $$"
    place.direct(f"{PLANETS}; {writes}{furniture}; {ACTS.format(deed)}")


@pytest.mark.parametrize("deed", DEEDS)
def test_what_it_changes_is_seen_by_the_next_read(place: Place, deed: str) -> None:
    act, furniture, read = DEEDS[deed]
    furnish(place, act, furniture)
    for run in WAYS:
        with place.connect() as writer, place.connect() as reader:
            run(writer, False)
            run(writer, False)
            before = remember(reader, read)
            run(writer, True)
            seen = ask(reader, read)
            assert seen == place.direct(read), run.__name__
            assert seen != before, run.__name__
            assert ask(writer, read) == seen, run.__name__


@one_memory
def test_what_changes_nothing_leaves_every_answer_and_the_session_certain(place: Place) -> None:
    furnish(place, WRITE)
    with place.connect() as writer, place.connect() as reader:
        remember(reader)
        for run in (*WAYS, *WAYS):
            run(writer, False)
            ask(reader, NAMES)
            assert last(reader) == ("hit", None), run.__name__
            ask(writer, NAMES)
            assert last(writer) == ("hit", None), run.__name__


def test_an_error_is_told_as_postgresql_tells_it_and_drops_nothing(place: Place) -> None:
    furnish(place, f"{WRITE}; RAISE division_by_zero")
    with place.connect() as writer, place.connect() as reader:
        remember(reader)
        for run in WAYS:
            run(writer, False)
            with pytest.raises(psycopg.errors.DivisionByZero):
                run(writer, True)
            ask(writer, "ROLLBACK")
            ask(reader, NAMES)
            assert last(reader) == ("hit", None), run.__name__


def test_a_setting_made_for_the_transaction_alone_is_not_taken_for_the_sessions(place: Place) -> None:
    furnish(place, "PERFORM set_config('search_path', 'elsewhere', true)")
    place.direct("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planets (id int, name text)")
    with place.connect() as client:
        known = remember(client)
        for run in WAYS:
            run(client, False)
            run(client, True)
            assert ask(client, NAMES) == known, run.__name__


def test_a_setting_hidden_behind_one_for_the_transaction_alone_is_found(place: Place) -> None:
    furnish(
        place,
        """PERFORM set_config('search_path', 'elsewhere', false);
           PERFORM set_config('search_path', '"$user", public', true)""",
    )
    place.direct("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planets (id int, name text)")
    for run in WAYS:
        with place.connect() as client:
            run(client, False)
            assert len(remember(client)) == 3
            run(client, True)
            assert ask(client, NAMES) == [], run.__name__


def test_a_lock_that_outlives_the_transaction_bypasses(place: Place) -> None:
    furnish(place, "PERFORM pg_advisory_lock(1)")
    for run in WAYS:
        with place.connect() as client:
            run(client, False)
            remember(client)
            run(client, True)
            ask(client, NAMES)
            assert last(client) == ("bypass", "locked"), run.__name__


def test_a_notification_is_delivered(place: Place) -> None:
    furnish(place, "PERFORM pg_notify('news', 'it')")
    with place.connect() as listener, place.connect() as sender:
        ask(listener, "LISTEN news")
        for run in WAYS:
            run(sender, False)
            run(sender, True)
            (heard,) = listener.notifies(timeout=10, stop_after=1)
            assert heard.payload == "it", run.__name__


def cancel_asleep(place: Place, connection: Connection) -> None:
    """Cancel what this client runs once it sleeps at the origin."""
    where = f"wait_event = 'PgSleep' AND datname = '{place.origin.name}'"
    asleep = f"SELECT 1 FROM pg_stat_activity WHERE {where}"
    until(lambda: bool(place.direct(asleep)), "the function sleeps")
    connection.cancel_safe()


def test_a_cancel_is_answered_as_postgresql_answers_it(place: Place) -> None:
    furnish(place, f"{WRITE}; PERFORM pg_sleep(60)")
    with place.connect() as writer, place.connect() as reader:
        before = remember(reader)
        for run in WAYS:
            run(writer, False)
            canceller = Thread(target=cancel_asleep, args=(place, writer))
            canceller.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                run(writer, True)
            canceller.join()
            ask(writer, "ROLLBACK")
            assert ask(reader, NAMES) == before
            assert last(reader) == ("hit", None), run.__name__


def test_a_client_that_leaves_right_behind_its_sync_has_its_write_carried_out(place: Place) -> None:
    furnish(place, WRITE)
    with place.connect() as reader:
        with place.connect() as writer:
            prepared(writer, False)
            prepared(writer, False)
            before = remember(reader)
            prepared(writer, True)
        assert ask(reader, NAMES) != before


def test_in_a_pipeline_nothing_overtakes(place: Place) -> None:
    furnish(place, WRITE)
    with place.connect() as client, place.connect() as reader:
        for _ in range(3):
            prepared(client, False)
        before = remember(reader)
        with client.pipeline():
            prepared(client, True)
            cursor = client.execute(NAMES.encode(), prepare=True)
            prepared(client, False)
            assert cursor.fetchall() != before
        assert ask(reader, NAMES) == place.direct(NAMES) != before


@pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])
def test_rows_tags_and_columns_are_the_clients_alone(place: Place, prepare: bool) -> None:
    furnish(place, WRITE)
    with place.connect() as client:
        for _ in range(3):
            cursor = client.execute("SELECT acts(false) AS a, 'x' AS b -- and a comment", prepare=prepare)
            assert [column.name for column in cursor.description or ()] == ["a", "b"]
            assert cursor.fetchall() == [(1, "x")]
            assert cursor.statusmessage == "SELECT 1"
            assert not cursor.nextset()
            cursor = client.execute("UPDATE planets SET id = id WHERE acts(false) = 2;", prepare=prepare)
            assert (cursor.statusmessage, cursor.description) == ("UPDATE 0", None)
            assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize(
    "spoiler",
    [
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w",
        "REVOKE EXECUTE ON FUNCTION pg_current_xact_id_if_assigned() FROM PUBLIC",
        "REVOKE SELECT ON pg_cursors FROM PUBLIC",
        "CREATE FUNCTION foreign_code() RETURNS trigger LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator'",
    ],
    ids=["foreign server", "no right to the id", "no right to the cursors", "C"],
)
def test_where_an_id_proves_nothing_or_may_not_be_asked_for_everything_is_dropped(
    place: Place, spoiler: str
) -> None:
    furnish(place, WRITE, f"; {spoiler}")
    with place.connect() as writer, place.connect() as reader:
        remember(reader)
        in_a_text(writer, False)
        ask(reader, NAMES)
        assert last(reader)[0] != "hit"
