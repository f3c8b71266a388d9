"""Options of the proxy, seen from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, outcome, remember
from tests.integration.proxy import Proxy, until

if TYPE_CHECKING:
    from tests.integration.conftest import StartProxy
    from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres

ORRERY = str(Path(sys.executable).with_name("orrery"))


def _refusal(*options: str) -> str:
    command = [ORRERY, "serve", "--listen", "127.0.0.1:0", "--admin", "off", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_session_pool_hands_on_the_origins_own_process_id(
    database: Database, start_proxy: StartProxy
) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--pool", "session", "--freshness", "wire"), database)
    with place.connect() as connection:
        assert ask(connection, "SELECT pg_backend_pid()") == [(connection.info.backend_pid,)]
        remember(connection)
        ask(connection, "UPDATE planets SET name = 'X'")
        assert ask(connection, NAMES) == [("X",)] * 3


def test_with_the_cache_off_nothing_is_remembered(database: Database, start_proxy: StartProxy) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--cache", "off"), database)
    with place.connect() as connection:
        for _ in range(3):
            ask(connection, NAMES)
            assert last(connection) == ("bypass", "off")
        database.execute("UPDATE planets SET name = 'X'")
        assert ask(connection, NAMES) == [("X",)] * 3


def test_tables_named_by_never_cache_bypass(database: Database, start_proxy: StartProxy) -> None:
    database.execute(f"{PLANETS}; CREATE TABLE moons (id int)")
    place = Place(start_proxy("--never-cache", "public.pla*"), database)
    with place.connect() as connection:
        assert [outcome(connection, NAMES) for _ in range(3)] == ["bypass"] * 3
        remember(connection, "SELECT * FROM moons")


def test_at_level_ttl_a_foreign_write_is_seen_within_the_cap(
    database: Database, start_proxy: StartProxy
) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--freshness", "ttl", "--ttl-floor", "0.2", "--ttl-cap", "0.5"), database)
    with place.connect() as connection:
        remember(connection)
        database.execute("UPDATE planets SET name = 'X'")
        until(lambda: ask(connection, NAMES) == [("X",)] * 3, "the new names are seen")


def test_ddl_made_elsewhere_is_seen_within_the_catalogue_check(
    database: Database, start_proxy: StartProxy
) -> None:
    database.execute(PLANETS)
    place = Place(start_proxy("--freshness", "wire", "--catalogue-seconds", "0.2"), database)
    with place.connect() as connection:
        remember(connection)
        database.execute("ALTER TABLE planets ALTER COLUMN name TYPE text USING upper(name)")
        until(lambda: ask(connection, NAMES)[0] == ("MERCURY",), "the change is seen")


def test_level_wire_is_refused_before_a_replica(cluster: Cluster) -> None:
    with cluster.replica() as replica:
        assert "recovery" in _refusal("--origin", replica.url(), "--freshness", "wire")


def test_a_session_that_is_not_what_the_origins_url_asks_for_is_not_opened(database: Database) -> None:
    reader = f"reader_{database.name}"
    database.execute(
        f"""{PLANETS}; CREATE ROLE {reader} LOGIN PASSWORD 'pw';
        ALTER ROLE {reader} SET default_transaction_read_only = on; GRANT SELECT ON planets TO {reader}"""
    )
    with Proxy(database.url(target_session_attrs="read-write")) as proxy:
        place = Place(proxy, database)
        with place.connect() as writer:
            assert len(ask(writer, NAMES)) == 3
        with pytest.raises(psycopg.OperationalError, match="target_session_attrs=read-write"):
            place.connect(reader, "pw")
    database.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


@pytest.mark.parametrize("level", ["notify", "replication"])
def test_levels_that_do_not_exist_stop_the_start(cluster: Cluster, level: str) -> None:
    assert level in _refusal("--origin", cluster.url(), "--freshness", level)


def test_a_taken_port_stops_the_start(cluster: Cluster) -> None:
    sentence = _refusal("--origin", cluster.url(), "--listen", f"127.0.0.1:{cluster.port}")
    assert "Address already in use" in sentence


@pytest.mark.soundness("6.6")
@pytest.mark.parametrize("name", ["", "orrery"])
def test_a_predecessors_connection_lowers_the_level(
    database: Database, start_proxy: StartProxy, name: str
) -> None:
    with psycopg.connect(database.url(application_name=name)):
        proxy = start_proxy("--freshness", "wire")
        assert json.loads(proxy.admin("/stats"))["freshness"]["why"] == "predecessor"
    until(lambda: json.loads(proxy.admin("/stats"))["freshness"]["level"] == "wire", "they are all gone")
