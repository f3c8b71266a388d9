"""The database that the rules of precision are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.sql.analyse import Context
from tests.postgres import Cluster, Database
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory
from tests.proxy.sql.proof.ground import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def shelf(cluster: Cluster) -> Generator[Observatory]:
    """The catalogue of a database that holds ``ground.SCHEMA``."""
    database = Database(cluster, "shelf")
    database.create()
    database.execute(SCHEMA)
    yield Observatory(Origin(database).catalogue(), Context(path=("pg_catalog", "public"), user="postgres"))
    database.drop()
