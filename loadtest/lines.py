"""One connection over a distance: two sockets, and between them two ways on which bytes take their time."""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast, final

# A line of 8 MiB carries 100 MB/s over a round trip of 80 ms.
MAX_BUFFERED_BYTES: Final = 8 * 1024 * 1024
# Timers of event loops count whole milliseconds and may fire half of one early.
_EARLY_SECONDS: Final = 0.0005


class Direction(enum.Enum):
    """Which way bytes travel."""

    TO_TARGET = "to target"
    TO_CLIENT = "to client"


class End(enum.Enum):
    """What a way carries after its last byte: the half-close of TCP, or its reset."""

    EOF = "eof"
    RESET = "reset"


@dataclass(slots=True)
class Conditions:
    """What the distance does to bytes; a change holds for what is sent from then on.

    ``bytes_per_second`` (None: unlimited) and ``max_buffered_bytes`` are of one way of one line; one read, at
    most 256 KiB, may exceed the latter. In a ``stalled`` direction nothing arrives, and nothing is lost.
    """

    delay_seconds: float
    bytes_per_second: float | None = None
    max_buffered_bytes: int = MAX_BUFFERED_BYTES
    stalled: frozenset[Direction] = frozenset()


@final
class Way:
    """One direction: what has left ``source`` and not yet reached ``sink``, as it came and in order."""

    def __init__(self, direction: Direction, conditions: Conditions, ended: Callable[[End], None]) -> None:
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.blocked = False
        self._direction = direction
        self._conditions = conditions
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[tuple[float, bytes | End]] = deque()
        self._buffered_bytes = 0
        self._free_at = self._due_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    def shut_until(self, moment: float) -> None:
        """Let nothing leave before ``moment`` (loop time): the handshake comes first."""
        self._free_at = moment

    def send(self, item: bytes | End) -> None:
        """Put ``item`` under way, and stop reading from the source when the way is full."""
        size = len(item) if isinstance(item, bytes) else 0
        rate = self._conditions.bytes_per_second
        self._free_at = max(self._loop.time(), self._free_at) + (size / rate if rate else 0.0)
        # A shorter delay than a moment ago does not let bytes overtake.
        self._due_at = max(self._due_at, self._free_at + self._conditions.delay_seconds)
        self._under_way.append((self._due_at, item))
        self._buffered_bytes += size
        self._regulate()
        if self._timer is None:
            self.deliver()

    def deliver(self) -> None:
        """Hand over what is due, as far as the sink takes it, and wait for the rest."""
        self._disarm()
        while self._under_way and self._open():
            due, item = self._under_way[0]
            if due > self._loop.time() + _EARLY_SECONDS:
                self._timer = self._loop.call_at(due, self.deliver)
                break
            self._under_way.popleft()
            self._hand_over(item)
        self._regulate()

    def close(self) -> None:
        """Lose what is under way; nothing is handed over any more."""
        self._disarm()
        self._under_way.clear()
        self.source = self.sink = None

    def _open(self) -> bool:
        return self.sink is not None and not self.blocked and self._direction not in self._conditions.stalled

    def _hand_over(self, item: bytes | End) -> None:
        assert self.sink is not None
        if isinstance(item, End):
            if item is End.EOF:
                # A sink that its peer has just reset cannot be closed by half.
                with suppress(OSError):
                    self.sink.write_eof()
            self._ended(item)
        else:
            self._buffered_bytes -= len(item)
            self.sink.write(item)

    def _regulate(self) -> None:
        """Read from the source while there is room: stop above the bound, go on below half of it."""
        if self.source is None or self.source.is_closing():
            return
        if not self._paused and self._buffered_bytes > self._conditions.max_buffered_bytes:
            self.source.pause_reading()
            self._paused = True
        elif self._paused and self._buffered_bytes <= self._conditions.max_buffered_bytes // 2:
            self.source.resume_reading()
            self._paused = False

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@final
class Endpoint(asyncio.Protocol):
    """A socket at one end of a line: it feeds one way and is fed by the other."""

    def __init__(self, sends: Way, receives: Way, opened: Callable[[], None]) -> None:
        self._sends = sends
        self._receives = receives
        self._opened = opened
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join both ways. What waited for this end is delivered as it becomes due."""
        # uvloop's transports are asyncio's by shape, not by inheritance.
        stream = cast("asyncio.Transport", transport)
        self._transport = self._sends.source = self._receives.sink = stream
        self._opened()
        self._receives.deliver()

    def data_received(self, data: bytes) -> None:
        """Send on."""
        self._sends.send(data)

    def eof_received(self) -> bool:
        """Send the half-close on, and keep our half open for what is still to come back."""
        self._sends.send(End.EOF)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Send a reset on; without an error it was our own closing."""
        self._receives.close()
        self._sends.source = None
        if exc is not None:
            self._sends.send(End.RESET)

    def pause_writing(self) -> None:
        """Let the way fill up: the peer does not read."""
        self._receives.blocked = True

    def resume_writing(self) -> None:
        """Go on: the peer has read."""
        self._receives.blocked = False
        self._receives.deliver()

    def close(self) -> None:
        """Close after what was handed over is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


@final
class Line:
    """Both ends and both ways of one client's connection; ``opened`` and ``closed`` tell its relay."""

    def __init__(
        self, conditions: Conditions, opened: Callable[[Line], None], closed: Callable[[Line], None]
    ) -> None:
        self._to_target = Way(Direction.TO_TARGET, conditions, self._way_ended)
        self._to_client = Way(Direction.TO_CLIENT, conditions, self._way_ended)
        self._closed = closed
        self._open_ways = 2
        self.client = Endpoint(self._to_target, self._to_client, lambda: opened(self))
        self.target = Endpoint(self._to_client, self._to_target, lambda: None)

    def shut_until(self, moment: float) -> None:
        """Let nothing leave the client before ``moment`` (loop time)."""
        self._to_target.shut_until(moment)

    def deliver(self) -> None:
        """Hand over what a stall has held back."""
        self._to_target.deliver()
        self._to_client.deliver()

    def drop(self) -> None:
        """Reset both ends at once; what is under way is lost."""
        self._to_target.close()
        self._to_client.close()
        self.client.abort()
        self.target.abort()
        self._closed(self)

    def _way_ended(self, end: End) -> None:
        self._open_ways -= 1
        if end is End.RESET:
            self.drop()
        elif self._open_ways == 0:
            self.client.close()
            self.target.close()
            self._closed(self)
