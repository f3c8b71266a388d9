"""A real ``orrery serve`` on real sockets: hostile clients, an origin whose words are bent, and a bystander.

The origin is PostgreSQL behind a relay. What it says to a session that named itself hostile is bent on the
way, from a byte on that the input names. All others get PostgreSQL's own words.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, final

from proxy.errors import OrreryError
from proxy.session.credentials import PasswordKnown
from proxy.session.handshake import OriginLogin
from proxy.wire import frontend
from proxy.wire.framing import BACKEND, FrameSplitter
from proxy.wire.passwords import make_secret
from tests.fuzz import client_side, origin_side
from tests.fuzz.damage import damaged, noise
from tests.postgres import HOST, PASSWORD, SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MARK: Final = b"hostile-"
# A client that has said all is given so long to be answered; the others' patience is the finding.
_LINGER_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 20.0
_AT_ONCE: Final = 8
_READ: Final = frontend.query(b"SELECT name FROM calm ORDER BY id")
_KEY: Final = PasswordKnown(PASSWORD, make_secret(PASSWORD, os.urandom(16)))


@dataclass(slots=True)
class Served:
    """What came of it. ``words``: how the inputs ended; ``answers``: of the bystander."""

    words: Counter[str] = field(default_factory=Counter)
    answers: int = 0


@final
class Relay:
    """Stands before PostgreSQL at ``port``, and bends what it says to whoever begins with the mark."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen; at which port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Listen no more, and carry nothing on."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            await _end_of(writer)
            self._serving.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, self._target)
        onwards: asyncio.Task[None] | None = None
        try:
            first = await reader.read(1 << 16)
            back.write(first)
            at = first.find(_MARK)
            seed = first[at : at + 30] if at >= 0 else b""
            onwards = asyncio.create_task(_pump(reader, back))
            await (_bend(there, writer, Random(seed)) if seed else _pump(there, writer))
        finally:
            if onwards is not None:
                onwards.cancel()
                await asyncio.gather(onwards, return_exceptions=True)
            await _end_of(back)


async def _end_of(writer: asyncio.StreamWriter) -> None:
    """Close at once, and return when that has happened."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()


async def _bend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, random: Random) -> None:
    """Word by word: passed, bent, left out, said twice, or something else in its place; or the end."""
    sound = random.choice((0, 1, 2, 4, 6, 8, 10))
    while data := await reader.read(1 << 16):
        sound -= 1
        fate = 1.0 if sound >= 0 else random.random()
        if fate < 0.1:
            return
        if fate < 0.4:
            data = damaged(random, data)
        elif fate < 0.6:
            data = origin_side.replies(random)
        elif fate < 0.7:
            data += data
        writer.write(data)
        await writer.drain()


@final
class Clients:
    """Hostile ones and the bystander, of the proxy at ``port``."""

    def __init__(self, port: int, database: str, seed: int) -> None:
        self._port = port
        self._database = database
        self._seed = seed
        self.result = Served()

    async def run(self, inputs: int, progress: Callable[[str], None] = lambda _: None) -> Served:
        """``inputs`` hostile connections, some at a time, and the bystander beside them."""
        numbers = iter(range(inputs))
        bystander = asyncio.create_task(self._stand_by())
        await asyncio.gather(*(self._worker(numbers, progress) for _ in range(_AT_ONCE)))
        bystander.cancel()
        with suppress(asyncio.CancelledError):
            await bystander
        return self.result

    async def _worker(self, numbers: Iterator[int], progress: Callable[[str], None]) -> None:
        for number in numbers:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self.result.words[await self._one(number)] += 1
            if number % 500 == 499:
                progress(f"served: {number + 1} inputs, {self.result.answers} answers for the bystander")

    async def _one(self, number: int) -> str:
        random = Random(f"{self._seed}/served/{number}")
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            if random.random() < 0.2:
                return await self._before_login(random, reader, writer)
            name = f"hostile-{self._seed}-{number}" if random.random() < 0.5 else "odd"
            word = await _log_in(reader, writer, self._database, name)
            if word != "in":
                return word
            return await self._hostilities(random, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return "cut"
        finally:
            await _end_of(writer)

    async def _before_login(
        self, random: Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        for _ in range(random.randrange(1, 4)):
            writer.write(client_side.first_packet(random, {"user": SUPERUSER, "database": self._database}))
            writer.write(noise(random) if random.random() < 0.3 else b"")
            await writer.drain()
        return await _end(random, reader, writer)

    async def _hostilities(
        self, random: Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        for _ in range(random.randrange(1, 5)):
            for packet in client_side.packets(random):
                writer.write(packet)
                await writer.drain()
            if random.random() < 0.3:
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1 << 16), _LINGER_SECONDS)
        return await _end(random, reader, writer)

    async def _stand_by(self) -> None:
        """Ask again and again; every answer is the same, and comes."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        assert await _log_in(reader, writer, self._database, "bystander") == "in"
        try:
            while True:
                writer.write(_READ)
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    answer = await reader.readuntil(b"Z\0\0\0\5I")
                assert answer.count(b"D\0\0\0") == 3, answer
                self.result.answers += 1
                await asyncio.sleep(0.002)
        finally:
            await _end_of(writer)


async def _end(random: Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    if random.random() < 0.3:
        return "left"
    if random.random() < 0.3:
        with suppress(OSError):  # the proxy was first
            writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(1 << 16):
                pass
            return "closed"
    return "open"


async def _log_in(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, database: str, name: str
) -> str:
    """``in``, or how it was refused."""
    login = OriginLogin(SUPERUSER, _KEY, b64encode(os.urandom(18)), None, tls=False)
    dialogue = login.run({"user": SUPERUSER, "database": database, "application_name": name})
    splitter = FrameSplitter(1 << 20, BACKEND)
    try:
        say = next(dialogue)
        while True:
            writer.write(say)
            data = await reader.read(1 << 16)
            if not data:
                return "closed in login"
            say = b""
            for frame in splitter.feed(data):
                say += dialogue.send(frame)
    except StopIteration:
        return "in"
    except OrreryError:
        return "refused"
