"""Random histories of a few clients whose every message and reply may be late: who read something too old?

The origin's only number stands for the table planet; every write adds one. A read may show no less than what
was committed, or written by its own transaction, when it was sent; and outside a transaction no more than
what is committed when it is answered: that is what PostgreSQL itself could have said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from proxy.session.port import CATALOGUE, FLIGHT, ORIGIN
from proxy.wire import backend, frontend
from tests.doubles.origin import Refusal
from tests.proxy.session import sky
from tests.proxy.session.world import FLUSH, READ, SYNC, WRITE, Conversation, World, rerun, run, values

BAD_WRITE: Final = b"INSERT INTO planet VALUES (1)"
# What a client may send in one packet, and how many ReadyForQuery it is owed for it.
REQUESTS: Final[tuple[tuple[bytes, int], ...]] = (
    *[(frontend.query(READ), 1)] * 20,
    *[(run(READ) + SYNC, 1)] * 15,
    *[(rerun(b"s") + SYNC, 1)] * 10,
    *[(frontend.query(WRITE), 1)] * 2,
    (run(WRITE) + SYNC, 1),
    (frontend.query(b"BEGIN"), 1),
    *[(frontend.query(b"COMMIT"), 1)] * 4,
    *[(frontend.query(b"ROLLBACK"), 1)] * 2,
    (frontend.query(BAD_WRITE), 1),
    (run(WRITE) + run(READ) + SYNC, 1),
    (run(READ) + SYNC + run(WRITE) + SYNC + run(READ) + SYNC, 3),
    (frontend.query(READ) + frontend.query(WRITE) + frontend.query(READ), 3),
    (frontend.query(WRITE + b"; " + READ), 1),
    (frontend.query(WRITE + b"; COMMIT; " + BAD_WRITE), 1),
    (frontend.query(b"SET search_path = public"), 1),
    (frontend.query(b"RESET search_path"), 1),
    (frontend.query(b"SELECT mystery()"), 1),
    (frontend.query(b"SHOW orrery.last"), 1),
    (run(WRITE) + run(b"SET orrery.cache = off") + SYNC, 1),
    (run(b"SHOW orrery.nothing") + run(WRITE) + SYNC, 1),
    (frontend.query(b"RESET orrery.cache"), 1),
    (frontend.query(b"COPY planet FROM STDIN") + b"d\0\0\0\5x" + frontend.COPY_DONE_FRAME, 1),
    (frontend.query(b"SAVEPOINT a"), 1),
    (frontend.query(b"ROLLBACK TO a"), 1),
    (frontend.parse(b"", READ) + frontend.describe(frontend.STATEMENT, b"") + FLUSH + rerun(b"") + SYNC, 1),
    (SYNC, 1),
)


class Player:
    """One client: ``owed`` are the numbers below which its unanswered requests may not read, oldest first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.talk: Conversation = world.client()
        self.talk.origin.faults[BAD_WRITE] = Refusal("23505")
        self.owed: deque[tuple[int, bool]] = deque()
        self.late = b""
        self.send(frontend.parse(b"s", READ) + SYNC, 1)

    def send(self, data: bytes, answers: int) -> None:
        alone = not self.owed and self.talk.session.is_idle
        own = self.talk.origin.pending if not self.owed else 0
        self.owed.extend([(self.world.data.number + own, alone)] * answers)
        self.talk.say(data)
        self.check()

    def answer(self, messages: int | None) -> None:
        self.late += self.talk.origin.answer(messages)

    def deliver(self, size: int) -> None:
        said, self.late = self.late[:size], self.late[size:]
        self.talk.session.origin_received(said, self.world.clock.now)
        self.check()

    def wake(self) -> None:
        """What it waits for is over; whoever waited for the catalogue finds it read."""
        if self.talk.waits_for(CATALOGUE):
            self.world.learn(sky.catalogue())
        self.talk.session.resume(self.world.clock.now)
        self.check()

    def attach(self) -> None:
        self.talk.attach()
        self.check()

    def check(self) -> None:
        """What the client has just been told must have been true at some moment since it asked."""
        for frame in self.talk.told_frames():
            if frame.kind == backend.READY_FOR_QUERY:
                self.owed.popleft()
            elif frame.kind == backend.DATA_ROW and len(values(frame.raw)) == 1:
                (value,) = values(frame.raw)
                least, alone = self.owed[0] if self.owed else (0, False)
                assert value is not None
                assert least <= int(value), f"read {int(value)}, but {least} was committed when it was sent"
                assert not alone or int(value) <= self.world.data.number + 1, "read what nobody committed"


class History:
    """Three clients, and the backends of clients whose connection broke."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World()
        self.players = [Player(self.world) for _ in range(3)]
        self.ghosts: list[Conversation] = []
        self.leavers: list[Player] = []

    def play(self, steps: int) -> None:
        """That many random moves, then let everything arrive."""
        for _ in range(steps):
            moves = [move for player in self.players for move in self._moves(player)]
            self.random.choice(moves)()
        self.settle()

    def _moves(self, player: Player) -> list[Callable[[], None]]:
        session, pick = player.talk.session, self.random
        moves: list[Callable[[], None]] = []
        if not player.owed or (len(player.owed) < 6 and pick.random() < 0.1):
            moves += [lambda: player.send(*pick.choice(REQUESTS))] * 2
        if player.talk.origin.has_work:
            moves += [lambda: player.answer(pick.choice((1, None)))] * 2
        if player.late:
            some = pick.choice((len(player.late), pick.randint(1, len(player.late))))
            moves += [lambda: player.deliver(some)] * 3
        if session.waiting_for == ORIGIN and session.uplink.origin is None:
            moves += [player.attach] * 2
        if session.waiting_for in (FLIGHT, CATALOGUE):
            moves.append(player.wake)
        if pick.random() < 0.02:
            moves += [lambda: self._lose(player), lambda: self._leave(player)]
        if self.ghosts:
            moves.append(self._a_ghost_is_gone)
        if self.leavers:
            moves.append(self._a_leaver_is_settled)
        return moves

    def _lose(self, player: Player) -> None:
        """The connection breaks; what was sent before may still run, unseen."""
        player.talk.session.origin_lost(self.world.clock.now)
        self.ghosts.append(player.talk)
        self.players[self.players.index(player)] = Player(self.world)

    def _leave(self, player: Player) -> None:
        """The client is gone; the origin stays until what may still commit is settled."""
        stays = player.talk.session.client_gone(self.world.clock.now)
        self.players[self.players.index(player)] = Player(self.world)
        if stays:
            self.leavers.append(player)

    def _a_leaver_is_settled(self) -> None:
        leaver = self.leavers.pop()
        while leaver.late or leaver.talk.origin.has_work:
            leaver.answer(None)
            said, leaver.late = leaver.late, b""
            leaver.talk.session.origin_received(said, self.world.clock.now)
        assert leaver.talk.session.is_settled

    def _a_ghost_is_gone(self) -> None:
        """The backend is seen to be gone; until now it may have committed at any time."""
        ghost = self.ghosts.pop(self.random.randrange(len(self.ghosts)))
        ghost.origin.answer()
        for suspension, _ in ghost.port.doubts:
            self.world.memory.end(suspension, changed=True)

    def settle(self) -> None:
        """Everything arrives; every client gets what it is owed."""
        while self.ghosts:
            self._a_ghost_is_gone()
        while self.leavers:
            self._a_leaver_is_settled()
        for _ in range(100):
            for player in self.players:
                session = player.talk.session
                if session.waiting_for == ORIGIN and session.uplink.origin is None:
                    player.attach()
                elif session.waiting_for in (FLIGHT, CATALOGUE):
                    player.wake()
                while player.talk.origin.has_work:
                    player.answer(1)
                if player.late:
                    player.deliver(len(player.late))
        assert [len(player.owed) for player in self.players] == [0, 0, 0]
        assert self.world.memory.suspended == 0
