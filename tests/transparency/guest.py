"""A client that logs in by hand, so that every byte of a login can be compared."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from struct import Struct
from typing import TYPE_CHECKING, Final, Self, final

from proxy.errors import OrreryError
from proxy.session.credentials import PasswordKnown
from proxy.session.handshake import OriginLogin
from proxy.wire import backend
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from proxy.wire.passwords import make_secret
from tests.postgres import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 10.0
_HEAD: Final = Struct(">II")
_MAX_FRAME: Final = 1 << 26
# What PostgreSQL tells of its own source; the proxy has none of its lines.
_SOURCE: Final = b"FLR"


def startup(parameters: Mapping[str, str], version: int = 3 << 16) -> bytes:
    """StartupMessage, of any version and with any parameters."""
    pairs = b"".join(word.encode() + b"\0" for pair in parameters.items() for word in pair)
    return _HEAD.pack(len(pairs) + 9, version) + pairs + b"\0"


@final
class Guest:
    """One connection to a port. ``heard``: every message of the server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), SECONDS)
        self.heard: list[Frame] = []
        self._splitter = FrameSplitter(_MAX_FRAME, BACKEND)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def log_in(self, first: bytes, user: str, password: str) -> bool:
        """Send ``first``, prove ``password``; False where the server refuses and closes."""
        key = PasswordKnown(password, make_secret(password, os.urandom(16)))
        dialogue = OriginLogin(user, key, b64encode(os.urandom(18)), None, tls=False).run({"user": user})
        next(dialogue)
        say = first
        try:
            while True:
                if say:
                    self.socket.sendall(say)
                say = dialogue.send(self.hear())
        except StopIteration:
            return True
        except (OrreryError, EOFError):
            self.until_closed()
            return False

    def hear(self) -> Frame:
        """The next message. EOFError: the server has closed."""
        while True:
            for frame in self._splitter.feed(b""):
                self.heard.append(frame)
                return frame
            arrived = self.socket.recv(1)
            if not arrived:
                raise EOFError
            frames = self._splitter.feed(arrived)
            if frames:
                self.heard += frames
                return frames[0]

    def until(self, kind: int) -> list[Frame]:
        """All messages up to one of this kind."""
        heard = [self.hear()]
        while heard[-1].kind != kind:
            heard.append(self.hear())
        return heard

    def until_closed(self) -> list[Frame]:
        """All messages up to the end of the connection."""
        heard: list[Frame] = []
        try:
            while True:
                heard.append(self.hear())
        except (EOFError, ConnectionResetError):
            return heard


def told(frames: list[Frame]) -> list[str]:
    """The messages of a login in words, without what is new in each login (nonces, keys, process ids)."""
    return [_word(frame) for frame in frames]


def _word(frame: Frame) -> str:
    if frame.kind == backend.AUTHENTICATION:
        code, data = backend.read_authentication(frame.raw)
        if code == backend.SASL:
            return f"SASL {backend.sasl_mechanisms(data)!r}"
        if code == backend.SASL_CONTINUE:
            return f"SASL continue {data.partition(b',s=')[2]!r}"
        return f"Authentication {code}" if code != backend.SASL_FINAL else "SASL final"
    if frame.kind == backend.BACKEND_KEY_DATA:
        return f"BackendKeyData of {len(frame.raw)} bytes"
    if frame.kind == backend.ERROR_RESPONSE:
        fields = backend.error_fields(frame.raw)
        return f"error { ({name: text for name, text in fields.items() if name.encode() not in _SOURCE}) }"
    return repr(frame.raw)
