"""What every client connection shares, and the figures that are told of it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NewType
from weakref import WeakValueDictionary

from proxy.net.directory import Directory
from proxy.net.doubt import Doubts
from proxy.net.freshness import Freshness
from proxy.net.roles import Roles
from proxy.net.tls import ServerTls
from proxy.origin_url import OriginUrl
from proxy.session.database import Database
from proxy.session.probe import Learnt
from proxy.session.session import Session
from proxy.session.shared import Shared

if TYPE_CHECKING:
    from proxy.net.auditor import Auditor
    from proxy.net.client import ClientConnection
    from proxy.net.feeds.fleet import Fleet
    from proxy.net.lender import Lender
    from proxy.net.origin import OriginConnection
    from proxy.net.view import View

ClientPid = NewType("ClientPid", int)

# Above every process id that a kernel gives (PID_MAX_LIMIT of Linux is 2^22): ours never meet the origin's.
_FIRST_PID: Final = (1 << 22) + 1
_MAX_PROFILES: Final = 10_000
# A login without a connection to the origin needs a real one of the same kind that is younger than this.
PROFILE_SECONDS: Final = 300.0

ProfileKey = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a real login of one (user, database, startup parameters) told. ``at``: monotonic seconds."""

    notices: list[bytes]
    statuses: dict[str, str]
    learnt: Learnt
    at: float


@dataclass(frozen=True, slots=True)
class HubOptions:
    """``pool``: transaction or session; ``login_seconds`` bounds a login, the origin's answer included.

    Of several workers each gives process ids of its own: every ``pid_step``-th from ``first_pid`` on.
    """

    pool: str
    max_clients: int
    login_seconds: float
    first_pid: int = 0
    pid_step: int = 1


class Hub:
    """One for each proxy process. ``tls`` is None where clients are served without."""

    def __init__(  # noqa: PLR0913, PLR0917 - it only keeps together what every client needs
        self,
        url: OriginUrl,
        shared: Shared,
        directory: Directory,
        freshness: Freshness,
        roles: Roles,
        doubts: Doubts,
        options: HubOptions,
        tls: ServerTls | None,
    ) -> None:
        self.url = url
        self.shared = shared
        self.directory = directory
        self.freshness = freshness
        self.roles = roles
        self.doubts = doubts
        self.options = options
        self.tls = tls
        self.draining = False
        self.clients: set[ClientConnection] = set()
        self.view: View
        self.auditor: Auditor
        self.lender: Lender
        self.fleet: Fleet | None = None  # the other workers, where there are any
        self._held_logins = 0
        self._by_pid: dict[int, ClientConnection] = {}
        self._by_origin_pid: dict[int, int] = {}
        self._next_pid = _FIRST_PID + options.first_pid
        self._profiles: OrderedDict[ProfileKey, Profile] = OrderedDict()
        self._learning: WeakValueDictionary[ProfileKey, asyncio.Lock] = WeakValueDictionary()

    # Process ids and cancel keys

    def register(self, client: ClientConnection, origin_pid: int | None = None) -> tuple[int, bytes]:
        """A process id (the origin's own where given) and a secret for one client; unique while it lives."""
        pid = origin_pid
        while pid is None or pid in self._by_pid:
            pid = self._next_pid
            self._next_pid += self.options.pid_step
            if self._next_pid >= 1 << 31:
                self._next_pid = _FIRST_PID + self.options.first_pid
        self._by_pid[pid] = client
        return pid, secrets.token_bytes(4)

    def unregister(self, pid: int) -> None:
        """The client is gone."""
        self._by_pid.pop(pid, None)

    def by_cancel_key(self, pid: int, secret: bytes) -> ClientConnection | None:
        """Whom a CancelRequest means; None for a wrong key."""
        client = self._by_pid.get(pid)
        return client if client is not None and secrets.compare_digest(client.secret, secret) else None

    def serves(self, origin_pid: int, client_pid: int) -> None:
        """That backend runs this client's statements now: its NOTIFYs carry the id that the client knows."""
        self._by_origin_pid[origin_pid] = client_pid

    def serves_no_more(self, origin_pid: int) -> None:
        """That backend is not this client's any more."""
        self._by_origin_pid.pop(origin_pid, None)

    def told_as(self, origin_pid: int) -> int:
        """Under which process id clients know that backend."""
        return self._by_origin_pid.get(origin_pid, origin_pid)

    def met(self, connection: OriginConnection) -> None:
        """A connection to the origin was opened."""
        assert connection.learnt is not None
        started = connection.learnt.postmaster_start
        if started and self.freshness.met(int(started)) and self.fleet is not None:
            self.fleet.met(int(started))

    # Logins learnt

    def one_at_a_time(self, key: ProfileKey) -> asyncio.Lock:
        """Held while such a login is learnt: of many that come at once one asks the origin, for all."""
        found = self._learning.get(key)
        if found is None:
            found = self._learning[key] = asyncio.Lock()
        return found

    def profile(self, key: ProfileKey) -> Profile | None:
        """What is known of such a login, if it is young enough."""
        found = self._profiles.get(key) if not self._held_logins else None
        return found if found is not None and time.monotonic() - found.at < PROFILE_SECONDS else None

    def learn(self, key: ProfileKey, profile: Profile) -> None:
        """A real login has told."""
        self._profiles[key] = profile
        self._profiles.move_to_end(key)
        if len(self._profiles) > _MAX_PROFILES:
            self._profiles.popitem(last=False)

    def forget_logins(self) -> None:
        """Roles, databases or their settings changed: every login is learnt anew."""
        self._profiles.clear()
        self.roles.forget()
        self.lender.retire()

    def hold_logins(self) -> None:
        """Another worker is about to change roles or databases: until ``release_logins``, as often as this,
        nobody logs in by what is remembered.
        """
        self._held_logins += 1
        self.roles.trusts_memory = False
        self.forget_logins()

    def release_logins(self) -> None:
        """What was about to change has changed, or has not."""
        self._held_logins -= 1
        self.roles.trusts_memory = not self._held_logins
        self.forget_logins()

    def shared_change_ahead(self) -> None:
        """Somebody is about to drop, rename or copy a database: be in nobody's way."""
        self.directory.let_go()
        self.auditor.let_go()
        self.lender.let_go()

    def origin_pids(self) -> list[int]:
        """The process ids of the backends that serve our clients, or may serve the next."""
        return [*self._by_origin_pid, *self.lender.process_ids()]

    def settings_reloaded(self) -> None:
        """The origin's configuration was read again: what sessions believe of their settings may be wrong."""
        self.forget_logins()
        for session in self.sessions():
            session.doubt_settings()

    def roles_in_doubt(self, names: frozenset[str]) -> None:
        """Roles were dropped, or have other groups: whoever is one of them may not be what it seems."""
        self.lender.retire()
        for session in self.sessions():
            if session.state.is_one_of(names):
                session.doubt_role()

    def catalogue_changed(self, database: Database) -> None:
        """What is on its way, or in doubt, was judged by a catalogue that holds no longer."""
        database.judged_anew()
        self.doubts.judged_anew(database.oid)
        if self.fleet is not None:
            self.fleet.catalogue_changed(database.oid)

    def sessions(self) -> list[Session]:
        """Those of all clients that have logged in."""
        return [client.session for client in self.clients if client.session is not None]
