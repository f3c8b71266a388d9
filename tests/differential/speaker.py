"""A client that sends raw messages and keeps every byte of the replies. libpq only logs it in."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final, Self, final

import psycopg

from proxy.wire.framing import BACKEND, Frame, FrameSplitter

if TYPE_CHECKING:
    from tests.differential.messages import Part, Step

_MAX_FRAME: Final = 1 << 26
# The longest wait for a reply; what takes longer hangs.
_REPLY_SECONDS: Final = 20.0


@final
class Speaker:
    """One connection to ``url``; ``pid`` is the process id that its login was given."""

    def __init__(self, url: str) -> None:
        self._login = psycopg.connect(url, autocommit=True, sslmode="disable", gssencmode="disable")
        self.pid = self._login.info.backend_pid
        self._socket = socket.socket(fileno=os.dup(self._login.fileno()))
        self._socket.settimeout(_REPLY_SECONDS)
        self._frames = FrameSplitter(_MAX_FRAME, BACKEND)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._login.close()

    def say(self, step: Step) -> list[Frame]:
        """Send a step, part by part; every message that came back."""
        return [frame for part in step.parts for frame in self._exchange(part)]

    def _exchange(self, part: Part) -> list[Frame]:
        self._socket.sendall(part.frames)
        frames: list[Frame] = []
        left = part.count
        while left > 0:
            arrived = self._socket.recv(1 << 16)
            if not arrived:
                raise ConnectionError(f"connection closed after {[chr(f.kind) for f in frames]}")
            for frame in self._frames.feed(arrived):
                frames.append(frame)
                left -= frame.kind in part.until
        return frames
