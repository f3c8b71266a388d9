"""The databases that clients use, each with its catalogue: read when first needed, checked, read again.

``changed`` moves a counter before anybody is told of a change, and a catalogue whose reading began before
the last move is never taken: what it says may be from before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from asyncpg import InvalidCatalogNameError

from proxy.cache import tags
from proxy.cache.memory import Memory
from proxy.errors import OrreryError
from proxy.net.catalogue import CatalogueLoader
from proxy.net.tasks import spawn
from proxy.schema.catalogue import Catalogue
from proxy.session.database import Database
from proxy.session.session import Session

logger = logging.getLogger(__name__)

# An unknown name makes the catalogue be read again, but a client that asks for nonsense all day must not: so
# many
# readings may follow each other at once, then one in so many seconds.
_REREADS: Final = 4
_REREAD_SECONDS: Final = 0.5
# How long a statement waits for a catalogue on its way before it goes on without.
WAIT_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 1.0


class Place:
    """One database: what sessions see of it, and where the reading of its catalogue stands."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.known: Catalogue | None = None  # the last one read, while ``database`` may have none
        self.was_read = False  # somebody may have been told what it said
        self.moves = 0
        self.rereads = float(_REREADS)  # how many there may be now
        self.reread_at = 0.0
        self.retry_at = 0.0  # not before: the last reading failed
        self.reading: asyncio.Task[None] | None = None
        self.waiting: list[Callable[[], None]] = []

    def may_be_reread(self, now: float) -> bool:
        """May an unknown name make the catalogue be read now? It counts as read then."""
        self.rereads = min(float(_REREADS), self.rereads + (now - self.reread_at) / _REREAD_SECONDS)
        self.reread_at = now
        if self.rereads < 1.0:
            return False
        self.rereads -= 1.0
        return True


class Directory:
    """``on_shared_change`` is called when roles, databases or settings may have changed: logins are learnt
    anew. ``on_roles_in_doubt`` gets the names of roles that were dropped, stand for another role now, or have
    other groups.
    ``on_new_catalogue`` gets the database whose catalogue says something else than before.
    """

    def __init__(
        self,
        memory: Memory[Session],
        loader: CatalogueLoader,
        on_shared_change: Callable[[], None],
        on_roles_in_doubt: Callable[[frozenset[str]], None],
        on_new_catalogue: Callable[[Database], None],
    ) -> None:
        self._memory = memory
        self._loader = loader
        self._on_shared_change = on_shared_change
        self._on_roles_in_doubt = on_roles_in_doubt
        self._on_new_catalogue = on_new_catalogue
        self._places: dict[str, Place] = {}

    def database(self, name: str, oid: int) -> Database:
        """The database of that name. Another oid than before: it was dropped and made again, all is new."""
        place = self._places.get(name)
        if place is None or place.database.oid != oid:
            place = self._places[name] = Place(Database(name, oid))
        return place.database

    def databases(self) -> list[Database]:
        """All that clients have used so far."""
        return [place.database for place in self._places.values()]

    async def ready(self, database: Database) -> None:
        """Wait, within bounds, for the first catalogue of a database."""
        if database.catalogue is None:
            done = asyncio.Event()
            if self.read(database, done.set):
                try:
                    async with asyncio.timeout(WAIT_SECONDS):
                        await done.wait()
                except TimeoutError:
                    logger.warning("database=%s event=catalogue_slow seconds=%s", database.name, WAIT_SECONDS)

    def read(self, database: Database, then: Callable[[], None]) -> bool:
        """Have the catalogue read again, and call ``then`` once it is there or cannot be had.

        False: it was read a moment ago, nothing will be called.
        """
        place = self._place_of(database)
        if place is None:
            return False
        if place.reading is None:
            now = time.monotonic()
            if now < place.retry_at or (database.catalogue is not None and not place.may_be_reread(now)):
                return False
            self._start(place)
        place.waiting.append(then)
        return True

    def changed(self, database: Database | None) -> None:
        """The catalogue of this database (None: anything shared by all) changed through us: read it again."""
        for place in self._places.values():
            if database is None or place.database is database:
                place.moves += 1
                place.database.catalogue = None
                if place.reading is None:
                    self._start(place)
        if database is None:
            self._on_shared_change()

    async def check(self) -> None:
        """Compare every catalogue with the origin's. One
        that cannot be read concerns its own database alone.
        """
        for place in list(self._places.values()):
            try:
                await self._check(place)
            except OrreryError as fault:
                self._lose(place, fault)

    def let_go(self) -> None:
        """Close our own idle connections: somebody is about to drop, rename or copy a database."""
        self._loader.let_go()

    async def _check(self, place: Place) -> None:
        try:
            await self._compare(place)
        finally:
            if not place.database.sessions:
                self._loader.let_go(place.database.name)

    async def _compare(self, place: Place) -> None:
        if place.database.catalogue is not None:
            await self._take(place, place.moves)
        elif place.reading is None:
            self._start(place)

    def _lose(self, place: Place, fault: OrreryError) -> None:
        """Nothing is known of this database any more; one that was dropped is forgotten altogether."""
        logger.warning("database=%s event=catalogue_lost reason=%s", place.database.name, fault)
        place.moves += 1
        place.database.catalogue = None
        self._memory.drop(tags.whole(place.database.oid), "ddl")
        self._forget_if_dropped(place, fault)

    def _forget_if_dropped(self, place: Place, fault: OrreryError) -> None:
        if isinstance(fault.__cause__, InvalidCatalogNameError) and self._place_of(place.database) is place:
            del self._places[place.database.name]

    def drop_all(self, cause: str) -> None:
        """The origin is another one, or was restarted: nothing that was known holds."""
        logger.warning("event=drop_all cause=%s", cause)
        self._memory.drop(tags.ORIGIN, "feed")
        for place in self._places.values():
            place.known = None
        self.changed(None)

    def _place_of(self, database: Database) -> Place | None:
        place = self._places.get(database.name)
        return place if place is not None and place.database is database else None

    def _start(self, place: Place) -> None:
        place.reading = spawn(self._read(place), name=f"catalogue {place.database.name}")

    async def _read(self, place: Place) -> None:
        try:
            while not await self._take(place, place.moves):
                pass
        except OrreryError as fault:
            logger.warning("database=%s event=catalogue_failed reason=%s", place.database.name, fault)
            place.retry_at = time.monotonic() + _RETRY_SECONDS
            self._forget_if_dropped(place, fault)
        finally:
            place.reading = None
            waiting, place.waiting = place.waiting, []
            for then in waiting:
                then()

    async def _take(self, place: Place, moves: int) -> bool:
        """Read once; False if something changed meanwhile, so that what was read may be from before."""
        catalogue = await self._read_if_new(place)
        if place.moves != moves:
            return False
        known, place.known, place.database.catalogue = place.known, catalogue, catalogue
        if catalogue is not known:
            self._memory.drop(tags.whole(place.database.oid), "ddl")
            if place.was_read:
                place.database.columns_moved(known, catalogue)
                self._on_new_catalogue(place.database)
            if known is not None and known.rights != catalogue.rights:
                self._on_shared_change()
                self._on_roles_in_doubt(known.roles_gone(catalogue) | known.roles_regrouped(catalogue))
                self._spread(catalogue)
        place.was_read = True
        return True

    def _spread(self, catalogue: Catalogue) -> None:
        """Rights and roles are the origin's: a change that was seen in one database holds in all."""
        for place in self._places.values():
            if place.known is not None and place.known.rights != catalogue.rights:
                self._memory.drop(tags.whole(place.database.oid), "ddl")
                self.changed(place.database)

    async def _read_if_new(self, place: Place) -> Catalogue:
        """The known one where the origin still says the same: not all that may hold DDL holds any."""
        name, known = place.database.name, place.known
        if known is not None and not await self._loader.changed(name, known):
            return known
        return await self._loader.load(name)
