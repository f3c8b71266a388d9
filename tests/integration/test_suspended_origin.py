"""A serverless origin that sleeps: it ends its connections, and lets the next one wait while it wakes."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.integration.far import relayed
from tests.integration.place import NAMES, PLANETS, Place, ask, remember
from tests.integration.proxy import Proxy, until

if TYPE_CHECKING:
    from collections.abc import Generator
    from subprocess import Popen

    from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres

_END_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Sleeper:
    """``place`` is the database by way of the proxy; its server sleeps and wakes as a serverless one does."""

    def __init__(self, place: Place, gateway: Popen[str]) -> None:
        self.place = place
        self._gateway = gateway

    def sleep(self) -> None:
        """End all connections with 57P01; new ones are accepted and wait."""
        self.place.direct(_END_ALL)
        until(lambda: self.place.proxy.figure("origin", "open") == 0, "the proxy has heard of it")
        self._gateway.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let those through that wait."""
        self._gateway.send_signal(signal.SIGCONT)


@pytest.fixture
def sleeper(cluster: Cluster, database: Database) -> Generator[Sleeper]:
    """A database of the test's own on a server that may sleep."""
    database.execute(PLANETS)
    with relayed(cluster) as (port, gateway):
        url = database.url().replace(f":{cluster.port}/", f":{port}/")
        with Proxy(url, "--freshness", "ttl") as proxy:
            sleeping = Sleeper(Place(proxy, database), gateway)
            yield sleeping
            sleeping.wake()


def test_an_idle_session_outlives_the_sleep_and_its_next_statement_waits_for_the_waking(
    sleeper: Sleeper,
) -> None:
    with sleeper.place.connect() as connection, ThreadPoolExecutor(1) as thread:
        ask(connection, "SELECT 1")
        sleeper.sleep()
        asked = thread.submit(ask, connection, "UPDATE planets SET name = 'Earth' WHERE id = 3 RETURNING id")
        until(lambda: sleeper.place.proxy.figure("origin", "waiting") == 1, "the statement waits")
        assert not asked.done()
        sleeper.wake()
        assert asked.result() == [(3,)]


def test_a_client_that_comes_while_the_origin_wakes_waits_as_well(sleeper: Sleeper) -> None:
    with sleeper.place.connect() as connection:
        remember(connection)
    sleeper.sleep()

    def come_and_ask() -> list[tuple[object, ...]]:
        with sleeper.place.connect() as connection:
            return ask(connection, NAMES)

    with ThreadPoolExecutor(1) as thread:
        came = thread.submit(come_and_ask)
        until(lambda: sleeper.place.proxy.figure("clients", "open") == 1, "the client is there")
        sleeper.wake()
        assert len(came.result()) == 3
