"""The whole proxy, put together: build, start, serve, drain, stop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from proxy.admin.server import AdminServer
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.scopes import Scopes
from proxy.cache.ttl import TtlRule
from proxy.config import Settings
from proxy.errors import ConfigurationError
from proxy.house_view import HouseView
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Templates
from proxy.net import janitor
from proxy.net import origin as origins
from proxy.net.auditor import Auditor
from proxy.net.catalogue import CatalogueLoader
from proxy.net.directory import Directory
from proxy.net.doubt import Doubts
from proxy.net.feeds.fleet import Fleet
from proxy.net.freshness import Freshness
from proxy.net.hub import Hub, HubOptions
from proxy.net.lender import Lender
from proxy.net.listener import Listener
from proxy.net.origin import OriginConnection, Wanted
from proxy.net.pool import PoolOptions
from proxy.net.predecessors import Predecessors
from proxy.net.questions import Connection, ask
from proxy.net.roles import Roles
from proxy.net.tasks import spawn
from proxy.net.tls import ServerTls, server_tls
from proxy.option_types import Address
from proxy.session.database import Database
from proxy.session.session import Session
from proxy.session.shared import SessionOptions, Shared
from proxy.supervisor import Supervisor
from proxy.users_file import read_users

logger = logging.getLogger(__name__)

_MAX_TEMPLATES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """One worker's place among several: ``folder`` holds their sockets, ``admin`` is the number of the one
    that all of them answer HTTP at.
    """

    slot: int
    folder: Path
    instance: str
    admin: int | None


class Service:
    """One proxy, or one worker of it. ``start`` once, ``stop`` once; ``reload`` whenever the users or the
    certificate changed. A worker with a ``place`` is given its clients.
    """

    def __init__(self, settings: Settings, place: Place | None = None) -> None:
        self._settings = settings
        self._place = place
        self._loader = CatalogueLoader(self._connect)
        limits = Limits(cache_bytes=settings.cache_bytes, max_entry_bytes=settings.max_entry_bytes)
        memory: Memory[Session] = Memory(limits, TtlRule(settings.ttl_floor, settings.ttl_cap))
        self._memory = memory
        self._directory = Directory(
            memory, self._loader, self._shared_change, self._roles_in_doubt, self._catalogue_changed
        )
        self.shared = self._make_shared(memory)
        self._freshness = Freshness(
            settings.freshness,
            settings.catalogue_seconds,
            self.shared,
            self._directory,
            self._loader,
            Predecessors(self._ask, self._own_backends, self._others_backends if place is not None else None),
            self._settings_reloaded,
        )
        self._roles = Roles(settings.origin.user, settings.origin.password, settings.auth_query, self._ask)
        self._hub = self._make_hub()
        self._lender = self._hub.lender = self._make_lender()
        if place is not None:
            self._hub.fleet = Fleet(place.slot, settings.workers, place.folder, self._hub)
        instance = place.instance if place is not None else f"{os.uname().nodename}-{os.getpid()}"
        self._view = self._hub.view = HouseView(self._hub, _version(), instance)
        self._auditor = self._hub.auditor = self._make_auditor()
        self._listener = Listener(self._hub, settings.listen)
        self._admin: AdminServer | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.address = settings.listen

    def _own_backends(self) -> frozenset[int]:
        return self._lender.process_ids()

    def _make_shared(self, memory: Memory[Session]) -> Shared:
        settings = self._settings
        options = SessionOptions(
            cache=settings.cache,
            never_cache=settings.never_cache,
            local_ping=settings.local_ping,
            max_message_bytes=settings.max_message_bytes,
            sharing=settings.pool == "transaction",
        )
        scopes = Scopes(memory.limits.max_scopes)
        return Shared(memory, scopes, Counters(), Templates(_MAX_TEMPLATES), options)

    def _make_hub(self) -> Hub:
        settings = self._settings
        return Hub(
            settings.origin,
            self.shared,
            self._directory,
            self._freshness,
            self._roles,
            Doubts(self._memory, self._ask, self._lower),
            HubOptions(
                settings.pool,
                settings.max_clients,
                settings.login_seconds,
                self._place.slot if self._place is not None else 0,
                settings.workers,
            ),
            self._certificate(),
        )

    def _make_lender(self) -> Lender:
        settings, hub = self._settings, self._hub
        options = PoolOptions(
            settings.pool_size,
            settings.pool_wait_seconds,
            settings.pool_idle_seconds,
            settings.pool_lifetime_seconds,
            settings.origin_statements,
        )
        return Lender(
            options,
            self.shared.counters,
            lambda wanted: origins.connect(settings.origin, wanted),
            hub.met,
            lambda connection: hub.serves_no_more(connection.process_id),
            random.random,
        )

    def _make_auditor(self) -> Auditor:
        settings = self._settings
        share = settings.audit_share if settings.cache else 0.0

        def connect(wanted: Wanted) -> Awaitable[OriginConnection]:
            return origins.connect(settings.origin, wanted)

        return Auditor(share, self.shared, self._freshness, connect, self._hub.sessions, random.random)

    async def start(self) -> None:
        """Accept clients. ConfigurationError: an address or file cannot be had, or level wire cannot hold."""
        settings = self._settings
        if settings.users is not None:
            self._roles.take_users(read_users(settings.users))
        fleet = self._hub.fleet
        if fleet is not None:
            await fleet.start()
        await self._freshness.first_word(settings.origin.database)
        if fleet is None:
            self.address = await self._listener.start()
        if isinstance(settings.admin, Address):
            await self._start_admin(settings.admin)
        self._tasks += [
            spawn(self._freshness.watch(settings.origin.database), name="heartbeat"),
            spawn(janitor.keep(self._memory, self.shared.counters), name="janitor"),
            spawn(self._auditor.watch(), name="auditor"),
        ]
        if fleet is None:
            logger.info(
                "event=started listen=%s origin=%s pool=%s", self.address, settings.origin, settings.pool
            )

    async def _start_admin(self, address: Address) -> None:
        token = self._settings.admin_token
        self._admin = AdminServer(
            self._view, address, token.get_secret_value() if token is not None else None
        )
        if self._place is None:
            try:
                where = self._admin.bind()
            except ConfigurationError:
                await self._listener.close()
                raise
            logger.info("event=admin listen=%s", where)
        else:
            assert self._place.admin is not None
            self._admin.share(socket.socket(fileno=self._place.admin))
        self._tasks.append(spawn(self._admin.serve(), name="admin"))

    async def stop(self, drain_seconds: float) -> None:
        """Stop accepting, let running statements finish within ``drain_seconds``, close."""
        self._hub.draining = True
        await self._listener.close()
        deadline = time.monotonic() + drain_seconds
        while self._hub.clients:
            left = [client for client in list(self._hub.clients) if not client.close_if_idle()]
            if not left or time.monotonic() >= deadline:
                break
            await asyncio.sleep(0.02)
        for client in list(self._hub.clients):
            client.refuse_shutdown()
        if self._admin is not None:
            self._admin.stop()
        for task in self._tasks:
            if task.get_name() != "admin":
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lender.let_go()
        if self._hub.fleet is not None:
            self._hub.fleet.stop()
        self._loader.close()
        self._roles.close()

    def give(self, connection: socket.socket) -> None:
        """A client of ours that another process has accepted."""
        spawn(self._listener.take(connection), name="client")

    @property
    def clients_closed(self) -> int:
        """How many of the clients that came have left."""
        return self._listener.taken - len(self._hub.clients)

    async def reload(self) -> None:
        """SIGHUP: read users and certificates again. What cannot be read is logged, the old stays."""
        try:
            if self._settings.users is not None:
                self._roles.take_users(read_users(self._settings.users))
            self._hub.tls = self._certificate()
        except ConfigurationError as fault:
            logger.error("event=reload_failed reason=%s", fault)
            return
        self._hub.forget_logins()
        logger.info("event=reloaded")

    def _certificate(self) -> ServerTls | None:
        settings = self._settings
        if settings.tls_cert is None or settings.tls_key is None:
            return None
        return server_tls(settings.tls_cert, settings.tls_key)

    async def _connect(self, database: str) -> Connection:
        return await ask(self._settings.origin, database)

    async def _ask(self) -> Connection:
        return await ask(self._settings.origin)

    async def _others_backends(self) -> frozenset[int]:
        assert self._hub.fleet is not None
        return await self._hub.fleet.backends()

    def _lower(self, why: str) -> None:
        self._freshness.lower(why)
        if self._hub.fleet is not None:
            self._hub.fleet.lower(why)

    def _shared_change(self) -> None:
        self._hub.forget_logins()

    def _roles_in_doubt(self, names: frozenset[str]) -> None:
        self._hub.roles_in_doubt(names)

    def _catalogue_changed(self, database: Database) -> None:
        self._hub.catalogue_changed(database)

    def _settings_reloaded(self) -> None:
        self._hub.settings_reloaded()


def _version() -> str:
    """As installed; a checkout that nobody installed has none."""
    try:
        return version("orrery")
    except PackageNotFoundError:
        return "unknown"


def proxy_of(settings: Settings) -> Service | Supervisor:
    """One process, or one that has workers."""
    return Service(settings) if settings.workers == 1 else Supervisor(settings)


async def serve(settings: Settings) -> int:
    """``orrery serve``: until SIGTERM or SIGINT; the exit status."""
    service = proxy_of(settings)
    await service.start()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: spawn(service.reload(), name="reload"))
    host = f"[{service.address.host}]" if ":" in service.address.host else service.address.host
    sys.stdout.write(f"ready postgresql://{host}:{service.address.port}\n")
    sys.stdout.flush()
    await stop.wait()
    await service.stop(settings.drain_seconds)
    return 0
