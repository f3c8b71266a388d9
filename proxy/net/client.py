"""One client's socket: bytes to its session, the session's wishes to the world.

The path of a hit is ``data_received`` -> ``Session.receive`` -> ``to_client`` -> ``transport.write``: one
call stack. Back-pressure: whoever cannot write stops the reading on the other side. It is one module because
asyncio and the session both talk to one object.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

from proxy.cache.entry import Entry
from proxy.cache.tags import Reach, Suspension
from proxy.errors import DatabaseReplaced, OrreryError
from proxy.metrics.templates import Template
from proxy.net import origin as origins
from proxy.net.directory import WAIT_SECONDS
from proxy.net.doubt import Backend
from proxy.net.hub import Hub, ProfileKey
from proxy.net.lender import Request
from proxy.net.origin import OriginConnection, Wanted
from proxy.net.pool import Waiter
from proxy.net.tasks import spawn
from proxy.session.audit import Sample
from proxy.session.own import Rows
from proxy.session.port import CATALOGUE, FLIGHT, ORIGIN, ROOM, WORKERS
from proxy.session.probe import Learnt
from proxy.session.session import Session
from proxy.session.shapes import Shape
from proxy.wire import backend

logger = logging.getLogger(__name__)

# The longest time a session waits for somebody else's fill before it asks for itself.
_FOLLOW_SECONDS: Final = 1.0
# How long what a vanished client has sent may take before
# its connection is given up (and watched as in doubt).
_SETTLE_SECONDS: Final = 60.0

# What a client may send behind its login before that is answered; more is left in the socket.
_MAX_EARLY_BYTES: Final = 256 * 1024

SHUTDOWN: Final = backend.error_response(
    "FATAL",
    "57P01",
    "terminating connection due to administrator command",
    hint="The proxy is shutting down.",
)
_FAILED: Final = backend.error_response(
    "FATAL", "XX000", "the proxy failed in a way that nobody foresaw: its log tells more"
)


class ClientConnection(asyncio.Protocol):
    """A client of ``hub``; ``log_in`` is what makes a
    session of it. Implements ``proxy.session.port.Port``.
    """

    def __init__(self, hub: Hub, log_in: Callable[[ClientConnection], Awaitable[None]]) -> None:
        self.hub = hub
        self.session: Session | None = None
        self.origin: OriginConnection | None = None
        self.wanted: Wanted | None = None
        self.login: ProfileKey | None = None
        self.role_oid = ""
        self.pid = 0
        self.secret = b""
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._log_in = log_in
        self._client_spoke = hub.freshness.client_spoke
        self._early = bytearray()
        self._arrived = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._block_timer: asyncio.TimerHandle | None = None
        self._waiter: Waiter | None = None
        self._full = False  # the client does not read fast enough
        self._opening = False  # a connection to the origin is on its way
        self._cancelled: asyncio.Future[None] | None = None  # when the cancel that is on its way has arrived
        self._origin_full = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.hub.clients.add(self)
        self.hub.shared.counters.client_opened()
        spawn(self._begin(), name="login")

    async def _begin(self) -> None:
        try:
            await self._log_in(self)
        except BaseException:  # nobody foresaw it: the client must not wait for an answer that never comes
            self.to_client(_FAILED)
            self.close_client()
            raise

    def data_received(self, data: bytes) -> None:
        session = self.session
        if session is None:
            self._early += data
            self._arrived.set()
            if len(self._early) > _MAX_EARLY_BYTES and self.transport is not None:
                self.transport.pause_reading()
            return
        now = time.monotonic()
        self._client_spoke(now)
        try:
            session.receive(data, now)
        except OrreryError as fault:
            self.refuse(fault)
            return
        if session.hits:
            session.timed(time.monotonic() - now)
        if session.waiting_for:
            self._balance()

    def connection_lost(self, _: Exception | None) -> None:
        self.gone = True
        self._arrived.set()
        self._nothing_is_cancelled()
        self.hub.clients.discard(self)
        self.hub.shared.counters.client_closed()
        self._cancel_timer()
        if self.pid:
            self.hub.unregister(self.pid)
        self._withdraw()
        session = self.session
        if session is not None:
            session.database.sessions -= 1
        if session is None:
            self._part()
            return
        if session.client_gone(time.monotonic()):
            assert self.origin is not None
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_SETTLE_SECONDS, self.origin.abort)
        else:
            self.drop_origin()

    def _part(self) -> None:
        """Once nobody is left on either side: client, session and socket hold each other in a ring, which the
        garbage collector may have been told to leave alone (``janitor``). Here they let go of each other.
        """
        if not self.gone or self.origin is not None or self._opening:
            return
        self._cancel_timer()
        self.transport = None
        session, self.session = self.session, None
        if session is not None:
            self.hub.lender.departed(session.guest)
            session.part()

    def pause_writing(self) -> None:
        self._full = True
        if self.session is not None:
            self.session.client_is_full = True
        self._balance()

    def resume_writing(self) -> None:
        self._full = False
        if self.session is not None:
            self.session.client_is_full = False
            self._resume(ROOM)
        self._balance()

    # Before there is a session

    async def more(self) -> bytes:
        """The bytes that have arrived since the last call; b"" once the client is gone."""
        while not self._early and not self.gone:
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._early)
        self._early.clear()
        if self.transport is not None and not self.gone:
            _read(self.transport, True)
        return data

    def begin_session(self, session: Session, rest: bytes) -> None:
        """The login is over: from now on bytes are the
        session's. ``rest``: what came behind the login already.
        """
        self.session = session
        session.database.sessions += 1
        rest += bytes(self._early)
        self._early.clear()
        if rest:
            self.data_received(rest)
        self._balance()

    def refuse(self, fault: OrreryError) -> None:
        """Tell the client why, and close; its origin with
        it, for what was half sent must not be carried out.
        """
        logger.info("client=%s event=refused sqlstate=%s reason=%s", self.pid, fault.sqlstate, fault)
        self.to_client(backend.error_response("FATAL", fault.sqlstate, str(fault)))
        self.close_client()

    # What a session asks for (proxy.session.port.Port)

    def to_client(self, data: bytes) -> None:
        if self.transport is not None and not self.gone:
            self.transport.write(data)

    def close_client(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def need_origin(self) -> None:
        assert self.session is not None
        assert self.wanted is not None
        if not self.session.shared.options.sharing:
            self.hub.shared.counters.origin_waiting += 1
            self._opening = True
            spawn(self._open_origin(self.wanted), name="origin")
            return
        assert self.login is not None
        session = self.session
        waits = self.hub.lender.want(
            Request(
                self.login,
                self.wanted,
                self.attach,
                self._no_origin,
                session.guest,
                session.state.customs,
            )
        )
        if self.hub.lender.is_waiting(waits):
            self._waiter = waits

    async def _open_origin(self, wanted: Wanted) -> None:
        try:
            connection = await origins.connect(self.hub.url, wanted)
        except OrreryError as fault:
            self._no_origin(fault)
        except BaseException:
            self.close_client()
            raise
        else:
            self.attach(connection)
        finally:
            self.hub.shared.counters.origin_waiting -= 1
            self._opening = False
            self._part()

    def _no_origin(self, fault: OrreryError) -> None:
        assert self.session is not None
        self._waiter = None
        logger.warning("client=%s event=no_origin sqlstate=%s reason=%s", self.pid, fault.sqlstate, fault)
        self.session.origin_failed(fault, time.monotonic())
        self._balance()

    def _withdraw(self) -> None:
        if self._waiter is not None:
            self.hub.lender.withdraw(self._waiter)
            self._waiter = None

    def attach(self, connection: OriginConnection) -> None:
        """Lend ``connection`` to the session."""
        session = self.session
        assert session is not None
        assert connection.learnt is not None
        self._waiter = None
        replaced = self._replaced(connection.learnt)
        if self.gone or replaced:
            connection.close()
            if not self.gone:
                self.refuse(DatabaseReplaced(f"the {replaced} was dropped, another one has its name now"))
            return
        self.origin = connection
        self.hub.serves(connection.process_id, self.pid)
        if connection.standing is None:
            self.hub.shared.counters.origin_open += 1
            self.hub.met(connection)
        connection.on_pressure = self._origin_pressure
        session.origin_attached(connection, connection.learnt, connection.statuses, time.monotonic())
        if self.origin is connection:
            connection.lend(self._from_origin, self._origin_lost)
        self._balance()

    def _replaced(self, learnt: Learnt) -> str:
        """What this connection speaks for is not what the client has logged in to; "" if it is."""
        assert self.session is not None
        if learnt.database != self.session.database.oid:
            return "database"
        return "role" if learnt.role_oid != self.role_oid else ""

    def borrow_origin(self) -> bool:
        assert self.session is not None
        session = self.session
        connection = self.hub.lender.borrow(self.login, session.guest, session.state.customs)
        if connection is not None:
            self.attach(connection)
        return self.origin is not None

    def withdraw_origin(self) -> bool:
        if self._waiter is None:
            return False
        self._withdraw()
        return True

    def hold_block(self, seconds: float) -> None:
        if self._block_timer is None:
            self._block_timer = asyncio.get_running_loop().call_later(seconds, self._open_block)

    def _open_block(self) -> None:
        self._block_timer = None
        if self.session is None or self.gone:
            return
        try:
            again = self.session.open_block(time.monotonic())
        except OrreryError as fault:
            self.refuse(fault)
            return
        if again > 0.0:
            self.hold_block(again)
        self._balance()

    def give_back_origin(self, *, usable: bool) -> None:
        assert self.session is not None
        connection, self.origin = self.origin, None
        self._origin_full = False
        if connection is not None:
            if connection.transport is not None:
                _read(connection.transport, True)
            self.hub.lender.give_back(connection, usable=usable, guest=self.session.guest)

    def drop_origin(self) -> None:
        """The connection is closed, unless others may have it."""
        assert self.session is not None
        self.session.leave()
        if self.origin is not None:
            self.origin.close()
        self._part()

    def need_catalogue(self) -> bool:
        assert self.session is not None
        wanted = self.hub.directory.read(self.session.database, lambda: self._resume(CATALOGUE))
        if wanted:
            self._resume_later(WAIT_SECONDS, CATALOGUE)
        return wanted

    def catalogue_changed(self, *, everywhere: bool) -> None:
        assert self.session is not None
        self.hub.directory.changed(None if everywhere else self.session.database)

    def shared_change_ahead(self) -> None:
        self.hub.shared_change_ahead()

    def announce(self, suspension: Suspension, reach: Reach, *, ddl: bool) -> None:
        fleet, origin = self.hub.fleet, self.origin
        if fleet is None or origin is None:
            return
        if fleet.announce(suspension, reach, _backend(origin), origin.go_on, ddl=ddl):
            origin.hold()

    def ask_workers(self, purges: Sequence[tuple[str, ...] | None], *, queries: bool) -> bool:
        if self.hub.fleet is None:
            return False
        spawn(self._ask_workers(purges, queries=queries), name="workers")
        return True

    async def _ask_workers(self, purges: Sequence[tuple[str, ...] | None], *, queries: bool) -> None:
        assert self.session is not None
        try:
            for table in purges:
                await self.hub.view.purge_elsewhere(self.session, table)
            await self.hub.view.look(queries=queries)
        finally:
            self._resume(WORKERS)

    def templates(self, role: str | None) -> Sequence[Template]:
        return self.hub.view.templates(role)

    def wake(self, followers: Sequence[Session]) -> None:
        loop = asyncio.get_running_loop()
        for follower in followers:
            loop.call_soon(cast("ClientConnection", follower.port)._resume, FLIGHT)

    def wait_for_flight(self) -> None:
        self._resume_later(_FOLLOW_SECONDS, FLIGHT)

    def in_doubt(self, suspension: Suspension, *, ddl: bool) -> None:
        assert self.session is not None
        database = self.session.database
        then = (lambda: self.hub.directory.changed(database)) if ddl else (lambda: None)
        self.hub.doubts.watch(
            suspension, database.oid, _backend(self.origin), then, cause="ddl" if ddl else "own_write"
        )

    def audit(self, shape: Shape, entry: Entry) -> None:
        session, wanted = self.session, self.wanted
        assert session is not None
        assert wanted is not None
        ticket = session.memory.ticket_of(entry)
        self.hub.auditor.take(Sample(shape, entry, ticket, session.state.scope(), session.now), wanted)

    def translate_notification(self, raw: bytes) -> bytes:
        sender = backend.read_notification(raw).pid
        told = self.hub.told_as(sender)
        return raw if told == sender else backend.with_notification_pid(raw, told)

    def purge(self, table: tuple[str, ...] | None) -> Callable[[], None]:
        assert self.session is not None
        return self.hub.view.purge_as(self.session, table)

    def status(self) -> Rows:
        return self.hub.view.status_rows()

    def stats(self) -> Rows:
        return self.hub.view.stat_rows()

    def sees_all_roles(self) -> bool:
        assert self.session is not None
        return self.hub.view.sees_all_roles(self.session)

    # Cancel and shutdown

    async def cancel(self) -> None:
        """CancelRequest with this client's key: cancel what runs for it, wherever that is. When it is over it
        can hit nothing any more that the client says from then on.
        """
        session = self.session
        if session is None:
            return
        waits_in_line = session.waiting_for == ORIGIN and self._waiter is not None
        if session.may_give_up and (session.waiting_for == FLIGHT or waits_in_line):
            session.cancel_waiting(time.monotonic())
            self._balance()
        elif self.origin is not None:
            is_due = session.may_be_cancelled()
            if self._cancelled is None and (is_due or session.uplink.cancel_waits):
                self._cancelled = asyncio.get_running_loop().create_future()
            if is_due:
                self.pass_on_cancel()
        if self._cancelled is not None:
            await asyncio.wait((self._cancelled,))

    def _nothing_is_cancelled(self) -> None:
        if self._cancelled is not None:
            self._cancelled.set_result(None)
            self._cancelled = None

    def pass_on_cancel(self) -> None:
        if self.origin is not None:
            # Sent before the statement it would find nothing to cancel.
            self.origin.when_sent(self._send_cancel)

    def _send_cancel(self) -> None:
        if self.origin is None:
            self._nothing_is_cancelled()
            return
        self.origin.cancels += 1
        spawn(self._cancel(self.origin), name="cancel")

    async def _cancel(self, connection: OriginConnection) -> None:
        """What runs at ``connection``: until the cancel has arrived nobody else gets it."""
        await origins.cancel(self.hub.url, connection)
        connection.cancels -= 1
        if not connection.cancels:
            self.hub.lender.quiet(connection)
            self._nothing_is_cancelled()

    def refuse_shutdown(self) -> None:
        """Close whatever runs: the time to drain is over."""
        self.to_client(SHUTDOWN)
        self.close_client()

    def close_if_idle(self) -> bool:
        """Close with a word of goodbye if nothing runs for this client; for a shutdown."""
        session = self.session
        if session is not None and not session.is_idle:
            return False
        self.to_client(SHUTDOWN)
        self.close_client()
        return True

    # The origin's side

    def _from_origin(self, data: bytes) -> None:
        assert self.session is not None
        assert self.origin is not None
        waited = self.session.waiting_for
        try:
            self.session.origin_received(data, time.monotonic())
        except OrreryError as fault:
            logger.error("client=%s event=origin_broke_protocol reason=%s", self.pid, fault)
            self.origin.abort()
            return
        if waited != self.session.waiting_for:
            self._balance()
        if self.gone and self.session.is_settled:
            self.drop_origin()

    def _origin_lost(self) -> None:
        assert self.session is not None
        if self.origin is None:
            return
        if self.origin.standing is None:
            self.hub.serves_no_more(self.origin.process_id)
            self.hub.shared.counters.origin_open -= 1
        else:
            self.hub.lender.lost(self.origin)
        self.session.origin_lost(time.monotonic())
        self._nothing_is_cancelled()
        self.origin = None
        self._origin_full = False
        self._balance()
        self._part()

    def _origin_pressure(self, full: bool) -> None:
        self._origin_full = full
        self._balance()

    # Waiting and balance

    def _resume_later(self, seconds: float, what: int) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._resume, what)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _resume(self, what: int) -> None:
        session = self.session
        if session is None or self.gone or session.waiting_for != what:
            return
        self._cancel_timer()
        try:
            session.resume(time.monotonic())
        except OrreryError as fault:
            self.refuse(fault)
            return
        session.timed(0.0)
        self._balance()

    def _balance(self) -> None:
        """Read from each side only while the other can take it."""
        session = self.session
        if self.transport is not None and not self.gone and session is not None:
            _read(self.transport, not (self._origin_full or session.waiting_for))
        if self.origin is not None and self.origin.transport is not None:
            _read(self.origin.transport, not self._full or self.gone)


def _backend(origin: OriginConnection | None) -> Backend:
    learnt = origin.learnt if origin is not None else None
    return Backend(learnt.process_id if learnt else 0, learnt.backend_start if learnt else "")


def _read(transport: asyncio.Transport, wanted: bool) -> None:
    if transport.is_closing() or transport.is_reading() == wanted:
        return
    if wanted:
        transport.resume_reading()
    else:
        transport.pause_reading()
