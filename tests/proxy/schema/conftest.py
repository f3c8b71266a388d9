"""A database of one's own, on the oldest and on the newest PostgreSQL."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.postgres import Cluster, Database
from tests.proxy.schema.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Generator

_numbers = count(1)


@pytest.fixture(scope="session")
def newest_cluster() -> Generator[Cluster]:
    """A running PostgreSQL 18."""
    with Cluster(version=18) as running:
        yield running


@pytest.fixture(scope="session", params=["tls_cluster", "newest_cluster"], ids=["15", "18"])
def server(request: pytest.FixtureRequest) -> Cluster:
    """The oldest and the newest PostgreSQL that is served; the tests of the loader meet one between them."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, Cluster)
    return running


def _fresh(server: Cluster) -> Generator[Origin]:
    database = Database(server, f"schema_{next(_numbers)}")
    database.create()
    yield Origin(database)
    database.drop()


@pytest.fixture
def origin(server: Cluster) -> Generator[Origin]:
    """An empty database of the test's own."""
    yield from _fresh(server)


@pytest.fixture(scope="module")
def shared_origin(server: Cluster) -> Generator[Origin]:
    """A database for all tests of one module, which must bear what the others left in it."""
    yield from _fresh(server)
