"""One database for the whole room: its tests only read the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.sql.analyse import Context
from tests.postgres import Cluster, Database
from tests.proxy.schema.origin import Origin
from tests.proxy.sql import hostile
from tests.proxy.sql.observatory import SCHEMA, Observatory

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def ground(cluster: Cluster) -> Generator[Origin]:
    """A database that holds ``SCHEMA``."""
    database = Database(cluster, "observatory")
    database.create()
    database.execute(SCHEMA)
    yield Origin(database)
    database.drop()


@pytest.fixture(scope="session")
def sky(ground: Origin) -> Observatory:
    """The catalogue of that database, asked as its owner."""
    return Observatory(
        ground.catalogue(), Context(path=("pg_catalog", "postgres", "public"), user="postgres")
    )


@pytest.fixture(scope="session")
def trickster(cluster: Cluster) -> Generator[Observatory]:
    """The catalogue of a database that holds ``hostile.SCHEMA``."""
    database = Database(cluster, "trickster")
    database.create()
    database.execute(hostile.SCHEMA)
    yield Observatory(Origin(database).catalogue(), Context(path=("pg_catalog", "public"), user="postgres"))
    database.drop()
