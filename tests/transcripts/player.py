"""Plays the steps of a transcript and writes down what everybody said.

A transcript begins with ``#`` lines that say what it shows. A line ``>> who does what`` is a step; the lines
below it are what followed: between client and proxy on the left, between proxy and origin on the right.

Steps: ``NAME sends MESSAGE | MESSAGE ...`` (Query, Parse [name=..] text, Bind [name], Describe [name],
Execute, Close name, Sync, Flush, CopyData, CopyDone), ``NAME is given a connection``, ``NAME is given the
catalogue`` (for which it waits), ``NAME's origin answers
[n messages]``, ``NAME's origin will refuse CODE text``, ``NAME's origin is lost``, ``NAME is woken``,
``NAME cancels``, ``NAME leaves``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.wire import backend, frontend, trace
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from tests.doubles.origin import Refusal
from tests.proxy.session import sky
from tests.proxy.session.world import Conversation, World, values

STEP: Final = ">> "
_MOST_VALUES: Final = 6
_PROBE: Final = 'Parse "orrery_probe"'


def script_of(transcript: str) -> list[str]:
    """The lines of a transcript that a person wrote: comments, blank lines and steps."""
    return [line for line in transcript.splitlines() if not line.startswith("   ")]


def perform(script: list[str]) -> str:
    """The whole transcript that these lines give now."""
    stage = Stage()
    lines: list[str] = []
    for line in script:
        lines.append(line)
        if line.startswith(STEP):
            lines += stage.step(line.removeprefix(STEP))
    return "\n".join(lines) + "\n"


class Stage:
    """One world, and the clients by their names."""

    def __init__(self) -> None:
        self.world = World()
        self.clients: dict[str, Conversation] = {}
        self._heard_of: dict[str, int] = {}
        self._asked_of: dict[str, int] = {}

    def step(self, words: str) -> list[str]:
        """Do it, and tell what followed."""
        name, _, rest = words.replace("'s origin", " origin", 1).partition(" ")
        client = self.clients.setdefault(name, self.world.client())
        sent = _messages(rest.removeprefix("sends ")) if rest.startswith("sends ") else []
        lines = [_line(name, "->", trace.client_line(frame)) for frame in sent]
        before = client.last
        lines += self._do(name, rest, sent)
        for each, other in self.clients.items():
            lines += self._told(each, other)
        if client.last != before:
            lines.append(f"   {'':9}proxy             {' '.join(filter(None, ('outcome', *client.last)))}")
        return lines

    def _do(self, name: str, rest: str, sent: list[bytes]) -> list[str]:
        client, now = self.clients[name], self.world.clock.now
        if sent:
            client.say(*sent)
            return []
        moves: dict[str, Callable[[], object]] = {
            "is given a connection": client.attach,
            "is given the catalogue": lambda: self._read_catalogue(client),
            "is woken": lambda: client.session.resume(now),
            "cancels": lambda: client.session.cancel_waiting(now),
            "leaves": lambda: client.session.client_gone(now),
            "origin is lost": lambda: client.session.origin_lost(now),
        }
        if rest in moves:
            moves[rest]()
            return []
        if rest.startswith("origin will refuse "):
            code, _, text = rest.removeprefix("origin will refuse ").partition(" ")
            client.origin.faults[text.encode()] = Refusal(code, P="1")
            return []
        if not rest.startswith("origin answers"):
            raise ValueError(f"no such step: {rest}")
        return self._answer(name, rest.removeprefix("origin answers").strip())

    def _read_catalogue(self, client: Conversation) -> None:
        self.world.learn(sky.catalogue())
        client.session.resume(self.world.clock.now)

    def _answer(self, name: str, count: str) -> list[str]:
        client = self.clients[name]
        said = client.origin.answer(int(count.partition(" ")[0]) if count else None)
        client.session.origin_received(said, self.world.clock.now)
        frames = FrameSplitter(1 << 20, BACKEND).feed(said)
        return [_origin_line("<-", _server_line(frame)) for frame in frames]

    def _told(self, name: str, client: Conversation) -> list[str]:
        new = client.origin.heard[self._heard_of.get(name, 0) :]
        self._heard_of[name] = len(client.origin.heard)
        asked = client.port.asked[self._asked_of.get(name, 0) :]
        self._asked_of[name] = len(client.port.asked)
        lines = [_origin_line("->", trace.client_line(frame.raw)) for frame in new]
        lines += [_line(name, "<-", _server_line(frame)) for frame in client.told_frames()]
        return lines + [f"   {'':9}proxy             asks for: {word}" for word in asked]


def _messages(words: str) -> list[bytes]:
    return [_message(word.strip()) for word in words.split("|")]


def _message(words: str) -> bytes:
    kind, _, rest = words.partition(" ")
    name = b""
    if kind == "Parse" and rest.startswith("name="):
        named, _, rest = rest.partition(" ")
        name = named.removeprefix("name=").encode()
    made: dict[str, Callable[[bytes], bytes]] = {
        "Query": frontend.query,
        "Parse": lambda text: frontend.parse(name, text),
        "Bind": lambda statement: frontend.bind(b"", statement),
        "Describe": lambda statement: frontend.describe(
            frontend.STATEMENT if statement else frontend.PORTAL, statement
        ),
        "Execute": frontend.execute,
        "Close": lambda statement: frontend.close(frontend.STATEMENT, statement),
        "Sync": lambda _: frontend.SYNC_FRAME,
        "Flush": lambda _: frontend.FLUSH_FRAME,
        "CopyData": lambda row: b"d" + (4 + len(row)).to_bytes(4, "big") + row,
        "CopyDone": lambda _: frontend.COPY_DONE_FRAME,
    }
    return made[kind](rest.encode())


def _server_line(frame: Frame) -> str:
    """As a trace has it, but for rows: here the values matter, and they are nobody's secret."""
    if frame.kind != backend.DATA_ROW:
        return trace.server_line(frame.raw)
    row = values(frame.raw)
    if len(row) > _MOST_VALUES:
        return f"server DataRow ({len(row)} values)"
    return f"server DataRow ({', '.join('NULL' if value is None else value.decode() for value in row)})"


def _line(name: str, arrow: str, traced: str) -> str:
    return f"   {name:6}{arrow} proxy           {_short(traced)}"


def _origin_line(arrow: str, traced: str) -> str:
    return f"   {'':9}proxy {arrow} origin   {_short(traced)}"


def _short(traced: str) -> str:
    """Without the speaker, who stands before it, and without the long text of the probe."""
    words = traced.partition(" ")[2]
    return f"{_PROBE} (what are your settings now?)" if words.startswith(_PROBE) else words
