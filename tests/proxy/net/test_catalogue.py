"""Tests of the asking: a kept connection, a dead one, an origin that is away, and the bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from proxy.errors import CatalogueTooLarge, OriginUnreachable
from proxy.net.catalogue import CatalogueLimits, CatalogueLoader, Connection
from tests.postgres import Cluster, Database

pytestmark = pytest.mark.postgres


class Opened:
    """Connects to a cluster and keeps what it opened."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.connections: list[Connection] = []

    async def __call__(self, database: str) -> Connection:
        connection = await asyncpg.connect(self.cluster.url(database))
        self.connections.append(connection)
        return connection

    def open(self) -> int:
        return sum(not connection.is_closed() for connection in self.connections)


@pytest.fixture
def opened(cluster: Cluster) -> Opened:
    return Opened(cluster)


@pytest.fixture
async def loader(opened: Opened) -> AsyncIterator[CatalogueLoader]:
    loader = CatalogueLoader(opened)
    yield loader
    loader.close()


async def test_a_catalogue_is_loaded_and_holds_until_something_changes(
    loader: CatalogueLoader, database: Database
) -> None:
    database.execute("CREATE TABLE planet (id integer)")
    catalogue = await loader.load(database.name)
    assert ("public", "planet") in catalogue.relation_names
    assert not await loader.changed(database.name, catalogue)
    database.execute("ALTER TABLE planet ADD COLUMN name text")
    assert await loader.changed(database.name, catalogue)
    younger = await loader.load(database.name)
    planet = younger.relations[younger.relation_names["public", "planet"]]
    assert [column.name for column in planet.columns] == ["id", "name"]


async def test_one_connection_serves_all_questions_about_a_database(
    loader: CatalogueLoader, opened: Opened, database: Database
) -> None:
    await asyncio.gather(loader.load(database.name), loader.load(database.name))
    await loader.identity(database.name)
    assert len(opened.connections) == 1


async def test_what_initdb_made_is_shared_by_all_catalogues(
    loader: CatalogueLoader, database: Database
) -> None:
    first, second = await loader.load(database.name), await loader.load("postgres")
    oid = first.function_names["lower"][0]
    assert first.functions[oid] is second.functions[oid]
    assert first.database != second.database


async def test_an_edit_of_what_initdb_made_is_seen(loader: CatalogueLoader, database: Database) -> None:
    first = await loader.load(database.name)
    database.execute("ALTER FUNCTION pg_catalog.lower(text) VOLATILE")
    assert await loader.changed(database.name, first)
    second = await loader.load(database.name)
    (oid,) = (oid for oid in first.function_names["lower"] if first.functions[oid].arguments == (25,))
    assert (first.functions[oid].volatility, second.functions[oid].volatility) == ("i", "v")


async def test_the_identity_names_server_and_database(loader: CatalogueLoader, database: Database) -> None:
    here, there = await loader.identity(database.name), await loader.identity("postgres")
    assert here.system_identifier == there.system_identifier is not None
    assert (here.database != there.database, here.in_recovery) == (True, False)


async def test_a_connection_that_died_while_idle_is_replaced(
    loader: CatalogueLoader, opened: Opened, database: Database
) -> None:
    catalogue = await loader.load(database.name)
    pid = opened.connections[0].get_server_pid()
    database.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
    assert not await loader.changed(database.name, catalogue)
    assert (len(opened.connections), opened.open()) == (2, 1)


async def test_a_restart_of_the_server_shows_in_the_identity() -> None:
    with Cluster() as own:
        loader = CatalogueLoader(Opened(own))
        before = await loader.identity("postgres")
        own.restart()
        after = await loader.identity("postgres")
        own.stop()
        with pytest.raises(OriginUnreachable, match="could not be read"):
            await loader.identity("postgres")
        loader.close()
    assert after.started_us > before.started_us
    assert after.system_identifier == before.system_identifier


async def test_a_standby_says_that_it_is_in_recovery() -> None:
    with Cluster() as primary, primary.replica() as standby:
        loader, elsewhere = CatalogueLoader(Opened(standby)), CatalogueLoader(Opened(primary))
        here, there = await loader.identity("postgres"), await elsewhere.identity("postgres")
        catalogue = await loader.load("postgres")
        loader.close()
        elsewhere.close()
    assert (here.in_recovery, there.in_recovery) == (True, False)
    assert (here.system_identifier, here.timeline) == (there.system_identifier, there.timeline)
    assert ("pg_catalog", "pg_class") in catalogue.relation_names


async def test_a_database_that_is_not_there_is_told_in_a_sentence(loader: CatalogueLoader) -> None:
    with pytest.raises(OriginUnreachable, match="3D000 InvalidCatalogNameError"):
        await loader.load("nowhere")


async def test_a_name_in_another_encoding_is_told_in_a_sentence() -> None:
    with Cluster() as own:
        own.execute("CREATE DATABASE western TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        own.execute(r'CREATE DATABASE U&"caf\00E9"', "western")
        loader = CatalogueLoader(Opened(own))
        with pytest.raises(OriginUnreachable, match="not valid in the encoding of this database"):
            await loader.load("postgres")
        assert (await loader.load("western")).relation_names
        loader.close()


async def test_an_origin_that_does_not_answer_is_given_up_in_time() -> None:
    async def never(database: str) -> Connection:
        await asyncio.Event().wait()
        raise AssertionError(database)

    loader = CatalogueLoader(never, CatalogueLimits(load_seconds=0.01, check_seconds=0.01))
    with pytest.raises(OriginUnreachable, match="no answer in time"):
        await loader.load("postgres")
    with pytest.raises(OriginUnreachable, match="no answer in time"):
        await loader.identity("postgres")


async def test_a_question_that_was_cancelled_does_not_answer_the_next(
    loader: CatalogueLoader, database: Database
) -> None:
    catalogue = await loader.load(database.name)
    blocker = await asyncpg.connect(database.url())
    # The fingerprint reads this table too, and waits.
    await blocker.execute("BEGIN; LOCK TABLE pg_catalog.pg_enum IN ACCESS EXCLUSIVE MODE")
    question = asyncio.create_task(loader.changed(database.name, catalogue))
    while not await blocker.fetchval("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted"):
        await asyncio.sleep(0.01)
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    await blocker.close()
    assert not await loader.changed(database.name, catalogue)


async def test_a_database_with_too_many_relations_is_refused(opened: Opened, database: Database) -> None:
    loader = CatalogueLoader(opened, CatalogueLimits(max_relations=10))
    with pytest.raises(CatalogueTooLarge, match="more than 10 relations"):
        await loader.load(database.name)
    loader.close()


async def test_no_more_connections_are_kept_than_allowed(opened: Opened, database: Database) -> None:
    loader = CatalogueLoader(opened, CatalogueLimits(max_connections=2))
    names = [database.name, "postgres", "template1", database.name]
    for name in names:
        await loader.identity(name)
        assert opened.open() <= 2
    # The least recently used was given up for the third, and opened again.
    assert len(opened.connections) == 4
    await asyncio.gather(*(loader.identity(name) for name in names * 3))
    assert opened.open() <= 2
    loader.close()
    assert opened.open() == 0


@pytest.mark.parametrize("ask", [CatalogueLoader.identity, CatalogueLoader.load])
async def test_nothing_is_asked_after_the_end(
    opened: Opened, ask: Callable[[CatalogueLoader, str], Awaitable[object]]
) -> None:
    loader = CatalogueLoader(opened)
    loader.close()
    with pytest.raises(OriginUnreachable, match="stopping"):
        await ask(loader, "postgres")
    assert opened.open() == 0


@pytest.mark.parametrize(
    ("user", "database", "advice"),
    [
        ("nobody_here", "postgres", r"user or password of its URL are wrong \(28P01"),
        ("postgres", "nowhere", r"the database of its URL does not exist \(3D000"),
    ],
)
async def test_a_refused_login_says_what_to_look_at(
    cluster: Cluster, user: str, database: str, advice: str
) -> None:
    loader = CatalogueLoader(lambda name: asyncpg.connect(cluster.url(name, user)))
    with pytest.raises(OriginUnreachable, match=advice):
        await loader.identity(database)
    loader.close()


async def test_an_origin_that_is_not_there_is_told_from_one_that_refuses() -> None:
    loader = CatalogueLoader(lambda _: asyncpg.connect("postgresql://planets@127.0.0.1:1/planets"))
    with pytest.raises(OriginUnreachable, match="nobody listens at host and port of its URL"):
        await loader.identity("planets")
    loader.close()
