"""A client that does as little itself as can be: its latencies are the server's."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from functools import cache
from typing import Final, Self

from bench.stage import DATABASE
from proxy.session.credentials import PasswordKnown
from proxy.session.handshake import OriginLogin
from proxy.wire import backend
from proxy.wire.framing import BACKEND, FrameSplitter
from proxy.wire.passwords import make_secret
from tools.embedded import HOST, PASSWORD, SUPERUSER

_WAIT_SECONDS: Final = 60.0
_READY: Final = backend.READY_IDLE
_CHUNK: Final = 1 << 18


@cache
def _key() -> PasswordKnown:
    return PasswordKnown(PASSWORD, make_secret(PASSWORD, os.urandom(16)))


class Speaker:
    """The superuser, logged in on ``port``; every wait is bounded. ``receive_buffer``: bytes, 0: as usual."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(_WAIT_SECONDS)
        self.socket.connect((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._log_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, frames: bytes) -> bytes:
        """Send these, and give all that comes up to the ReadyForQuery of an idle session."""
        self.socket.sendall(frames)
        said = self.socket.recv(_CHUNK)
        while not said.endswith(_READY):
            more = self.socket.recv(_CHUNK)
            if not more:
                raise EOFError("the server has closed the connection")
            said += more
        return said

    def count(self, frames: bytes) -> int:
        """As ``ask``, but what comes is only counted, in bytes, however much it is."""
        self.socket.sendall(frames)
        total, tail, room = 0, b"", bytearray(_CHUNK)
        while tail != _READY:
            got = self.socket.recv_into(room)
            if not got:
                raise EOFError("the server has closed the connection")
            total += got
            tail = (tail + bytes(room[max(0, got - len(_READY)) : got]))[-len(_READY) :]
        return total

    def _log_in(self) -> None:
        login = OriginLogin(SUPERUSER, _key(), b64encode(os.urandom(18)), None, tls=False)
        dialogue = login.run({"user": SUPERUSER, "database": DATABASE})
        splitter = FrameSplitter(1 << 20, BACKEND)
        say = next(dialogue)
        try:
            while True:
                self.socket.sendall(say)
                frames = splitter.feed(self.socket.recv(_CHUNK))
                say = b""
                for frame in frames:
                    say += dialogue.send(frame)
        except StopIteration:
            return
