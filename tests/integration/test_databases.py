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
    from tests.integration.conftest import StartProxy

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
