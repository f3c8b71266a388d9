"""What a session has set shapes its answers, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, remember
from tests.matrix import one_pool

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.postgres

DATES = f"{PLANETS}; CREATE TABLE days (at timestamptz); INSERT INTO days VALUES ('2026-11-20 12:00+00')"
OTHER = """
CREATE SCHEMA other; CREATE TABLE other.planets (id int, name text);
INSERT INTO other.planets VALUES (1, 'Pluto')
"""
SECRET = "comet"  # of roles that live for one test


@pytest.fixture
def role(place: Place) -> Generator[str]:
    """A role of the test's own that may read the planets."""
    place.direct(PLANETS)
    name = f"reader_{place.origin.name}"
    place.direct(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'; GRANT SELECT ON planets TO {name}")
    yield name
    place.direct(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.soundness("3.1")
def test_each_setting_has_its_own_answer(place: Place) -> None:
    place.direct(DATES)
    query = "SELECT at::text FROM days"
    with place.connect() as connection:
        for zone, hour in (("UTC", "12"), ("Asia/Tokyo", "21"), ("UTC", "12")):
            ask(connection, f"SET timezone = '{zone}'")
            for _ in range(3):
                assert str(ask(connection, query)[0][0])[11:13] == hour
            assert last(connection)[0] == "hit"


@pytest.mark.soundness("3.1")
@pytest.mark.parametrize(
    ("setting", "query"),
    [
        ("backslash_quote = off", "SELECT E'it\\'s' FROM names"),
        ("restrict_nonsystem_relation_kind = 'view'", "SELECT * FROM names"),
    ],
)
def test_a_setting_that_forbids_a_statement_forbids_it_here(place: Place, setting: str, query: str) -> None:
    place.direct(f"{PLANETS}; CREATE VIEW names AS SELECT name FROM planets")
    with place.connect() as free, place.connect() as strict:
        remember(free, query)
        ask(strict, f"SET {setting}")
        with pytest.raises(psycopg.Error):
            ask(strict, query)


@pytest.mark.soundness("3.1", "3.4")
def test_a_setting_of_the_startup_packet_counts(place: Place) -> None:
    place.direct(DATES)
    query = "SELECT at::text FROM days"
    with place.connect() as plain, place.connect(options="-c timezone=Asia/Tokyo") as far:
        assert remember(plain, query) != remember(far, query)


@pytest.mark.soundness("3.2")
@pytest.mark.parametrize("before", [True, False], ids=["from the start", "by SET"])
def test_names_beyond_ascii_in_another_encoding_mean_what_postgresql_means(
    place: Place, before: bool
) -> None:
    # The bytes of the first in LATIN1 are the second in UTF-8.
    place.direct(f'{PLANETS}; CREATE SCHEMA "Ã©"; CREATE TABLE "Ã©".planets AS TABLE public.planets')
    place.direct("CREATE SCHEMA é; CREATE TABLE é.planets AS TABLE public.planets")
    place.direct(f"ALTER DATABASE {place.origin.name} SET search_path = 'Ã©', public")
    with place.connect() as writer, place.connect(client_encoding="latin1" if before else "utf8") as reader:
        for encoding in ("latin1", "utf8"):
            ask(reader, f"SET client_encoding = {encoding}")
            found = [ask(reader, NAMES) for _ in range(3)][-1]
            ask(writer, 'DELETE FROM "Ã©".planets WHERE id = (SELECT min(id) FROM "Ã©".planets)')
            assert ask(reader, NAMES) == found[1:]


@pytest.mark.soundness("3.3")
def test_set_local_ends_with_its_transaction(place: Place) -> None:
    place.direct(PLANETS + ";" + OTHER)
    with place.connect() as connection:
        remember(connection)
        ask(connection, "BEGIN")
        ask(connection, "SET LOCAL search_path = other")
        assert ask(connection, NAMES) == ask(connection, NAMES) == [("Pluto",)]
        ask(connection, "COMMIT")
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(
    "way", ["SET search_path = other", "SELECT set_config('search_path', 'other', false)"]
)
def test_a_rolled_back_setting_was_never_set(place: Place, way: str) -> None:
    place.direct(PLANETS + ";" + OTHER)
    with place.connect() as connection:
        remember(connection)
        ask(connection, "BEGIN")
        ask(connection, way)
        assert ask(connection, NAMES) == [("Pluto",)]
        ask(connection, "ROLLBACK")
        assert len(ask(connection, NAMES)) == 3
        ask(connection, way)
        assert ask(connection, NAMES) == ask(connection, NAMES) == [("Pluto",)]
        assert last(connection) == ("hit", None)


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(
    "way", ["RESET search_path", "SET search_path TO DEFAULT", "RESET ALL", "DISCARD ALL"]
)
def test_a_reset_goes_back_to_the_start(place: Place, way: str) -> None:
    place.direct(PLANETS + ";" + OTHER)
    with place.connect(options="-c search_path=other") as connection:
        assert remember(connection) == [("Pluto",)]
        ask(connection, "SET search_path = public")
        assert len(remember(connection)) == 3
        ask(connection, way)
        assert ask(connection, NAMES) == ask(connection, NAMES) == [("Pluto",)]


@pytest.mark.soundness("3.4")
def test_a_role_setting_counts_from_the_next_login(place: Place, role: str) -> None:
    place.direct(OTHER + f"; GRANT USAGE ON SCHEMA other TO {role}; GRANT SELECT ON other.planets TO {role}")
    with place.connect(role, SECRET) as connection:
        assert len(remember(connection)) == 3
    with place.connect() as connection:
        ask(connection, f"ALTER ROLE {role} SET search_path = other")
    with place.connect(role, SECRET) as connection:
        assert remember(connection) == [("Pluto",)]


@pytest.mark.soundness("7.1")
def test_a_role_gets_nothing_that_it_may_not_read(place: Place, role: str) -> None:
    with place.connect() as connection, place.connect(role, SECRET) as other:
        remember(connection)
        remember(other)
        ask(connection, f"REVOKE SELECT ON planets FROM {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(other, NAMES)
        ask(connection, f"SET ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(connection, NAMES)
        ask(connection, "RESET ROLE")
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.soundness("7.1")
@pytest.mark.soundness("7.1")
@pytest.mark.parametrize("change", ["GRANT", "REVOKE"])
def test_a_membership_opens_and_closes_schemas_of_the_path_for_open_sessions(
    place: Place, role: str, change: str
) -> None:
    group = f"{role}_group"
    place.direct(f"CREATE ROLE {group}; {OTHER}; GRANT USAGE ON SCHEMA other TO {group}")
    place.direct(
        f"GRANT SELECT ON other.planets TO PUBLIC; ALTER ROLE {role} SET search_path = other, public"
    )
    if change == "REVOKE":
        place.direct(f"GRANT {group} TO {role}")
    closed, opened = [("Mercury",), ("Venus",), ("Mars",)], [("Pluto",)]
    try:
        with place.connect() as owner, place.connect(role, SECRET) as held:
            assert remember(held) == (closed if change == "GRANT" else opened)
            ask(owner, f"GRANT {group} TO {role}" if change == "GRANT" else f"REVOKE {group} FROM {role}")
            for _ in range(2):
                ask(held, NAMES)
            with place.connect(role, SECRET) as fresh:
                assert remember(fresh) == (opened if change == "GRANT" else closed)
            assert ask(held, NAMES) == (opened if change == "GRANT" else closed)
    finally:
        place.direct(f"DROP OWNED BY {group}; DROP ROLE {group}")


@one_pool
def test_sessions_of_a_role_that_was_dropped_share_nothing_with_its_successor(
    place: Place, role: str
) -> None:
    with place.connect() as owner, place.connect() as borrower, place.connect(role, SECRET) as old:
        remember(old)
        ask(borrower, f"SET ROLE {role}")
        remember(borrower)
        ask(owner, f"DROP OWNED BY {role}")
        ask(owner, f"DROP ROLE {role}")
        ask(owner, f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        ask(owner, f"GRANT SELECT ON planets TO {role}")
        with place.connect(role, SECRET) as successor:
            remember(successor)
        # It has no connection of its own that would know of the role it was.
        with pytest.raises(psycopg.errors.AdminShutdown):
            ask(old, NAMES)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(borrower, NAMES)
        ask(borrower, "RESET ROLE")
        assert len(remember(borrower)) == 3


@pytest.mark.soundness("3.3")
def test_a_text_search_configuration_is_the_one_that_its_set_found(place: Place) -> None:
    place.direct(
        f"{PLANETS}; CREATE SCHEMA other; CREATE TEXT SEARCH CONFIGURATION public.mine (COPY = simple);"
        "CREATE TEXT SEARCH CONFIGURATION other.mine (COPY = english)"
    )
    query = "SELECT to_tsvector('the ' || name)::text FROM planets WHERE id = 1"
    with place.connect() as plain, place.connect() as stemmed:
        ask(plain, "SET default_text_search_config = 'mine'")
        assert remember(plain, query) == [("'mercury':2 'the':1",)]
        ask(stemmed, "SET search_path = other, public")
        ask(stemmed, "SET default_text_search_config = 'mine'")
        ask(stemmed, "SET search_path = DEFAULT")
        assert remember(stemmed, query) == [("'mercuri':2",)]


@pytest.mark.soundness("3.3", "7.1")
def test_set_role_local_and_session_authorization(place: Place, role: str) -> None:
    place.direct(f"REVOKE SELECT ON planets FROM {role}")
    with place.connect() as connection:
        remember(connection)
        ask(connection, "BEGIN")
        ask(connection, f"SET LOCAL ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(connection, NAMES)
        ask(connection, "ROLLBACK")
        remember(connection)
        ask(connection, f"SET SESSION AUTHORIZATION {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(connection, NAMES)


@pytest.mark.soundness("2.6")
def test_row_security_bypasses(place: Place, role: str) -> None:
    place.direct("ALTER TABLE planets ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON planets USING (id = 1)")
    with place.connect(role, SECRET) as other, place.connect() as connection:
        for _ in range(2):
            assert len(ask(connection, NAMES)) == 3
            assert ask(other, NAMES) == [("Mercury",)]
        assert last(other)[0] == "bypass"


@pytest.mark.soundness("2.2")
def test_a_temporary_table_hides_the_permanent_one(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as other:
        remember(connection)
        ask(connection, "CREATE TEMP TABLE planets AS SELECT 1 AS id, 'Pluto' AS name")
        assert ask(connection, NAMES) == ask(connection, NAMES) == [("Pluto",)]
        assert last(connection) == ("bypass", "temporary")
        assert len(remember(other)) == 3
        ask(connection, "DROP TABLE pg_temp.planets")
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.soundness("4.2")
def test_who_holds_a_lock_sees_the_latest_state(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        ask(connection, "SELECT pg_advisory_lock(42)")
        ask(connection, NAMES)
        assert last(connection) == ("bypass", "locked")
        ask(connection, "SELECT pg_advisory_unlock(42)")
        ask(connection, "SELECT pg_advisory_unlock_all()")
        ask(connection, NAMES)
        remember(connection)


@pytest.mark.soundness("4.2")
@pytest.mark.parametrize(
    "lock", ["LOCK TABLE planets", "SELECT 1 FROM planets FOR UPDATE", "SELECT pg_advisory_xact_lock(42)"]
)
def test_a_lock_in_a_transaction_holds_until_its_end(place: Place, lock: str) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        ask(connection, "BEGIN")
        ask(connection, NAMES)
        assert last(connection) == ("hit", None)
        ask(connection, lock)
        ask(connection, NAMES)
        assert last(connection)[0] == "bypass"
        ask(connection, "COMMIT")
        ask(connection, NAMES)
        assert last(connection) == ("hit", None)


@pytest.mark.soundness("4.1")
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_stricter_isolation_reads_its_own_snapshot(place: Place, level: str) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as writer:
        before = remember(connection)
        ask(connection, f"BEGIN ISOLATION LEVEL {level}")
        assert ask(connection, NAMES) == before
        ask(writer, "UPDATE planets SET name = 'X'")
        remember(writer)
        assert ask(connection, NAMES) == before
        assert last(connection) == ("bypass", "isolation")
        ask(connection, "COMMIT")
        assert ask(connection, NAMES) == [("X",)] * 3
