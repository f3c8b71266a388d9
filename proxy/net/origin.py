"""One connection to the origin: opened, logged in, asked who it is, then lent to a session.

Source: PostgreSQL docs, protocol-flow, "SSL Session Encryption", "Start-up".
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from proxy.errors import (
    OriginProtocolError,
    OriginRefused,
    OriginUnreachable,
    OrreryError,
)
from proxy.net.tls import tls_context
from proxy.origin_url import OriginUrl
from proxy.session import probe
from proxy.session.credentials import LoginKey
from proxy.session.handshake import OriginGreeting, OriginLogin, refused
from proxy.session.standing import Standing
from proxy.wire import backend, frontend, startup
from proxy.wire.certificate import end_point_hash
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from proxy.wire.scram import NONCE_BYTES

T = TypeVar("T")

# Bytes of one message during a login; its longest is a list of settings.
_LOGIN_MESSAGE = 1 << 20

_STANDBY, _READ_ONLY = "in_hot_standby", "default_transaction_read_only"
# What each value of target_session_attrs makes of a session in which one of these is on; with a single host
# the values that are not here are content with any. Source: PostgreSQL docs, libpq-connect,
# "target_session_attrs"; protocol-flow, "Asynchronous Operations".
_UNWANTED = {"read-write": (_STANDBY, _READ_ONLY), "primary": (_STANDBY,)}
_WANTED = {"read-only": (_STANDBY, _READ_ONLY), "standby": (_STANDBY,)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A login to have: who, how it is proven, where, with which startup parameters."""

    user: str
    key: LoginKey
    parameters: dict[str, str]


class OriginConnection(asyncio.Protocol):
    """``on_data`` and ``on_lost`` are its session's once it is lent; before, frames go to the dialogue.

    ``process_id`` and ``secret`` cancel what runs on it; ``cancels`` are on their way to it now, and
    ``in_doubt``: one may be for ever. ``standing`` is what it holds where sessions share it.
    """

    def __init__(self) -> None:
        self.process_id = 0
        self.secret = b""
        self.notices: list[bytes] = []
        self.statuses: dict[str, str] = {}
        self.learnt: probe.Learnt | None = None
        self.standing: Standing | None = None
        self.cancels = 0
        self.in_doubt = False
        self.asked_for_proof = False
        self.on_data: Callable[[bytes], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self.on_pressure: Callable[[bool], None] | None = None
        self.transport: asyncio.Transport | None = None
        self._keeper: tuple[Callable[[bytes], None], Callable[[], None]] | None = None
        self._splitter = FrameSplitter(_LOGIN_MESSAGE, BACKEND)
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._byte: asyncio.Future[bytes] | None = None
        self._lost = False
        self._full = False
        self._holds = 0
        self._held: list[bytes] = []
        self._behind: list[Callable[[], None]] = []

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.on_data is not None:
            self.on_data(data)
        elif self._byte is not None and not self._byte.done():
            self._byte.set_result(data)
        else:
            try:
                for frame in self._splitter.feed(data):
                    self._frames.put_nowait(frame)
            except OrreryError:
                self.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._lost = True
        self._held.clear()
        self._behind.clear()
        self._frames.put_nowait(None)
        if self._byte is not None and not self._byte.done():
            self._byte.set_result(b"")
        if self.on_lost is not None:
            self.on_lost()
        # What its keeper gave holds this connection, which must not hold itself.
        self._keeper = self.on_data = self.on_lost = None

    def pause_writing(self) -> None:
        self._full = True
        if self.on_pressure is not None:
            self.on_pressure(True)

    def resume_writing(self) -> None:
        self._full = False
        if self.on_pressure is not None and not self._holds:
            self.on_pressure(False)

    # What a session asks of it

    def send(self, data: bytes) -> None:
        """Queue bytes for the origin."""
        if self._holds:
            self._held.append(data)
        elif self.transport is not None and not self._lost:
            self.transport.write(data)

    def when_sent(self, then: Callable[[], None]) -> None:
        """Call ``then`` when nothing is held back, now if so; never where the connection is lost before."""
        if self._holds:
            self._behind.append(then)
        else:
            then()

    def hold(self) -> None:
        """Send nothing more until ``go_on`` was called as often as this."""
        self._holds += 1
        if self.on_pressure is not None:
            self.on_pressure(True)

    def go_on(self) -> None:
        """What was held is sent, in its order."""
        self._holds -= 1
        if self._holds:
            return
        if self._held and self.transport is not None and not self._lost:
            self.transport.write(b"".join(self._held))
        self._held.clear()
        behind, self._behind = self._behind, []
        for then in behind:
            then()
        if self.on_pressure is not None and not self._full:
            self.on_pressure(False)

    def close(self) -> None:
        """Say goodbye and close, once what is queued has left."""
        self._held.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(frontend.TERMINATE_FRAME)
            self.transport.close()

    def abort(self) -> None:
        """Close at once, whatever is queued."""
        if self.transport is not None:
            self.transport.abort()

    def lend(self, on_data: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """From now on what arrives is somebody's, what came behind the dialogue included."""
        in_dialogue = self.on_data is None
        self.on_data, self.on_lost = on_data, on_lost
        if in_dialogue:
            self._hand_over(on_data)
        if self._lost:
            on_lost()

    def _hand_over(self, on_data: Callable[[bytes], None]) -> None:
        """What has arrived behind the dialogue, bytes of an incomplete frame included."""
        frames = b""
        while not self._frames.empty():
            frame = self._frames.get_nowait()
            frames += frame.raw if frame is not None else b""
        rest = frames + self._splitter.release()
        if rest:
            on_data(rest)

    def keep(self, on_data: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Whose it is while it is lent to nobody."""
        self._keeper = (on_data, on_lost)

    def rest(self) -> None:
        """Nobody needs it now; its keeper knows already if it was lost."""
        self.on_pressure = None
        if self._keeper is not None:
            self.lend(*self._keeper)

    async def until_closed(self) -> None:
        """Until the other side has closed."""
        while await self._frames.get() is not None:
            pass

    # Dialogues

    async def talk(self, dialogue: Generator[bytes, Frame, T]) -> T:
        """Play our part of a dialogue to its end."""
        say = next(dialogue)
        while True:
            if say:
                self.send(say)
            frame = await self._frames.get()
            if frame is None:
                raise OriginUnreachable("the origin closed the connection during the login")
            try:
                say = dialogue.send(frame)
            except StopIteration as end:
                return cast("T", end.value)

    async def answer_byte(self) -> bytes:
        """One byte, outside of all messages: the answer to SSLRequest."""
        self._byte = asyncio.get_running_loop().create_future()
        try:
            return await self._byte
        finally:
            self._byte = None


def introduction() -> Generator[bytes, Frame, probe.Learnt]:
    """Ask a new connection who it is and how it is set: one flight."""
    frame = yield probe.FRAMES + frontend.SYNC_FRAME
    learnt: probe.Learnt | None = None
    fault: OriginRefused | None = None
    while frame.kind != backend.READY_FOR_QUERY:
        if frame.kind == backend.DATA_ROW:
            learnt = probe.read(frame.raw)
        elif frame.kind == backend.ERROR_RESPONSE:
            fault = refused(frame.raw)
        frame = yield b""
    if fault is not None:
        raise fault
    if learnt is None:
        raise OriginProtocolError("the origin did not answer what its settings are")
    return learnt


async def connect(url: OriginUrl, wanted: Wanted, seconds: float | None = None) -> OriginConnection:
    """A connection, logged in and introduced. Raises ``OriginFault`` or ``AuthenticationFailed``.

    ``seconds`` bounds the whole; by default what the URL says.
    """
    try:
        async with asyncio.timeout(seconds if seconds is not None else url.connect_seconds):
            return await _connect(url, wanted)
    except TimeoutError:
        raise OriginUnreachable(f"the origin at {url.host}:{url.port} did not answer in time") from None
    except ssl.SSLError as error:
        raise OriginUnreachable(
            f"TLS to the origin at {url.host}:{url.port} failed: {error.reason}"
        ) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise OriginUnreachable(f"the origin at {url.host}:{url.port} cannot be reached: {reason}") from None


async def _connect(url: OriginUrl, wanted: Wanted) -> OriginConnection:
    mode, context = tls_context(url)
    attempts: list[ssl.SSLContext | None] = [context]
    if mode == "allow":
        attempts = [None, context]
    elif mode == "prefer":
        attempts = [context, None]
    for number, attempt in enumerate(attempts, start=1):
        try:
            return await _attempt(url, wanted, attempt, optional=mode == "prefer")
        except (OriginRefused, ssl.SSLError) as fault:
            if number == len(attempts) or not _worth_another_attempt(fault):
                raise
    raise OriginUnreachable(f"the origin at {url.host}:{url.port} cannot be reached")


def _worth_another_attempt(fault: Exception) -> bool:
    """Is this a refusal of the way, rather than of the user? pg_hba has no matching line: 28000."""
    return isinstance(fault, ssl.SSLError) or (isinstance(fault, OriginRefused) and fault.sqlstate == "28000")


async def _attempt(
    url: OriginUrl, wanted: Wanted, context: ssl.SSLContext | None, *, optional: bool
) -> OriginConnection:
    connection = await _open(url)
    try:
        binding = None
        if context is not None:
            binding = await _encrypt(connection, url, context, optional=optional)
        tls = binding is not None
        nonce = b64encode(os.urandom(NONCE_BYTES))
        login = OriginLogin(
            wanted.user,
            wanted.key,
            nonce,
            None if url.channel_binding == "disable" else binding or None,
            tls=tls,
            must_bind=url.channel_binding == "require",
        )
        greeting = await connection.talk(login.run(wanted.parameters))
        _greet(connection, greeting, asked=login.asked)
        if not suits(url.target_session_attrs, greeting.statuses):
            wanted_attribute = f"target_session_attrs={url.target_session_attrs}"
            raise OriginUnreachable(
                f"the session at the origin {url.host}:{url.port} is not what {wanted_attribute} asks for"
            )
        connection.learnt = await connection.talk(introduction())
    except BaseException:
        connection.abort()
        raise
    return connection


def _greet(connection: OriginConnection, greeting: OriginGreeting, *, asked: bool) -> None:
    connection.process_id = greeting.process_id
    connection.secret = greeting.secret
    connection.notices = greeting.notices
    connection.statuses = greeting.statuses
    connection.asked_for_proof = asked


def suits(target_session_attrs: str, statuses: Mapping[str, str]) -> bool:
    """Is this what the URL asks for, by the settings that the origin reported? What it keeps back is not."""
    unwanted, wanted = _UNWANTED.get(target_session_attrs), _WANTED.get(target_session_attrs)
    if unwanted is not None:
        return all(statuses.get(name) == "off" for name in unwanted)
    return wanted is None or any(statuses.get(name) == "on" for name in wanted)


async def _open(url: OriginUrl) -> OriginConnection:
    loop = asyncio.get_running_loop()
    if url.socket_directory is not None:
        path = f"{url.socket_directory}/.s.PGSQL.{url.port}"
        _, connection = await loop.create_unix_connection(OriginConnection, path)
    else:
        _, connection = await loop.create_connection(OriginConnection, url.connect_host, url.port)
    return connection


async def _encrypt(
    connection: OriginConnection, url: OriginUrl, context: ssl.SSLContext, *, optional: bool
) -> bytes | None:
    """Go on under TLS. The binding data of the origin's
    certificate (b"" where it has none); None without TLS.
    """
    if url.sslnegotiation != "direct":
        connection.send(startup.SSL_REQUEST)
        answer = await connection.answer_byte()
        if answer == b"N" and optional:
            return None
        if answer != b"S":  # more than one byte would be somebody's injected plain text
            raise OriginUnreachable(
                f"the origin at {url.host}:{url.port} does not speak TLS (sslmode={url.sslmode})"
            )
    loop = asyncio.get_running_loop()
    assert connection.transport is not None
    transport = await loop.start_tls(connection.transport, connection, context, server_hostname=url.host)
    if transport is None:
        raise OriginUnreachable("the origin closed the connection during the TLS handshake")
    connection.transport = transport
    certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    with contextlib.suppress(ValueError):
        return end_point_hash(certificate or b"") or b""
    return b""


async def cancel(url: OriginUrl, target: OriginConnection) -> None:
    """Ask the origin to cancel what that backend runs; it never answers. By TLS where the URL wants it.

    It is over when the origin closes: by then the backend has been told. Where that is not seen, it may hit
    whatever runs there next, at any time (``in_doubt``).
    Source: PostgreSQL docs, protocol-flow, "Canceling Requests in Progress".
    """
    is_over = False
    with contextlib.suppress(OSError, OrreryError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(url.connect_seconds):
            connection = await _open(url)
            try:
                mode, context = tls_context(url)
                if context is not None and mode != "allow":
                    await _encrypt(connection, url, context, optional=mode == "prefer")
                connection.send(startup.cancel_request(target.process_id, target.secret))
                await connection.until_closed()
                is_over = True
            finally:
                connection.abort()
    target.in_doubt |= not is_over
