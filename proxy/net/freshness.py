"""Which level of the guarantee holds, and the heartbeat that every hit depends on.

Nothing is answered from memory unless the origin was heard of within the lease, and was the same one.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.errors import ConfigurationError, OrreryError
from proxy.net.catalogue import CatalogueLoader
from proxy.net.directory import Directory
from proxy.net.predecessors import Predecessors
from proxy.schema.catalogue import Identity
from proxy.session.shared import Shared

logger = logging.getLogger(__name__)

# The heartbeat is asked for every second; three lost ones end the lease.
HEARTBEAT_SECONDS: Final = 1.0
LEASE_SECONDS: Final = 3.0
# A ping is answered here while the origin was heard of less than a second ago.
PING_SECONDS: Final = 1.0
# At level ttl nobody is asked anything while no client says anything: a suspended origin may sleep.
QUIET_SECONDS: Final = 30.0

# Two ways of printing one moment differ by a rounding.
_CLOCK_ROUNDING_US: Final = 2

RECOVERY: Final = "recovery"
PREDECESSOR: Final = "predecessor"
UNSTATED: Final = "other writers are not ruled out"
STATED: Final = "stated by --freshness wire"


@dataclass(frozen=True, slots=True)
class Level:
    """``name`` is ttl or wire; ``since`` monotonic seconds."""

    name: str
    why: str
    since: float


class Freshness:
    """``wanted`` is the option; ``on_settings_reloaded`` works the live sessions' keys out anew."""

    def __init__(  # noqa: PLR0913, PLR0917 - the one place where all that bears on freshness meets
        self,
        wanted: str,
        catalogue_seconds: float,
        shared: Shared,
        directory: Directory,
        loader: CatalogueLoader,
        predecessors: Predecessors,
        on_settings_reloaded: Callable[[], None],
    ) -> None:
        self.level = Level("ttl", "the origin has not been heard of yet", time.monotonic())
        self.heard_at = -math.inf
        self.heard_once = asyncio.Event()
        self._wanted = wanted
        self._catalogue_seconds = catalogue_seconds
        self._shared = shared
        self._memory = shared.memory
        self._directory = directory
        self._loader = loader
        self._predecessors = predecessors
        self._on_settings_reloaded = on_settings_reloaded
        self._identity: Identity | None = None
        self._checked_at = -math.inf
        self._spoken_at = time.monotonic()
        self._spoken = asyncio.Event()
        self.awake = False  # is the heartbeat on? Where it pauses, nobody else asks the origin anything
        self.lowered = ""

    def client_spoke(self, now: float) -> None:
        """A client said something: on the path of a hit, so it is one assignment and one test."""
        self._spoken_at = now
        if not self.awake:
            self.awake = True
            self._spoken.set()

    def lower(self, why: str) -> None:
        """Something was seen that makes any level above ttl untrue, for good."""
        self.lowered = why
        self._set_level()

    def doubt_backends(self) -> None:
        """Somebody died whose backends may carry writes that nobody was told of."""
        self._predecessors.anew()
        self._set_level()

    async def first_word(self, database: str) -> None:
        """Ask once, at start. ConfigurationError: level wire was asked for and the origin is in recovery.

        An origin that does not answer is no reason not to start.
        """
        try:
            self._heard(await self._loader.identity(database), time.monotonic())
        except OrreryError as fault:
            logger.warning("event=origin_unreachable reason=%s", fault)
            return
        if self._wanted == "wire":
            if self._identity is not None and self._identity.in_recovery:
                raise ConfigurationError(
                    "--freshness wire: the origin is in recovery (a read replica), so writes reach it by "
                    "another way: choose --freshness ttl"
                )
            await self._predecessors.look()
            self._set_level()

    async def watch(self, database: str) -> None:
        """The heartbeat, for ever."""
        while True:
            asked_at = time.monotonic()
            try:
                self._heard(await self._loader.identity(database), asked_at)
                if asked_at - self._checked_at >= self._catalogue_seconds:
                    await self._directory.check()
                    self._checked_at = asked_at
                if self._wanted == "wire" and self._predecessors.pending:
                    await self._predecessors.look()
                    self._set_level()
                # Only now: whoever slept must have looked at identity and catalogue before any hit.
                self._memory.origin_heard(asked_at + LEASE_SECONDS)
                self._shared.ping_until = asked_at + PING_SECONDS
                self.heard_at = asked_at
            except OrreryError as fault:
                logger.warning("event=heartbeat_missed reason=%s", fault)
            await self._pause(asked_at)

    async def _pause(self, asked_at: float) -> None:
        if self.level.name == "ttl" and time.monotonic() - self._spoken_at > QUIET_SECONDS:
            self.awake = False
            self._spoken.clear()
            logger.info("event=heartbeat_paused")
            await self._spoken.wait()
            self._checked_at = -math.inf
            return
        every = HEARTBEAT_SECONDS / 2 if self._shared.options.local_ping else HEARTBEAT_SECONDS
        await asyncio.sleep(max(0.0, asked_at + every - time.monotonic()))

    def met(self, started_us: int) -> bool:
        """A new connection was made, to a server that started then. True: another one than the heartbeat
        knows. An origin that failed over or restarted is noticed here before the next heartbeat.
        """
        known = self._identity
        if known is not None and abs(known.started_us - started_us) > _CLOCK_ROUNDING_US:
            self._identity = None
            self._memory.origin_heard(-math.inf)
            self._directory.drop_all("a connection met another server")
            return True
        return False

    def answers(self, now: float) -> bool:
        """Was the origin heard of within the lease?"""
        return now - self.heard_at < LEASE_SECONDS

    def _heard(self, identity: Identity, asked_at: float) -> None:
        old, self._identity = self._identity, identity
        if old is not None and _is_another(old, identity):
            self._directory.drop_all("another server, or a restart")
        elif old is not None and old.configured_us != identity.configured_us:
            self._directory.drop_all("configuration reloaded")
            self._on_settings_reloaded()
        self.heard_at = asked_at
        self.heard_once.set()
        self._set_level()

    def _set_level(self) -> None:
        name, why = "ttl", UNSTATED
        if self._identity is not None and self._identity.in_recovery:
            why = RECOVERY
        elif self.lowered:
            why = self.lowered
        elif self._wanted == "wire":
            name, why = ("ttl", PREDECESSOR) if self._predecessors.pending else ("wire", STATED)
        if (name, why) == (self.level.name, self.level.why):
            return
        self._memory.set_level(expiring=name == "ttl")
        self.level = Level(name, why, time.monotonic())
        logger.info("event=freshness level=%s why=%r", name, why)


def _is_another(old: Identity, new: Identity) -> bool:
    return (old.system_identifier, old.timeline, old.started_us, old.in_recovery) != (
        new.system_identifier,
        new.timeline,
        new.started_us,
        new.in_recovery,
    )
