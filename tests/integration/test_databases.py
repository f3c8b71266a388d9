"""One database's troubles are its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.place import PLANETS, Place, ask, remember
from tests.integration.proxy import until
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.conftest import StartProxy
    from tests.integration.proxy import Proxy
    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres


def test_a_dropped_database_ends_no_other_ones_hits(database: Database, start_proxy: StartProxy) -> None:
    proxy = start_proxy("--freshness", "wire", "--catalogue-seconds", "0.1")
    database.execute(PLANETS)
    other = Database(database.cluster, f"{database.name}_other")
    other.create()
    with Place(proxy, other).connect() as connection:
        ask(connection, "SELECT 1")
    other.drop()
    until(lambda: "event=catalogue_lost" in proxy.log(), "the proxy sees that the database is gone")
    beats_end = time.monotonic() + 4.0  # longer than the lease
    with Place(proxy, database).connect() as connection:
        until(lambda: time.monotonic() > beats_end, "time passes")
        remember(connection)
    assert "heartbeat_missed" not in proxy.log()


def test_an_unknown_database_is_refused_as_the_origin_does(place: Place) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nowhere" does not exist'):
        psycopg.connect(place.proxy.url("nowhere"))


@pytest.mark.soundness("3.1")
def test_a_database_that_was_made_again_shows_nothing_of_the_old_one(place: Place) -> None:
    name = place.origin.name
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
    with psycopg.connect(place.proxy.url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    with place.connect() as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(connection, "SELECT name FROM planets ORDER BY id")
        ask(connection, PLANETS.replace("Mercury", "Hermes"))
        assert remember(connection)[0] == ("Hermes",)


@pytest.fixture
def latin(proxy: Proxy, cluster: Cluster) -> Generator[Place]:
    """A database whose names are not UTF-8."""
    database = Database(cluster, "latin")
    cluster.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    yield Place(proxy, database)
    database.drop()


@pytest.mark.soundness("3.2")
def test_a_name_ends_after_63_bytes_of_the_servers_own_encoding(latin: Place) -> None:
    # 80 bytes in UTF-8, 40 in LATIN1; the other name is what 63 bytes of UTF-8 leave of it.
    long, short = "é" * 40, "é" * 31
    with psycopg.connect(latin.origin.url(client_encoding="utf8"), autocommit=True) as direct:
        for sql in (
            "CREATE TABLE planets (id int PRIMARY KEY)",
            "INSERT INTO planets VALUES (1)",
            f"CREATE SCHEMA {long}",
            *(f"CREATE TABLE {name} (id int REFERENCES planets ON DELETE CASCADE)" for name in (long, short)),
            f"CREATE TABLE {long}.moons (id int REFERENCES planets ON DELETE CASCADE)",
            "CREATE TABLE moons (id int)",
            f"CREATE VIEW seen AS SELECT id FROM {long}",
            f"INSERT INTO {long} VALUES (1)",
            f"INSERT INTO {long}.moons VALUES (1)",
            f"ALTER DATABASE latin SET search_path = {long}, public",
        ):
            direct.execute(sql.encode())
    # By name, through a view, by the path.
    queries = [f"SELECT id FROM {name}" for name in (long, "seen", "moons")]
    with latin.connect(client_encoding="utf8") as reader, latin.connect() as writer:
        assert [ask(reader, query) for query in queries * 2] == [[(1,)]] * 6
        ask(writer, "DELETE FROM planets")
        assert [ask(reader, query) for query in queries] == [[]] * 3
