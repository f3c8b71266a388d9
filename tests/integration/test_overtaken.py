"""A statement that waits for a lock may wake up in another catalogue than the one it was judged by."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.postgres

# Whatever adds to the log waits at the gate before it goes on.
GATE: Final = 7
LOG: Final = f"""{PLANETS};
CREATE TABLE log (entry text);
CREATE FUNCTION adds() RETURNS int LANGUAGE sql AS
  $$ INSERT INTO log VALUES ('x'); SELECT pg_advisory_xact_lock({GATE}); SELECT 1 $$;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM adds(); RETURN NEW; END $$;
CREATE VIEW named AS SELECT name FROM planets
"""
COUNT: Final = "SELECT count(*) FROM log"
TRIGGER: Final = "CREATE TRIGGER noted AFTER INSERT ON planets FOR EACH ROW EXECUTE FUNCTION note()"
VIEW: Final = "CREATE OR REPLACE VIEW named AS SELECT adds()::text AS name"
EARTH: Final = "INSERT INTO planets VALUES (4, 'Earth')"


@contextmanager
def closed_gate(place: Place) -> Generator[None]:
    with psycopg.connect(place.origin.url()) as gate:
        gate.execute(f"SELECT pg_advisory_lock({GATE})".encode())
        yield


def await_lock(place: Place, kind: str) -> None:
    """Until somebody waits for a lock of this kind."""
    waiting = f"wait_event_type = 'Lock' AND wait_event = '{kind}' AND datname = current_database()"
    until(lambda: bool(place.direct(f"SELECT 1 FROM pg_stat_activity WHERE {waiting}")), f"waits: {kind}")


def overtake(place: Place, ddl: Connection, change: str, writer: Connection, text: str) -> Thread:
    """``text`` waits for the lock of ``change``, and goes on to the gate once that is committed."""
    ask(ddl, "BEGIN")
    ask(ddl, change)
    waiting = Thread(target=ask, args=(writer, text), daemon=True)
    waiting.start()
    await_lock(place, "relation")
    ask(ddl, "COMMIT")
    await_lock(place, "advisory")
    return waiting


@pytest.mark.soundness("6.2")
@pytest.mark.parametrize(
    ("change", "text"), [(TRIGGER, EARTH), (VIEW, "SELECT name FROM named")], ids=["write", "read"]
)
def test_it_reaches_what_the_new_catalogue_says(place: Place, change: str, text: str) -> None:
    place.direct(LOG)
    with place.connect() as ddl, place.connect() as writer, place.connect() as reader:
        with closed_gate(place):
            remember(reader, COUNT)
            late = overtake(place, ddl, change, writer, text)
            assert ask(reader, COUNT) == ask(reader, COUNT) == [(0,)]
        late.join()
        assert ask(reader, COUNT) == [(1,)]


@pytest.mark.soundness("6.2")
@pytest.mark.parametrize(
    ("change", "text"), [(TRIGGER, EARTH), (VIEW, "SELECT name FROM named")], ids=["write", "read"]
)
def test_so_does_the_commit_of_the_block_it_stands_in(place: Place, change: str, text: str) -> None:
    place.direct(LOG)
    with place.connect() as ddl, place.connect() as writer, place.connect() as reader:
        ask(writer, "BEGIN")
        with closed_gate(place):
            late = overtake(place, ddl, change, writer, text)
            remember(reader, COUNT)
        late.join()
        remember(reader, COUNT)
        ask(writer, "COMMIT")
        assert ask(reader, COUNT) == [(1,)]


@pytest.mark.soundness("5.3")
def test_ddl_of_its_own_block_counts_at_once(place: Place) -> None:
    place.direct(f"{PLANETS}; CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planets (id int, name text)")
    moves = """CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN PERFORM set_config('search_path', 'elsewhere', false); RETURN NEW; END $$"""
    trigger = "CREATE TRIGGER moves BEFORE INSERT ON planets FOR EACH ROW EXECUTE FUNCTION moves()"
    with place.connect() as writer, place.connect() as reader:
        for text in ("BEGIN", moves, trigger, EARTH, "COMMIT"):
            ask(writer, text)
        remember(reader)
        assert ask(writer, NAMES) == []


@pytest.mark.soundness("5.2")
@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("hold", ["", " WITH HOLD"])
def test_a_portal_may_have_the_name_of_a_cursor_that_is_gone(place: Place, ending: str, hold: str) -> None:
    place.direct(PLANETS)
    with RawClient.logged_in(place) as raw, place.connect() as reader:
        for text in (
            "BEGIN",
            f"DECLARE c CURSOR{hold} FOR SELECT id FROM planets",
            ending,
            "CLOSE ALL",
            "BEGIN",
        ):
            raw.send(frontend.query(text.encode()))
            raw.until_ready()
        update = frontend.parse(b"", b"UPDATE planets SET name = 'X' RETURNING id")
        raw.send(update + frontend.bind(b"c", b"") + frontend.SYNC_FRAME)
        raw.until_ready()
        remember(reader)
        for text in ("FETCH ALL FROM c", "COMMIT"):
            raw.send(frontend.query(text.encode()))
            raw.until_ready()
        assert ask(reader, NAMES) == [("X",)] * 3


@pytest.mark.soundness("5.5")
def test_a_right_that_a_block_of_code_takes_away_is_gone_in_every_database(place: Place) -> None:
    other = Database(place.origin.cluster, f"{place.origin.name}_other")
    group, user = f"{other.name}_group", f"{other.name}_user"
    other.create()
    other.execute(
        f"{PLANETS}; CREATE ROLE {group}; GRANT SELECT ON planets TO {group};"
        f"CREATE ROLE {user} LOGIN PASSWORD 'x' IN ROLE {group}"
    )
    try:
        with place.connect() as revoker, Place(place.proxy, other).connect(user, "x") as reader:
            remember(reader)
            ask(revoker, f"DO $$ BEGIN EXECUTE 'REVOKE {group} FROM {user}'; END $$")
            until(lambda: _is_refused(reader), "the reader is refused")
    finally:
        other.drop()
        place.direct(f"DROP ROLE {user}; DROP ROLE {group}")


def _is_refused(reader: Connection) -> bool:
    try:
        ask(reader, NAMES)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.soundness("5.3")
def test_an_event_trigger_runs_with_any_ddl(place: Place) -> None:
    place.direct(
        f"""{PLANETS}; CREATE TABLE log (entry text); CREATE FUNCTION noted() RETURNS event_trigger
            LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_TAG); END $$;
            CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted()"""
    )
    with place.connect() as writer, place.connect() as reader:
        for number, ddl in enumerate(
            (
                "COMMENT ON TABLE planets IS 'x'",
                "CREATE INDEX ON planets (name)",
                "CREATE TEMP TABLE a (id int)",
                "CREATE TEMP TABLE b AS SELECT 1 AS id",
                "SELECT 1 AS id INTO TEMP c",
                "ALTER TABLE planets ADD COLUMN rings bool",
            )
        ):
            assert remember(reader, COUNT) == [(number,)]
            ask(writer, ddl)
            assert ask(reader, COUNT) == [(number + 1,)]
