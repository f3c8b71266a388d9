"""From a new connection to a session: TLS if wanted, who the client is, whether the origin would let it in.

Source: PostgreSQL docs, protocol-flow, "Start-up", "SSL Session Encryption"; protocol-changes (3.2).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from base64 import b64encode
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from proxy.errors import (
    AuthenticationFailed,
    ClientFault,
    FrameError,
    OriginRefused,
    OriginUnreachable,
    OrreryError,
    TooManyClients,
    UnsupportedFeature,
)
from proxy.net import origin as origins
from proxy.net.hub import Profile, ProfileKey
from proxy.net.origin import OriginConnection, Wanted
from proxy.net.roles import Known
from proxy.session import handshake
from proxy.session.credentials import LoginKey, Trusted
from proxy.session.session import Session
from proxy.session.state import State
from proxy.wire import backend, frontend, startup
from proxy.wire.framing import Frame, FrameSplitter
from proxy.wire.scram import NONCE_BYTES
from proxy.wire.startup import CancelRequest, GSSENCRequest, SSLRequest, StartupMessage

if TYPE_CHECKING:
    from proxy.net.client import ClientConnection
    from proxy.net.hub import Hub

logger = logging.getLogger(__name__)

_TLS_FIRST_BYTE: Final = 0x16  # a client that goes straight to TLS (sslnegotiation=direct)


class ClientLeft(ClientFault):
    """The client closed the connection before its login was over; nobody is left to be told."""


async def log_in(client: ClientConnection) -> None:
    """The whole login of one client, bounded in time; what goes wrong is told to this client alone."""
    hub = client.hub
    login = Login(client)
    try:
        async with asyncio.timeout(hub.options.login_seconds):
            await login.run()
    except ClientLeft:
        client.close_client()
    except TimeoutError:
        logger.info("event=login_timeout seconds=%s", hub.options.login_seconds)
        if login.began:
            client.refuse(LoginTimedOut("canceling authentication due to timeout"))
        client.close_client()
    except OriginRefused as fault:
        # The origin's own words, at the place where it says them.
        admitted = login.last_word + backend.AUTHENTICATION_OK_FRAME if fault.admitted else b""
        client.to_client(admitted + fault.fields)
        client.close_client()
    except OrreryError as fault:
        client.refuse(fault)


class LoginTimedOut(ClientFault):
    """``--login-seconds`` are over. PostgreSQL tells it likewise to those who have sent a startup packet."""

    sqlstate = "57014"  # query_canceled


class Login:
    """One login; every method is a step of ``run``. ``last_word`` ends the exchange that proves who it is.

    ``began``: the startup packet is there, so that an error will be understood.
    """

    def __init__(self, client: ClientConnection) -> None:
        self._client = client
        self._hub: Hub = client.hub
        self._held = b""
        self._encrypted = False
        self.began = False
        self.last_word = b""

    async def run(self) -> None:
        """Raises ``OrreryError`` with what the client is to be told, or ``ClientLeft``."""
        message = await self._startup()
        if message is None:
            return
        self.began = True
        if len(self._hub.clients) > self._hub.options.max_clients:
            raise TooManyClients("sorry, too many clients already")
        if self._hub.draining:
            raise _shutting_down()
        user = message.parameters["user"]
        parameters = self._origin_parameters(message)
        known = await self._hub.roles.find(user)
        if message.minor > 0 or message.unrecognised():
            self._client.to_client(startup.negotiate_protocol_version(message.unrecognised()))
        key, self.last_word = await self._admit(user, known)
        if not known.is_valid():
            raise AuthenticationFailed(handshake.FAILED.format(user))
        await self._enter(Wanted(user, key, parameters), asking=not known.can_login)

    # The first packets

    async def _startup(self) -> StartupMessage | None:
        """The startup message; None where the connection was for something else."""
        while True:
            found = startup.read_packet(self._held) if self._held[:1] != bytes((_TLS_FIRST_BYTE,)) else None
            if found is None:
                await self._more()
                continue
            packet, size = found
            self._held = self._held[size:]
            if isinstance(packet, StartupMessage):
                return packet
            if isinstance(packet, CancelRequest):
                await self._cancel(packet)
                return None
            await self._encryption(packet)

    async def _more(self) -> None:
        data = await self._client.more()
        if not data:
            raise ClientLeft("the client left during its login")
        self._held += data
        if not self._encrypted and self._held[:1] == bytes((_TLS_FIRST_BYTE,)):
            raise FrameError("direct TLS is not served: use sslnegotiation=postgres")

    async def _encryption(self, packet: SSLRequest | GSSENCRequest) -> None:
        if self._held:
            # Bytes behind the request would be read as if they had come encrypted.
            raise FrameError("received unencrypted data after SSL request")
        tls = self._hub.tls
        if isinstance(packet, GSSENCRequest) or tls is None or self._encrypted:
            self._client.to_client(b"N")
            return
        transport = self._client.transport
        assert transport is not None
        transport.pause_reading()
        self._client.to_client(b"S")
        loop = asyncio.get_running_loop()
        try:
            encrypted = await loop.start_tls(transport, self._client, tls.context, server_side=True)
        except OSError as fault:
            logger.info("event=tls_failed reason=%s", fault)
            raise ClientLeft("the TLS handshake failed") from None
        if encrypted is None:
            raise ClientLeft("the client left during the TLS handshake")
        self._client.transport = encrypted
        self._encrypted = True

    async def _cancel(self, request: CancelRequest) -> None:
        """Whoever sees us close may go on: nothing that is said from then on is cancelled any more.

        Source: PostgreSQL docs, libpq-cancel; a server closes once it has told the backend.
        """
        target = self._hub.by_cancel_key(request.pid, request.secret)
        if target is not None:
            await target.cancel()
        elif self._hub.fleet is not None:
            await self._hub.fleet.cancel(request.pid, request.secret)
        self._client.close_client()

    # Who it is

    async def _admit(self, user: str, known: Known) -> tuple[LoginKey, bytes]:
        if known.credential is None:
            if self._comes_from_loopback():
                return Trusted(), b""  # the origin has the last word
            raise AuthenticationFailed(handshake.FAILED.format(user))
        binding = self._hub.tls.end_point if self._encrypted and self._hub.tls is not None else None
        nonce = b64encode(os.urandom(NONCE_BYTES))
        dialogue = handshake.admit(user, known.credential, nonce, os.urandom(4), binding)
        splitter = FrameSplitter(frontend.AUTHENTICATION_MESSAGE)
        try:
            say = next(dialogue)
            while True:
                self._client.to_client(say)
                say = dialogue.send(await self._frame(splitter))
        except StopIteration as end:
            result: tuple[LoginKey, bytes] = end.value
            self._held = splitter.release()
            return result

    async def _frame(self, splitter: FrameSplitter) -> Frame:
        while True:
            frames = splitter.feed(self._held)
            self._held = b""
            if frames:
                self._held = b"".join(frame.raw for frame in frames[1:])
                return frames[0]
            await self._more()

    def _comes_from_loopback(self) -> bool:
        assert self._client.transport is not None
        peer = self._client.transport.get_extra_info("peername")
        return isinstance(peer, str) or bool(peer and ip_address(peer[0].split("%")[0]).is_loopback)

    # Whether the origin would let it in, and as what

    def _origin_parameters(self, message: StartupMessage) -> dict[str, str]:
        """The client's own startup parameters, for the origin's startup packet: RESET goes back to them."""
        asked = {n: v for n, v in message.parameters.items() if not n.startswith(startup.PROTOCOL_OPTION)}
        if asked.pop("replication", "off").lower() not in ("off", "false", "no", "0"):
            raise UnsupportedFeature("replication connections are not carried: connect to the origin itself")
        asked.setdefault("database", asked["user"])
        routed = self._hub.url.endpoint_options
        if routed:
            asked["options"] = f"{routed} {asked.get('options', '')}".strip()
        try:
            startup.startup_message(asked)
        except ValueError:  # with the database, or our own options, it is longer than what the client sent
            raise FrameError("invalid length of startup packet") from None
        return asked

    async def _enter(self, wanted: Wanted, *, asking: bool) -> None:
        """``asking``: whatever was learnt of such logins, the origin has to admit this one itself."""
        hub, client = self._hub, self._client
        name = wanted.parameters["database"]
        profile_key: ProfileKey = (wanted.user, name, tuple(sorted(wanted.parameters.items())))
        asking = asking or not hub.shared.options.sharing or isinstance(wanted.key, Trusted)
        profile, connection = await self._learn(profile_key, wanted, asking=asking)
        learnt = profile.learnt
        database = hub.directory.database(name, learnt.database)
        await hub.directory.ready(database)
        if not asking and (database.catalogue is None or database.catalogue.login_triggers):
            # A trigger may refuse this very login, or set what the last one did not.
            profile, connection = await self._origin(profile_key, wanted)
            learnt = profile.learnt
        if client.gone:
            if connection is not None:
                connection.close()
            raise ClientLeft("the client left during its login")
        state = State(learnt.database, learnt.session_user, learnt.values)
        learnt.apply(state, first=True)
        client.wanted, client.login, client.role_oid = wanted, profile_key, learnt.role_oid
        own_pid = connection.process_id if connection is not None else None
        client.pid, client.secret = hub.register(client, own_pid)
        session = Session(client, hub.shared, database, state, profile.statuses)
        client.to_client(self.last_word + _welcome(profile, client.pid, client.secret))
        rest, self._held = self._held, b""
        if connection is not None:
            client.session = session
            client.attach(connection)
        client.begin_session(session, rest)

    async def _learn(
        self, key: ProfileKey, wanted: Wanted, *, asking: bool
    ) -> tuple[Profile, OriginConnection | None]:
        """What is known of such logins. Of many that come at once the first asks the origin, for all."""
        hub = self._hub
        if asking:
            profile, connection = await self._origin(key, wanted)
            hub.learn(key, profile)
            return profile, connection
        async with hub.one_at_a_time(key):
            known = hub.profile(key)
            return (known, None) if known is not None else await self._learn(key, wanted, asking=True)

    async def _origin(self, key: ProfileKey, wanted: Wanted) -> tuple[Profile, OriginConnection | None]:
        """What a real login tells; with the connection, unless others may have it now."""
        hub = self._hub
        try:
            if not hub.shared.options.sharing:
                connection = await origins.connect(hub.url, wanted)
                return _told(connection), connection
            connection = await hub.lender.log_in(key, wanted)
        except OriginUnreachable:
            raise
        except AuthenticationFailed:
            hub.roles.forget()  # the secret we verified with is not the origin's any more
            raise
        hub.lender.give_back(connection, usable=True)
        return _told(connection), None


def _shutting_down() -> OrreryError:
    fault = ClientFault("the proxy is shutting down")
    fault.sqlstate = "57P03"
    return fault


def _told(connection: OriginConnection) -> Profile:
    assert connection.learnt is not None
    return Profile(connection.notices, connection.statuses, connection.learnt, time.monotonic())


def _welcome(profile: Profile, pid: int, secret: bytes) -> bytes:
    parts = [backend.AUTHENTICATION_OK_FRAME, *profile.notices]
    parts += [backend.parameter_status(name, value) for name, value in profile.statuses.items()]
    parts += [backend.backend_key_data(pid, secret), backend.READY_IDLE]
    return b"".join(parts)
