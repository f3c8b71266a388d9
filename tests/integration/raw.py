"""A client that says exactly what a test tells it to, in bytes."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from typing import TYPE_CHECKING, Self, final

from proxy.session.credentials import PasswordKnown
from proxy.session.handshake import OriginLogin
from proxy.wire import startup
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from proxy.wire.passwords import make_secret
from tests.integration.proxy import PATIENCE_SECONDS
from tests.postgres import HOST, PASSWORD, SUPERUSER

if TYPE_CHECKING:
    from tests.integration.place import Place


@final
class RawClient:
    """A socket to the proxy; every wait is bounded. ``logged_in`` is the usual way to one."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect((HOST, port))
        self.process_id = 0
        self.secret = b""
        self._splitter = FrameSplitter(1 << 30, BACKEND)
        self._frames: list[Frame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @classmethod
    def logged_in(cls, place: Place, receive_buffer: int = 0) -> RawClient:
        """A superuser of the place's database."""
        client = cls(place.proxy.port, receive_buffer)
        nonce = b64encode(os.urandom(18))
        key = PasswordKnown(PASSWORD, make_secret(PASSWORD, os.urandom(16)))
        dialogue = OriginLogin(SUPERUSER, key, nonce, None, tls=False).run(
            {"user": SUPERUSER, "database": place.origin.name}
        )
        say = next(dialogue)
        try:
            while True:
                client.send(say)
                say = dialogue.send(client.frame())
        except StopIteration as end:
            client.process_id, client.secret = end.value.process_id, end.value.secret
        return client

    def send(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self.socket.sendall(data)

    def frame(self) -> Frame:
        """The next message. Raises EOFError once the proxy has closed."""
        while not self._frames:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self._frames += self._splitter.feed(data)
        return self._frames.pop(0)

    def until_ready(self) -> list[Frame]:
        """Messages up to ReadyForQuery, which is the last of them."""
        frames = [self.frame()]
        while frames[-1].kind != ord("Z"):
            frames.append(self.frame())
        return frames

    def until_closed(self) -> bytes:
        """The kinds of the messages that still come before the proxy closes."""
        kinds = bytearray()
        try:
            while True:
                kinds.append(self.frame().kind)
        except (EOFError, ConnectionResetError):
            return bytes(kinds)

    def cancel(self) -> None:
        """Send CancelRequest with this client's key, over a connection of its own."""
        with RawClient(self.socket.getpeername()[1]) as other:
            other.send(startup.cancel_request(self.process_id, self.secret))
            assert other.until_closed() == b""
