"""Who may log in to the proxy is who may log in to the origin, and it is told in PostgreSQL's words."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from tests.integration.place import PLANETS, Connection, Place, ask, remember
from tests.integration.proxy import Proxy, until
from tests.matrix import one_pool
from tests.postgres import Cluster, Database

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.integration.conftest import StartProxy

pytestmark = pytest.mark.postgres

SECRET = "comet"  # of roles that live for one test


@pytest.fixture
def role(place: Place) -> Generator[str]:
    """A role of the test's own, made at the origin."""
    name = f"pilot_{place.origin.name}"
    place.direct(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    place.direct(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def superuser(place: Place) -> Generator[Connection]:
    """A superuser's connection through the proxy."""
    with place.connect() as connection:
        yield connection


@pytest.mark.soundness("7.1")
@pytest.mark.parametrize("user", ["postgres", "nobody"])
async def test_a_wrong_password_and_an_unknown_user_look_the_same(place: Place, user: str) -> None:
    with pytest.raises(
        asyncpg.InvalidPasswordError, match=f'password authentication failed for user "{user}"'
    ):
        await asyncpg.connect(place.url(user, "wrong"))


async def test_an_unknown_database_is_the_origins_own_error(place: Place) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError, match='database "nowhere" does not exist'):
        await asyncpg.connect(place.proxy.url("nowhere"))


@pytest.mark.soundness("7.1")
async def test_a_wrong_password_does_not_tell_whether_the_database_exists(place: Place) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(place.proxy.url("nowhere", password="wrong"))


def test_every_role_of_the_origin_logs_in_with_its_own_password(place: Place, role: str) -> None:
    with place.connect(role, SECRET) as connection:
        assert ask(connection, "SELECT current_user, session_user") == [(role, role)]


@pytest.mark.soundness("7.1")
def test_a_password_changed_through_the_proxy_holds_at_once(
    place: Place, role: str, superuser: Connection
) -> None:
    place.connect(role, SECRET).close()
    ask(superuser, f"ALTER ROLE {role} PASSWORD 'meteor'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        place.connect(role, SECRET)
    place.connect(role, "meteor").close()


@pytest.mark.soundness("7.1")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ALTER ROLE {0} NOLOGIN", "not permitted to log in|password authentication failed"),
        ("ALTER ROLE {0} VALID UNTIL '2000-01-01'", "password authentication failed"),
        ("REVOKE CONNECT ON DATABASE {1} FROM PUBLIC", "permission denied for database"),
        ("ALTER ROLE {0} PASSWORD NULL", "authentication failed"),
        ("ALTER ROLE {0} RENAME TO {0}_away", "password authentication failed"),
    ],
)
def test_a_login_that_the_origin_would_refuse_is_refused(
    place: Place, role: str, superuser: Connection, change: str, words: str
) -> None:
    place.connect(role, SECRET).close()
    ask(superuser, change.format(role, place.origin.name))
    try:
        with pytest.raises(psycopg.OperationalError, match=words):
            place.connect(role, SECRET)
    finally:
        if "RENAME" in change:
            ask(superuser, f"ALTER ROLE {role}_away RENAME TO {role}")


@pytest.mark.soundness("7.1")
def test_a_login_trigger_decides_about_every_login() -> None:
    with Cluster(version=18) as cluster, Proxy(cluster.url(), "--freshness", "wire") as proxy:
        place = Place(proxy, Database(cluster, "postgres"))
        place.direct(f"{PLANETS}; CREATE TABLE gate AS SELECT true AS open")
        place.direct(
            "CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF NOT (SELECT open FROM gate) THEN RAISE 'the gate is closed'; END IF; END $$"
        )
        place.direct("CREATE EVENT TRIGGER guard ON login EXECUTE FUNCTION guard()")
        with place.connect() as keeper:
            remember(keeper)
            ask(keeper, "UPDATE gate SET open = false")
            with pytest.raises(psycopg.OperationalError, match="the gate is closed"):
                place.connect()


def test_an_md5_role_logs_in(place: Place, role: str) -> None:
    place.direct(f"SET password_encryption = md5; ALTER ROLE {role} PASSWORD '{SECRET}'")
    hba = place.origin.cluster.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(f"host all {role} all md5\n{before}")
    place.direct("SELECT pg_reload_conf()")
    try:
        with place.connect(role, SECRET) as connection:
            assert ask(connection, "SELECT current_user") == [(role,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            place.connect(role, "wrong")
    finally:
        hba.write_text(before)
        place.direct("SELECT pg_reload_conf()")


@pytest.mark.soundness("3.4")
@one_pool
def test_a_second_login_opens_no_connection_to_the_origin(place: Place) -> None:
    place.direct(PLANETS)
    sessions = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND application_name NOT LIKE 'orrery%'"
        " AND backend_type = 'client backend'"  # a vacuum that starts by itself is none
    )
    with ExitStack() as clients:
        for _ in range(5):
            remember(clients.enter_context(place.connect()))
        assert len(place.direct(sessions)) == 1


def test_users_of_a_file_and_no_others(database: Database, start_proxy: StartProxy, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(f"# who may come\nnavigator {SECRET}\n")
    users.chmod(0o600)
    database.execute(
        f"CREATE ROLE navigator LOGIN PASSWORD '{SECRET}'; CREATE ROLE stowaway LOGIN PASSWORD 'x'"
    )
    try:
        proxy = start_proxy("--users", str(users), "--auth-query", "off")
        place = Place(proxy, database)
        place.connect("navigator", SECRET).close()
        place.connect().close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            place.connect("stowaway", "x")
        users.write_text("stowaway x\n")
        proxy.signal(signal.SIGHUP)
        until(lambda: "event=reloaded" in proxy.log(), "the users are read again")
        place.connect("stowaway", "x").close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            place.connect("navigator", SECRET)
    finally:
        database.execute("DROP ROLE navigator, stowaway")


def test_an_operators_own_query_finds_the_roles(database: Database, start_proxy: StartProxy) -> None:
    database.execute(f"CREATE ROLE scout LOGIN PASSWORD '{SECRET}'")
    try:
        query = "SELECT usename, passwd FROM pg_shadow WHERE usename = $1"
        place = Place(start_proxy("--auth-query", query), database)
        place.connect("scout", SECRET).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            place.connect("scout", "wrong")
    finally:
        database.execute("DROP ROLE scout")


@pytest.mark.soundness("7.4")
def test_no_password_stands_in_the_log(place: Place, role: str) -> None:
    place.connect(role, SECRET).close()
    with pytest.raises(psycopg.OperationalError):
        place.connect(role, "a wrong secret")
    assert SECRET not in place.proxy.log()
    assert "a wrong secret" not in place.proxy.log()
    assert "orbit" not in place.proxy.log()


@pytest.mark.soundness("7.6")
def test_more_clients_than_there_is_room_for(database: Database, start_proxy: StartProxy) -> None:
    place = Place(start_proxy("--max-clients", "2"), database)
    with place.connect(), place.connect() as second:
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            place.connect()
        assert ask(second, "SELECT 1") == [(1,)]
    until(lambda: place.proxy.figure("clients", "open") == 0, "both clients are gone")
    place.connect().close()
