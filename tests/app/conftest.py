"""The application on a database with the three first planets, asked through ASGI."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from tests.postgres import Cluster, Database
from tests.prisma.commands import succeed

_FIRST = """
TRUNCATE "Planet" RESTART IDENTITY;
INSERT INTO "Planet" (name) VALUES ('Mercury'), ('Venus'), ('Mars');
"""


@asynccontextmanager
async def serving(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the application for ``url``, started and stopped as a server would."""
    app = create_app(Settings(database_url=SecretStr(url)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client,
    ):
        yield client


@pytest.fixture(scope="session")
def planets_database(cluster: Cluster) -> Generator[Database]:
    """A database with the schema, made by the committed migrations."""
    made = Database(cluster, "planets")
    succeed("migrate", "deploy", url=made.url())
    yield made
    made.drop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(planets_database: Database) -> AsyncGenerator[httpx.AsyncClient]:
    """One application for the session: its engine takes a moment to start."""
    async with serving(planets_database.url()) as client:
        yield client


@pytest.fixture
def api(served: httpx.AsyncClient, planets_database: Database) -> httpx.AsyncClient:
    """The application with exactly three planets."""
    planets_database.execute(_FIRST)
    return served
