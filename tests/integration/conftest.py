"""A proxy for the session, a place of its own for each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.integration.place import Place
from tests.integration.proxy import Proxy
from tests.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.postgres import Database


class StartProxy(Protocol):
    """Starts a proxy with further options in front of the test's server; it is stopped with the test."""

    def __call__(self, *options: str) -> Proxy: ...


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A server of this folder's own: to a starting proxy, sessions that other tests left open are
    predecessors, and lower its level.
    """
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def proxy(cluster: Cluster) -> Generator[Proxy]:
    """The proxy that most tests share: every writer comes through it.

    It never checks the catalogue by itself: what other tests leave behind would empty its memory
    at any moment.
    """
    with Proxy(cluster.url(), "--freshness", "wire", "--catalogue-seconds", "3600") as running:
        yield running


@pytest.fixture
def place(proxy: Proxy, database: Database) -> Place:
    """The test's own database, through the proxy and direct."""
    return Place(proxy, database)


@pytest.fixture
def start_proxy(cluster: Cluster) -> Generator[StartProxy]:
    """For tests that need a proxy with options of their own."""
    with ExitStack() as running:

        def start(*options: str) -> Proxy:
            return running.enter_context(Proxy(cluster.url(), *options))

        yield start
