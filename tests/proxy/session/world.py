"""Conversations between clients, sessions and origins, moved on by hand: the ground of this room's tests."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.scopes import Scopes
from proxy.cache.ttl import TtlRule
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Templates
from proxy.schema.catalogue import Catalogue
from proxy.session import probe, proof
from proxy.session.database import Database
from proxy.session.port import CATALOGUE, ORIGIN
from proxy.session.session import Session
from proxy.session.shared import SessionOptions, Shared
from proxy.session.state import TRACKED, State
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from tests.doubles.clock import Clock
from tests.doubles.origin import Data, Refusal, ScriptedOrigin
from tests.doubles.port import RecordingPort
from tests.proxy.session import sky

USER: Final = "alice"
BASELINE: Final = dict.fromkeys(TRACKED, "") | {
    "search_path": '"$user", public',
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
    "transform_null_equals": "off",
    "gin_fuzzy_search_limit": "0",
}
FLAGS: Final = ("temporary", "locked", "prepared_by_sql", "listening", "holding")
READ: Final = b"SELECT name FROM planet"
OTHER_READ: Final = b"SELECT name FROM star"
WRITE: Final = b"UPDATE planet SET name = 'x'"
TEXT_RESULT: Final = b"\0\0\0\0\0\0"
BINARY_RESULT: Final = b"\0\0\0\0\0\1\0\1"


def learnt(values: dict[str, str] | None = None, role: str = USER, **flags: bool) -> list[str]:
    """The fields of the probe's row; ``flags`` out of ``FLAGS``."""
    told = ["t" if flags.get(name) else "f" for name in FLAGS]
    shown = BASELINE | (values or {})
    return [USER, role, str(sky.DATABASE), "4711", "1", "2", *told, "10", *(shown[name] for name in TRACKED)]


def a_state(**values: str) -> State:
    return State(sky.DATABASE, USER, BASELINE | values)


class World:
    """What all sessions share, and one origin's data."""

    def __init__(self, options: SessionOptions | None = None, *, expiring: bool = False) -> None:
        self.clock = Clock()
        self.data = Data()
        self.memory: Memory[Session] = Memory(Limits(), TtlRule(1.0, 60.0))
        self.memory.lease_until = math.inf
        self.memory.expiring = expiring
        self.counters = Counters()
        self.shared = Shared(
            self.memory, Scopes(100), self.counters, Templates(100), options or SessionOptions()
        )
        self.database = Database("sky", sky.DATABASE)
        self.database.catalogue = sky.catalogue()

    def client(self, **values: str) -> Conversation:
        """A client that has just logged in; ``values``: its settings."""
        return Conversation(self, values)

    def learn(self, catalogue: Catalogue | None) -> None:
        """The catalogue has been read again, or is known to be out of date."""
        self.database.catalogue = catalogue


class Conversation:
    """One client with its session. Nothing moves but by its methods; ``ask`` moves everything."""

    def __init__(self, world: World, values: dict[str, str] | None = None) -> None:
        self.world = world
        self.port = RecordingPort()
        self.port.shared_templates = world.shared.templates
        self.session = Session(self.port, world.shared, world.database, a_state(**(values or {})))
        self.origin = ScriptedOrigin(world.data)
        self.origin.learnt = learnt(values)
        self.origin.faults[b"PARSE a statement of the proxy was refused"] = Refusal("42601", P="1")
        self._replies = FrameSplitter(1 << 24, BACKEND)
        self._told = 0
        self._heard = 0

    def say(self, *frames: bytes) -> None:
        """The client sends these in one packet."""
        self.session.receive(b"".join(frames), self.world.clock.now)
        self.session.timed(0.001)

    def attach(self) -> None:
        """The connection to the origin is there."""
        facts = probe.Learnt(self.origin.learnt)
        self.session.origin_attached(self.origin, facts, {}, self.world.clock.now)

    def answer(self, frames: int | None = None) -> None:
        """The origin answers its next messages (all: None)."""
        said = self.origin.answer(frames)
        if said:
            self.session.origin_received(said, self.world.clock.now)

    def settle(self) -> None:
        """Let everything that is on its way arrive."""
        if self.session.waiting_for == CATALOGUE:
            self.session.resume(self.world.clock.now)
        if self.session.waiting_for == ORIGIN and self.session.uplink.origin is None:
            self.attach()
        while self.origin.has_work:
            self.answer()

    def ask(self, *frames: bytes) -> str:
        """Send, let everything arrive, and tell in one line what the client got."""
        self.say(*frames)
        self.settle()
        return self.told()

    def waits_for(self, what: int) -> bool:
        """Does the session wait for this (ORIGIN, CATALOGUE, FLIGHT)?"""
        return self.session.waiting_for == what

    def query(self, *texts: bytes) -> str:
        """Ask these one after the other."""
        return " ".join(self.ask(frontend.query(text)) for text in texts)

    def told_frames(self) -> list[Frame]:
        """What the client has been sent since the last look."""
        new = self.port.writes[self._told :]
        self._told = len(self.port.writes)
        return self._replies.feed(b"".join(new))

    def told(self) -> str:
        return spell(self.told_frames())

    def heard(self) -> list[str]:
        """What the origin was sent since the last look: SQL texts, and the kinds of all other messages."""
        new = self.origin.heard[self._heard :]
        self._heard = len(self.origin.heard)
        return [_word(frame) for frame in new]

    def remember(self, text: bytes = READ) -> None:
        """Fill the memory with the answer to this Query."""
        self.query(text)
        hits = self.world.counters.hit
        self.query(text)
        assert self.world.counters.hit == hits + 1, f"not remembered: {self.session.last.reason}"
        self.heard()

    def hits(self, text: bytes = READ) -> bool:
        """Is this Query answered from memory now? It must not reach the origin then."""
        self.heard()
        hits = self.world.counters.hit
        self.query(text)
        return self.world.counters.hit == hits + 1 and not self.heard()

    @property
    def last(self) -> tuple[str, str]:
        """Outcome and reason of the previous statement."""
        return self.session.last.outcome, self.session.last.reason


def run(text: bytes, name: bytes = b"", tail: bytes = TEXT_RESULT) -> bytes:
    """Parse, Bind, Describe, Execute, as drivers send one statement; Sync is the caller's."""
    return frontend.parse(name, text) + rerun(name, tail)


def rerun(name: bytes, tail: bytes = TEXT_RESULT) -> bytes:
    """Bind, Describe, Execute of a prepared statement."""
    return frontend.bind(b"", name, tail) + frontend.describe(frontend.PORTAL, b"") + frontend.execute(b"")


SYNC: Final = frontend.SYNC_FRAME
FLUSH: Final = frontend.FLUSH_FRAME


def spell(frames: Iterable[Frame]) -> str:
    """Replies in one line: kinds, rows' only value, tags, SQLSTATEs, the transaction status."""
    return " ".join(_reply(frame) for frame in frames)


def _reply(frame: Frame) -> str:
    kind, raw = frame.kind, frame.raw
    if kind == backend.DATA_ROW:
        return f"D:{','.join(_shown(value) for value in values(raw))}"
    if kind == backend.COMMAND_COMPLETE:
        return f"C:{backend.command_tag(raw).decode()}"
    if kind == backend.ERROR_RESPONSE:
        return f"E:{backend.sqlstate(raw)}"
    if kind == backend.READY_FOR_QUERY:
        return f"Z:{chr(backend.transaction_status(raw))}"
    return chr(kind)


def values(row: bytes) -> list[bytes | None]:
    """What a DataRow holds."""
    found: list[bytes | None] = []
    at = 7
    while at < len(row):
        length = int.from_bytes(row[at : at + 4], "big", signed=True)
        found.append(None if length < 0 else row[at + 4 : at + 4 + length])
        at += 4 + max(length, 0)
    return found


def _shown(value: bytes | None) -> str:
    return "NULL" if value is None else value.decode()


def _word(frame: Frame) -> str:
    if frame.kind == frontend.QUERY:
        return frontend.read_query(frame.raw).decode().replace(proof.TEXT, "proof")
    if frame.kind == frontend.PARSE:
        name, text, _ = frontend.read_parse(frame.raw)
        own = {probe.TEXT.encode(): "probe", proof.TEXT.encode(): "proof"}
        return own.get(text) or f"P{name.decode()}:{text.decode()}"
    return chr(frame.kind)
