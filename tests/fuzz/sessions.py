"""A hostile client before an honest origin, and a hostile origin behind an honest client; moved by hand.

Beside them lives a bystander, whose remembered answer nobody else may see, whose statements must go on being
answered, and who must find the memory in order when the others are gone.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, final

from proxy.errors import OriginFault, OrreryError
from proxy.session.port import CATALOGUE, FLIGHT, ORIGIN
from proxy.wire import backend, frontend
from proxy.wire.framing import Frame, FrameSplitter
from tests.doubles.origin import Data, Refusal, ScriptedOrigin
from tests.fuzz import client_side, origin_side
from tests.fuzz.damage import pieces, sometimes_damaged
from tests.fuzz.subject import Broken, Step
from tests.proxy.session import sky
from tests.proxy.session.world import SYNC, Conversation, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What the bystander's own rows show: a number that no other session may ever be sent.
SECRET: Final = 4242424242
_HIS_READ: Final = b"SELECT name FROM planet"
_HIS_ANSWER: Final = f"T D:{SECRET} C:SELECT 1 Z:I"
# Bytes of its client that a session may hold while it waits; no input has as many.
_MOST_HELD: Final = 1 << 20
_DURING_COPY: Final = b"dcfHS"


class _HardyOrigin(ScriptedOrigin):
    """The same for whatever it is sent: what it cannot read is an error as PostgreSQL has one."""

    def __init__(self, data: Data) -> None:
        super().__init__(data)
        self._splitter = FrameSplitter(1 << 31)

        self.is_gone = False

    def _frame(self, frame: Frame) -> Iterator[bytes]:
        """PostgreSQL ends a session that says anything else during COPY: copyfromparse.c, CopyGetData."""
        if self._copying is not None and frame.kind not in _DURING_COPY:
            self.is_gone = True
            yield backend.error_response("FATAL", "08P01", "protocol synchronization was lost")
        if not self.is_gone:
            yield from super()._frame(frame)

    def _run(self, kind: int, raw: bytes) -> Iterator[bytes]:
        try:
            yield from super()._run(kind, raw)
        except (LookupError, ValueError, OrreryError):
            raise Refusal("08P01") from None


class _Scene:
    """A world with the bystander in it, and the client who is being played."""

    def __init__(self) -> None:
        self.world = World()
        self.bystander = self.world.client(lc_monetary="his_own")
        self.bystander.origin = _hardy(self.bystander, Data())
        self.bystander.origin.data.number = SECRET
        self.bystander.query(_HIS_READ, _HIS_READ)
        self.client = self.world.client()
        self.origin = self.client.origin = _hardy(self.client, Data())
        self.closed = False
        self.faults = 0

    def client_says(self, data: bytes) -> None:
        """Bytes from the client, as ``net`` hands them over."""
        if self.has_closed():
            return
        try:
            self.client.session.receive(data, self.world.clock.now)
            self.client.session.timed(0.001)
        except OrreryError:
            self.closed = True

    def origin_says(self, data: bytes) -> None:
        """Bytes from the origin, as ``net`` hands them over."""
        session = self.client.session
        if not data or session.uplink.origin is None:
            return
        try:
            session.origin_received(data, self.world.clock.now)
        except OrreryError as fault:
            if not isinstance(fault, OriginFault):
                raise Broken(f"the origin's fault is told as {type(fault).__name__}") from fault
            self.faults += 1
            self.lose_origin()

    def lose_origin(self) -> None:
        """The connection to the origin is gone."""
        if self.client.session.uplink.origin is not None:
            self.client.session.origin_lost(self.world.clock.now)
            self._renew_origin()

    def settle(self) -> None:
        """Let all that the client waits for come, as long as the origin answers honestly."""
        client = self.client
        for _ in range(1000):
            if client.session.waiting_for in (CATALOGUE, FLIGHT):
                self._resume()
            elif client.session.waiting_for == ORIGIN and client.session.uplink.origin is None:
                client.attach()
            elif client.origin.has_work:
                self.origin_says(client.origin.answer())
                if self.origin.is_gone:
                    self.lose_origin()
            else:
                return
        raise Broken("client and origin never come to rest")

    def _resume(self) -> None:
        try:
            self.client.session.resume(self.world.clock.now)
        except OrreryError:
            self.closed = True

    def _renew_origin(self) -> None:
        self.origin = self.client.origin = _hardy(self.client, self.client.origin.data)

    def has_closed(self) -> bool:
        """Has the client been sent away?"""
        return self.closed or "close_client" in self.client.port.asked

    def end(self) -> None:
        """Client and origin go. Whatever they did, nothing of it may be left."""
        session = self.client.session
        self._weigh()
        if session.client_gone(self.world.clock.now):
            self.settle()
        self.lose_origin()
        if str(SECRET).encode() in b"".join(self.client.port.writes):
            raise Broken("the client was sent what is the bystander's")
        memory = self.world.memory
        if memory.flights:
            raise Broken("a fill is still waited for by whoever asks the same")
        for suspension, _ in self.client.port.doubts:
            memory.end(suspension, changed=True)
        if memory.suspended:
            raise Broken("something stays suspended that nobody will ever end")
        self.world.learn(sky.catalogue())
        for _ in range(2):
            answer = self.bystander.query(_HIS_READ)
            if answer != _HIS_ANSWER:
                raise Broken(f"the bystander was answered {answer}")
        if self.bystander.session.last.outcome != "hit":
            raise Broken(f"the memory serves nobody any more: {self.bystander.session.last.reason}")

    def _weigh(self) -> None:
        session = self.client.session
        held = sum(len(raw) for _, raw, _ in session._queue) + session._intake.batch.size
        if held > _MOST_HELD or session.out:
            raise Broken(f"the session hoards {held} bytes and {len(session.out)} replies")


def _hardy(client: Conversation, data: Data) -> _HardyOrigin:
    origin = _HardyOrigin(data)
    origin.learnt = client.origin.learnt
    origin.faults = client.origin.faults
    return origin


@final
class HostileClient:
    """Steps: ``say`` bytes, ``answer`` (by the origin), ``lose`` (it is gone), ``fail`` (none is had)."""

    name = "client"

    def make(self, random: Random) -> list[Step]:
        """Packets, with the origin's answers anywhere between them."""
        steps: list[Step] = []
        for _ in range(random.randrange(1, 9)):
            steps += [Step("say", packet) for packet in client_side.packets(random)]
            if random.random() < 0.6:
                steps.append(Step("answer"))
            if random.random() < 0.03:
                steps.append(Step(random.choice(("lose", "fail"))))
        return steps

    def play(self, steps: Sequence[Step]) -> str:
        """Play, then ask once more: who was not sent away must be answered."""
        scene = _Scene()
        whole = b""
        for what, data in steps:
            whole += data
            if what == "say":
                scene.client_says(data)
            elif what == "answer":
                scene.settle()
            elif what == "lose":
                scene.lose_origin()
            elif scene.client.session.waiting_for == ORIGIN:
                scene.client.session.origin_failed(OriginFault("none is there"), scene.world.clock.now)
        scene.settle()
        word = _last_word(scene)
        if scene.faults:
            raise Broken("an origin that does everything right is taken for broken")
        scene.end()
        return word


def _last_word(scene: _Scene) -> str:
    """``closed``, ``half`` (it stopped in the middle of a message), or ``answered``."""
    session = scene.client.session
    if scene.has_closed():
        return "closed"
    if session._scanner._held or session._scanner.outstanding:
        return "half"
    scene.client.told_frames()
    scene.client_says(frontend.copy_fail(b"enough") + SYNC)
    scene.settle()
    told = scene.client.told_frames()
    if told and told[-1].kind == backend.READY_FOR_QUERY and session.is_settled and not session.waiting_for:
        return "answered"
    if scene.has_closed():
        return "closed"
    raise Broken("the last Sync was never answered")


@final
class HostileOrigin:
    """Steps: ``say`` (the client, soundly), ``reply`` (bytes of the origin), ``answer`` (it is honest for
    once), ``lose``.
    """

    name = "origin"

    def make(self, random: Random) -> list[Step]:
        """Sound requests, replies of any kind."""
        steps: list[Step] = []
        for _ in range(random.randrange(1, 7)):
            steps.append(Step("say", client_side.messages(random, 0.0)))
            if random.random() < 0.4:
                steps.append(Step("bend", bytes((random.randrange(256),))))
            elif random.random() < 0.3:
                steps.append(Step("answer"))
            steps += [Step("reply", piece) for piece in pieces(random, origin_side.replies(random))]
            if random.random() < 0.05:
                steps.append(Step("lose"))
        return steps

    def play(self, steps: Sequence[Step]) -> str:
        """Play; then the origin goes, and the client must not be left waiting."""
        scene = _Scene()
        for what, data in steps:
            if what == "say":
                scene.client_says(data)
                self._attach(scene)
            elif what == "reply":
                scene.origin_says(data)
            elif what == "bend":
                scene.origin_says(_bent(scene.client.origin.answer(), data))
            elif what == "answer":
                scene.settle()
            else:
                scene.lose_origin()
        word = "broke" if scene.faults else "passed"
        scene.lose_origin()
        if scene.client.session.waiting_for not in (0, ORIGIN, CATALOGUE) and not scene.has_closed():
            raise Broken("the client waits for an origin that is gone")
        scene.end()
        return word

    @staticmethod
    def _attach(scene: _Scene) -> None:
        session = scene.client.session
        if session.waiting_for == CATALOGUE:
            scene._resume()
        if session.waiting_for == ORIGIN and session.uplink.origin is None:
            scene.client.attach()


def _bent(answer: bytes, seed: bytes) -> bytes:
    """The honest answer with a fault that ``seed`` picks."""
    return sometimes_damaged(Random(seed), answer, 0.9)
