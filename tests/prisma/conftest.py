"""A client generated from the schema here into a temporary place, and a database with its tables."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.postgres import Cluster, Database
from tests.prisma.commands import succeed

_TABLES = ("User", "Profile", "Post", "Category", "PostCategory", "Scalars", "Tag")


@pytest.fixture(scope="session")
def rich_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the schema whose generator writes the package ``rich_client`` beside it."""
    return _schema_writing("rich_client", "asyncio", tmp_path_factory)


def _schema_writing(package: str, interface: str, factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp(package)
    text = Path(__file__).with_name("schema.prisma").read_text()
    output = f'output = "{folder / package}"\n  interface = "{interface}"'
    schema = folder / "schema.prisma"
    schema.write_text(text.replace('interface                   = "asyncio"', output))
    return schema


def _generate(schema: Path, package: str) -> Any:
    succeed("generate", f"--schema={schema}", url=None)
    sys.path.insert(0, str(schema.parent))
    try:
        return importlib.import_module(package)
    finally:
        sys.path.remove(str(schema.parent))


@pytest.fixture(scope="session")
def rich(rich_schema: Path) -> Any:
    """The generated package: its classes, types and errors."""
    return _generate(rich_schema, "rich_client")


@pytest.fixture(scope="session")
def rich_sync(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same with the synchronous interface."""
    return _generate(_schema_writing("rich_sync_client", "sync", tmp_path_factory), "rich_sync_client")


@pytest.fixture(scope="session")
def rich_database(cluster: Cluster, rich_schema: Path) -> Generator[Database]:
    """A database with the tables of the schema, made by ``db push``."""
    made = Database(cluster, "rich")
    made.create()
    succeed("db", "push", "--skip-generate", f"--schema={rich_schema}", url=made.url())
    yield made
    made.drop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def connected(rich: Any, rich_database: Database) -> AsyncGenerator[Any]:
    """A connected client, the same for the whole session: an engine takes a moment to start."""
    client = rich.Prisma(datasource={"url": rich_database.url(connection_limit="5")})
    await client.connect()
    yield client
    await client.disconnect()


@pytest.fixture
def empty_database(rich_database: Database) -> Database:
    """The database with all tables empty and their sequences at 1."""
    tables = ", ".join(f'"{name}"' for name in _TABLES)
    rich_database.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return rich_database


@pytest.fixture
def client(connected: Any, empty_database: Database) -> Any:
    """The connected client, with nothing in its database."""
    return connected
