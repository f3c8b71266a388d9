"""A relay that puts two parts of the system far from each other: bytes arrive late, in order, unchanged.

Each direction takes the one-way delay, and so does TCP's handshake: a new connection costs its client a round
trip before the first byte leaves. What is under way is held as it came and bounded: a full way stops reading
its source. A program may also stall, throttle and cut the relay, to rehearse faults.

By itself: ``python -m loadtest.distance --listen 127.0.0.1:5433 --to 127.0.0.1:5432 --delay-ms 40``
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import Final, Self, final

import uvloop

from loadtest.lines import Conditions, Direction, Line

CONNECT_SECONDS: Final = 10.0


@final
class Distance:
    """The relay: it accepts clients and connects each to ``host``:``port``, under ``conditions``."""

    def __init__(self, host: str, port: int, conditions: Conditions) -> None:
        self.conditions = conditions
        self._target = (host, port)
        self._severed = False
        self._lines: set[Line] = set()
        self._dials: dict[Line, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def open_lines(self) -> int:
        """How many connections go through it now."""
        return len(self._lines)

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Accept clients; port 0 takes a free one. Raises OSError where the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, host, port)

    async def close(self) -> None:
        """Stop listening and reset every connection."""
        assert self._server is not None
        self._server.close()
        self._drop_lines()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def stall(self, *directions: Direction) -> None:
        """Let nothing arrive in these directions (none named: both) until ``resume``; nothing is lost."""
        self.conditions.stalled = frozenset(directions or Direction)

    def resume(self) -> None:
        """End a stall: what is overdue arrives at once."""
        self.conditions.stalled = frozenset()
        for line in tuple(self._lines):
            line.deliver()

    def cut(self) -> None:
        """Lose what is under way, reset every connection at both ends, and each new one until ``mend``."""
        self._severed = True
        self._drop_lines()

    def mend(self) -> None:
        """End a cut: new connections go through."""
        self._severed = False

    def _accept(self) -> asyncio.Protocol:
        return Line(self.conditions, self._opened, self._closed).client

    def _opened(self, line: Line) -> None:
        """Start the handshake: its first half brings us to the target, its second lets the client send."""
        loop = asyncio.get_running_loop()
        self._lines.add(line)
        if self._severed:
            line.drop()
            return
        line.shut_until(loop.time() + 2 * self.conditions.delay_seconds)
        self._dials[line] = loop.create_task(self._dial(line), name="distance-dial")

    async def _dial(self, line: Line) -> None:
        """Connect to the target; where that fails the client is reset."""
        await asyncio.sleep(self.conditions.delay_seconds)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: line.target, *self._target)
        except OSError:
            line.drop()

    def _closed(self, line: Line) -> None:
        self._lines.discard(line)
        dial = self._dials.pop(line, None)
        if dial is not None and dial is not asyncio.current_task():
            dial.cancel()

    def _drop_lines(self) -> None:
        for line in tuple(self._lines):
            line.drop()


def _address(text: str) -> tuple[str, int]:
    """Read HOST:PORT. Raises ValueError, which argparse turns into a sentence."""
    host, _, port = text.rpartition(":")
    if not host or not 0 <= int(port) < 65536:
        raise ValueError(text)
    return host.strip("[]"), int(port)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m loadtest.distance", description="Put two programs far apart.")
    parser.add_argument(
        "--listen", type=_address, required=True, metavar="HOST:PORT", help="port 0: a free one"
    )
    parser.add_argument("--to", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--delay-ms", type=float, default=40.0, help="one way, in milliseconds (40)")
    parser.add_argument("--bytes-per-second", type=float, help="of each connection, each way (unlimited)")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    """Relay until SIGINT or SIGTERM; one flushed line says where."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    (host, port), (listen_host, listen_port) = options.to, options.listen
    relay = Distance(host, port, Conditions(options.delay_ms / 1000, options.bytes_per_second))
    await relay.listen(listen_host, listen_port)
    print(f"ready {listen_host}:{relay.port}", flush=True)
    await stop.wait()
    await relay.close()


if __name__ == "__main__":
    uvloop.run(_serve(_options()))
