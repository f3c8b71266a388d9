"""A write is seen by the very next read of any client, however it was made."""

from __future__ import annotations

import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.place import NAMES, PLANETS, Place, ask, last, outcome, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient

pytestmark = pytest.mark.postgres

SYSTEM = (
    PLANETS
    + """;
CREATE TABLE moons (id int PRIMARY KEY, planet int REFERENCES planets ON DELETE CASCADE, name text);
INSERT INTO moons VALUES (1, 3, 'Phobos'), (2, 3, 'Deimos');
CREATE VIEW named AS SELECT id, upper(name) AS name FROM planets;
CREATE TABLE log (entry text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO log VALUES (new.name); RETURN new; END $$;
CREATE TRIGGER noted AFTER INSERT ON moons FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events VALUES (1, '2025-05-05'), (2, '2026-06-06');
CREATE FUNCTION rename(which int, what text) RETURNS int LANGUAGE sql AS
  $$ UPDATE planets SET name = what WHERE id = which RETURNING id $$;
CREATE PROCEDURE rename_all(what text) LANGUAGE plpgsql AS
  $$ BEGIN UPDATE planets SET name = what; COMMIT; END $$
"""
)

# Each writes something that the read beside it shows.
CHANGES = {
    "insert": ("INSERT INTO planets VALUES (4, 'Earth')", NAMES),
    "update": ("UPDATE planets SET name = 'X' WHERE id = 1", NAMES),
    "delete": ("DELETE FROM moons", "SELECT count(*) FROM moons"),
    "upsert": ("INSERT INTO planets VALUES (1, 'X') ON CONFLICT (id) DO UPDATE SET name = 'X'", NAMES),
    "merge": (
        """MERGE INTO planets p USING (VALUES (1, 'X')) v (id, name) ON p.id = v.id
           WHEN MATCHED THEN UPDATE SET name = v.name""",
        NAMES,
    ),
    "truncate": ("TRUNCATE moons", "SELECT count(*) FROM moons"),
    "truncate cascade": ("TRUNCATE planets CASCADE", "SELECT count(*) FROM moons"),
    "cascade": ("DELETE FROM planets WHERE id = 3", "SELECT count(*) FROM moons"),
    "trigger": ("INSERT INTO moons VALUES (3, 3, 'Luna')", "SELECT entry FROM log"),
    "view": ("UPDATE planets SET name = 'X'", "SELECT name FROM named ORDER BY id"),
    "through a view": (
        "INSERT INTO events_view VALUES (7, '2026-01-01')",
        "SELECT count(*) FROM events_2026",
    ),
    "partition": ("INSERT INTO events_2026 VALUES (3, '2026-07-07')", "SELECT count(*) FROM events"),
    "parent": ("INSERT INTO events VALUES (3, '2026-07-07')", "SELECT count(*) FROM events_2026"),
    "cte": (
        "WITH d AS (DELETE FROM moons RETURNING id) SELECT count(*) FROM d",
        "SELECT count(*) FROM moons",
    ),
    "function": ("SELECT rename(1, 'X')", NAMES),
    "do": ("DO $$ BEGIN UPDATE planets SET name = 'X'; END $$", NAMES),
    "call": ("CALL rename_all('X')", NAMES),
    "explain": ("EXPLAIN ANALYZE UPDATE planets SET name = 'X'", NAMES),
    "drop column": ("ALTER TABLE planets DROP COLUMN name CASCADE", "SELECT * FROM planets ORDER BY id"),
    "add column": (
        "ALTER TABLE planets ADD COLUMN rings bool DEFAULT false",
        "SELECT * FROM planets ORDER BY id",
    ),
    "replaced view": (
        "CREATE OR REPLACE VIEW named AS SELECT id, lower(name) AS name FROM planets",
        "SELECT name FROM named ORDER BY id",
    ),
    "renamed table": (
        "ALTER TABLE moons RENAME TO satellites; CREATE TABLE moons (id int)",
        "SELECT count(*) FROM moons",
    ),
    "attached partition": (
        """CREATE TABLE events_2027 AS SELECT 9 AS id, date '2027-01-01' AS at;
           ALTER TABLE events ATTACH PARTITION events_2027
           FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')""",
        "SELECT count(*) FROM events",
    ),
    "several in one text": (
        "INSERT INTO planets VALUES (4, 'A'); INSERT INTO planets VALUES (5, 'B')",
        NAMES,
    ),
    "commit in the text": ("BEGIN; INSERT INTO planets VALUES (4, 'A'); COMMIT; SELECT 1", NAMES),
}


@pytest.fixture
def system(place: Place) -> Place:
    """A place with tables that hang together in every way."""
    place.direct(SYSTEM + "; CREATE VIEW events_view AS SELECT * FROM events")
    return place


@pytest.mark.parametrize("change", CHANGES)
def test_a_write_is_seen_by_the_next_read_of_anybody(system: Place, change: str) -> None:
    write, read = CHANGES[change]
    with system.connect() as writer, system.connect() as reader:
        before = remember(reader, read)
        ask(writer, write)
        seen = ask(reader, read)
        assert seen == system.direct(read)
        assert seen != before
        assert ask(writer, read) == seen


@pytest.mark.soundness("4.4")
@pytest.mark.parametrize("change", ["update", "cascade", "trigger", "partition", "do", "function"])
def test_a_write_in_a_transaction_is_seen_from_its_commit_on(system: Place, change: str) -> None:
    write, read = CHANGES[change]
    with system.connect() as writer, system.connect() as reader:
        before = remember(reader, read)
        ask(writer, "BEGIN")
        ask(writer, write)
        assert ask(reader, read) == before
        changed = ask(writer, read)
        assert changed != before
        ask(writer, "COMMIT")
        assert ask(reader, read) == changed


@pytest.mark.parametrize("change", ["update", "cascade", "trigger", "add column"])
def test_a_write_that_is_rolled_back_was_never_there(system: Place, change: str) -> None:
    write, read = CHANGES[change]
    with system.connect() as writer, system.connect() as reader:
        before = remember(reader, read)
        ask(writer, "BEGIN")
        ask(writer, write)
        assert ask(writer, read) != before
        ask(writer, "ROLLBACK")
        assert ask(writer, read) == ask(reader, read) == before


@pytest.mark.soundness("6.7")
def test_a_rolled_back_update_leaves_the_memory_as_it_was(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        remember(reader)
        ask(writer, "BEGIN")
        ask(writer, "UPDATE planets SET name = 'X'")
        ask(writer, "ROLLBACK")
        ask(reader, NAMES)
        assert last(reader) == ("hit", None)


def test_a_savepoint_gives_back_what_was_before_it(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        before = remember(reader)
        ask(writer, "BEGIN")
        ask(writer, "SAVEPOINT here")
        ask(writer, "UPDATE planets SET name = 'X'")
        ask(writer, "ROLLBACK TO here")
        assert ask(writer, NAMES) == before
        ask(writer, "COMMIT")
        assert ask(reader, NAMES) == before


def test_a_write_leaves_other_tables_answers_alone(system: Place) -> None:
    with system.connect() as connection:
        remember(connection)
        ask(connection, "INSERT INTO events VALUES (3, '2026-07-07')")
        ask(connection, NAMES)
        assert last(connection) == ("hit", None)


@pytest.mark.soundness("4.3")
def test_a_commit_before_an_error_in_the_same_text_counts(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        remember(reader)
        with pytest.raises(psycopg.errors.DivisionByZero):
            ask(writer, "BEGIN; UPDATE planets SET name = 'X'; COMMIT; SELECT 1 / 0")
        assert ask(reader, NAMES) == [("X",)] * 3


def test_copy_from_is_a_write(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        remember(reader)
        with writer.cursor().copy("COPY planets FROM STDIN") as copy:
            copy.write_row((4, "Earth"))
        assert ask(reader, NAMES)[-1] == ("Earth",)


@pytest.mark.soundness("5.2")
def test_sql_prepared_statements_write_too(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        ask(writer, "PREPARE change (text) AS UPDATE planets SET name = $1")
        for name in ("A", "B"):
            remember(reader)
            ask(writer, f"EXECUTE change('{name}')")
            assert ask(reader, NAMES) == [(name,)] * 3


@pytest.mark.soundness("5.2")
def test_a_prepared_write_is_seen_each_time(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        for name in ("A", "B", "C", "D", "E", "F", "G"):
            remember(reader)
            writer.execute("UPDATE planets SET name = %s", (name,), prepare=True)
            assert ask(reader, NAMES) == [(name,)] * 3


@pytest.mark.soundness("4.4")
def test_two_phase_commits_are_seen(system: Place) -> None:
    with system.connect() as writer, system.connect() as reader:
        before = remember(reader)
        ask(writer, "BEGIN")
        ask(writer, "UPDATE planets SET name = 'X'")
        ask(writer, f"PREPARE TRANSACTION '{system.origin.name}'")
        assert ask(reader, NAMES) == before
        ask(writer, f"COMMIT PREPARED '{system.origin.name}'")
        assert ask(reader, NAMES) == [("X",)] * 3


def test_deferred_triggers_write_at_commit(system: Place) -> None:
    system.direct(
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON planets DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION note()"
    )
    with system.connect() as writer, system.connect() as reader:
        assert remember(reader, "SELECT entry FROM log") == []
        ask(writer, "BEGIN")
        ask(writer, "UPDATE planets SET name = 'X' WHERE id = 1")
        ask(reader, "SELECT entry FROM log")
        ask(writer, "COMMIT")
        assert ask(reader, "SELECT entry FROM log") == [("X",)]


def test_a_failed_prepared_plan_is_told_as_postgres_tells_it(system: Place) -> None:
    with system.connect() as reader, system.connect() as other:
        query = "SELECT * FROM planets WHERE id = %s"
        for _ in range(3):
            reader.execute(query, (1,), prepare=True)
        ask(other, "ALTER TABLE planets ADD COLUMN rings bool")
        with pytest.raises(
            psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"
        ):
            reader.execute(query, (1,), prepare=True)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_parameter_has_the_type_of_its_own_parse_at_a_shared_connection(
    place: Place, in_pieces: bool
) -> None:
    place.origin.execute(
        "CREATE TABLE letter (id char(3) PRIMARY KEY, n int); INSERT INTO letter VALUES ('a', 1)"
    )
    read = "SELECT n FROM letter WHERE id = 'a'"
    run = (
        frontend.bind(b"", b"w", frontend.bind_texts([b"a  "])) + frontend.execute(b"") + frontend.SYNC_FRAME
    )
    with RawClient.logged_in(place) as writer, place.connect() as reader:
        writer.send(frontend.parse(b"w", b"UPDATE letter SET n = n + 1 WHERE id = $1") + frontend.SYNC_FRAME)
        writer.until_ready()
        ask(reader, "ALTER TABLE letter ALTER id TYPE text")
        until(lambda: outcome(reader, read) == "hit", "remembered under the new type")
        if in_pieces:
            writer.send(run[:3])
            ask(reader, "SELECT 1")  # by now they have arrived
        writer.send(run[3:] if in_pieces else run)
        writer.until_ready()
        assert ask(reader, read) == place.direct(read)
