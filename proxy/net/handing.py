"""What travels between the supervising process and a worker: connections one way, signs of life the other."""

from __future__ import annotations

import enum
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, final

_HEAD: Final = Struct(">BIH")  # word, clients closed so far, length of the text behind it
_READ_BYTES: Final = 65536
_WRAPS_AT: Final = 1 << 32


class Told(enum.IntEnum):
    """A worker says: I am ready; I am alive; I cannot begin, and why."""

    READY = 1
    ALIVE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Sign:
    """``closed``: how many of the clients that it was given have left."""

    word: Told
    closed: int
    text: str


@final
class Voice:
    """Reads what one worker says. ``is_over``: it has closed its end."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_over = False

    def listen(self, control: socket.socket) -> Iterator[Sign]:
        """All that has come; never waits."""
        while True:
            try:
                data = control.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.is_over = True
                break
            self._rest += data
        while len(self._rest) >= _HEAD.size:
            word, closed, length = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + length
            if len(self._rest) < end:
                break
            yield Sign(Told(word), closed, self._rest[_HEAD.size : end].decode())
            self._rest = self._rest[end:]


def say(control: socket.socket, word: Told, closed: int, text: str = "") -> None:
    """Of a worker. What cannot be said now is not said: the next sign of life will do."""
    told = text.encode()[:1000]
    try:
        control.send(_HEAD.pack(word, closed % _WRAPS_AT, len(told)) + told)
    except OSError:
        return


def hand(control: socket.socket, connection: socket.socket) -> bool:
    """Give a client's connection to a worker; the caller still closes its own end. False: it takes none."""
    try:
        return socket.send_fds(control, [b"c"], [connection.fileno()]) == 1
    except OSError:
        return False


def take(control: socket.socket) -> Iterator[socket.socket]:
    """Of a worker: the connections that it was given. EOFError: the supervising process is gone."""
    while True:
        try:
            data, files, _, _ = socket.recv_fds(control, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        if not data:
            raise EOFError
        for number in files:
            yield socket.socket(fileno=number)
