"""Every call of Prisma: the connection that is kept, and what the routes ask of it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, final

import httpx
from prisma import Prisma
from prisma.engine.errors import EngineConnectionError
from prisma.errors import ClientNotConnectedError, DataError, TableNotFoundError, UniqueViolationError

from app.engine_transport import EngineTransport

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from prisma.models import Planet
    from prisma.types import PlanetWhereInput

logger = logging.getLogger(__name__)

# The engine listens at once and is ready when the database is: each attempt asks it this long.
_ATTEMPT: Final = timedelta(seconds=10)
# Where each attempt fails at once (no engine, a bad URL), the next one waits.
_PAUSE_SECONDS: Final = 1.0
# A database that does not answer must not hold requests for ever.
_QUERY_SECONDS: Final = 15.0
# Prisma's codes for "not now": unreachable, refused, closed, too many connections, no free one in time.
# Source: Prisma docs, orm/reference/error-reference, "Error codes".
_AWAY_CODES: Final = frozenset(
    {"P1000", "P1001", "P1002", "P1003", "P1008", "P1010", "P1011", "P1017", "P2024", "P2037"}
)

# Never backwards: another program may have taken numbers beyond the largest id that is still there.
ADVANCE_SEQUENCE: Final = """
SELECT setval(pg_get_serial_sequence('"Planet"', 'id'), max(id)) FROM "Planet"
HAVING max(id) > coalesce(pg_sequence_last_value(pg_get_serial_sequence('"Planet"', 'id')::regclass), 0)
"""
# Writers wait: between reading the largest id and moving the sequence nobody may take a number from it.
STOP_WRITERS: Final = 'LOCK TABLE "Planet" IN SHARE ROW EXCLUSIVE MODE'


class PlanetMissing(Exception):
    """There is no planet with that id."""

    def __init__(self, planet_id: int) -> None:
        super().__init__(f"There is no planet with the id {planet_id}.")


class PlanetExists(Exception):
    """A planet with that id is there already."""

    def __init__(self, planet_id: int | None) -> None:
        super().__init__(
            f"A planet with the id {planet_id} exists already." if planet_id else "The id exists already."
        )


class DatabaseAway(Exception):
    """The database cannot be asked now; the message says no more than a stranger may know."""

    def __init__(self, message: str = "The database cannot be reached at the moment.") -> None:
        super().__init__(message)


@final
class Planets:
    """The table of planets in the database at ``url``, over one engine process of this worker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Prisma | None = None
        self._lost = asyncio.Event()
        self._connected = asyncio.Event()

    async def keep_connected(self) -> None:
        """Connect, and again whenever the engine is lost, until cancelled; then disconnect."""
        try:
            while True:
                self._lost.clear()
                await self._connect()
                await self._lost.wait()
                await self._disconnect()
        finally:
            await self._disconnect()

    async def wait_connected(self, seconds: float) -> bool:
        """Was the database there within ``seconds``?"""
        try:
            await asyncio.wait_for(self._connected.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _connect(self) -> None:
        reason = None
        while self._client is None:
            client = _new_client(self._url)
            try:
                await client.connect(timeout=_ATTEMPT)
            except (EngineConnectionError, OSError) as error:
                before, reason = reason, str(error.__cause__ or error)
                if reason != before:
                    logger.warning("database=away reason=%r", reason)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self._client = client
        logger.info("database=connected")
        self._connected.set()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._connected.clear()
        if client is not None:
            await client.disconnect(timeout=timedelta(seconds=5))

    @contextmanager
    def _asking(self) -> Generator[Prisma]:
        """The connected client; whatever means "not now" leaves as DatabaseAway."""
        client = self._client
        if client is None:
            raise DatabaseAway
        try:
            yield client
        except TableNotFoundError as error:
            raise DatabaseAway("The database has no tables yet.") from error
        except DataError as error:
            if error.code in _AWAY_CODES:
                raise DatabaseAway from error
            raise
        except httpx.TimeoutException as error:
            raise DatabaseAway("The database does not answer in time.") from error
        except (httpx.TransportError, ClientNotConnectedError) as error:
            # the engine's process is gone; where a successor has its place already, that one stays
            if client is self._client:
                self._lost.set()
            raise DatabaseAway from error

    async def ping(self) -> None:
        """Return when the database has answered. Raises DatabaseAway."""
        with self._asking() as client:
            await client.query_raw("SELECT 1")

    async def page(self, after: int, limit: int) -> Sequence[Planet]:
        """At most ``limit`` planets with ids above ``after``, by id."""
        with self._asking() as client:
            # the first page is the plain list, one statement for everybody
            where: PlanetWhereInput | None = {"id": {"gt": after}} if after else None
            return await client.planet.find_many(where=where, take=limit, order={"id": "asc"})

    async def one(self, planet_id: int) -> Planet:
        """The planet with that id. Raises PlanetMissing."""
        with self._asking() as client:
            found = await client.planet.find_unique(where={"id": planet_id})
        return _present(found, planet_id)

    async def create(self, name: str, planet_id: int | None) -> Planet:
        """A new planet. An id of the caller's choice leaves free ids for later ones. Raises PlanetExists."""
        try:
            with self._asking() as client:
                if planet_id is None:
                    return await client.planet.create({"name": name})
                async with client.tx() as transaction:
                    await transaction.execute_raw(STOP_WRITERS)
                    created = await transaction.planet.create({"id": planet_id, "name": name})
                    await transaction.execute_raw(ADVANCE_SEQUENCE)
                return created
        except UniqueViolationError as error:
            raise PlanetExists(planet_id) from error

    async def rename(self, planet_id: int, name: str) -> Planet:
        """The planet with its new name. Raises PlanetMissing."""
        with self._asking() as client:
            changed = await client.planet.update(data={"name": name}, where={"id": planet_id})
        return _present(changed, planet_id)

    async def delete(self, planet_id: int) -> None:
        """Remove the planet. Raises PlanetMissing."""
        with self._asking() as client:
            deleted = await client.planet.delete(where={"id": planet_id})
        _present(deleted, planet_id)


def _new_client(url: str) -> Prisma:
    # Prisma hands these to httpx.AsyncClient as they are; its type does not list all that may be there.
    return Prisma(
        datasource={"url": url},
        http={"timeout": _QUERY_SECONDS, "transport": EngineTransport()},  # type: ignore[arg-type]
    )


def _present(planet: Planet | None, planet_id: int) -> Planet:
    if planet is None:
        raise PlanetMissing(planet_id)
    return planet
