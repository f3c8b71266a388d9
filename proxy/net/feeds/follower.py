"""The way to one other worker's feed: found, kept, found again; what it says goes to the fleet."""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol, final

from proxy.net.feeds.leader import BEAT_SECONDS
from proxy.net.feeds.leases import Leases
from proxy.net.feeds.link import Link
from proxy.net.feeds.messages import Message

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.05  # between two looks for one that is not there


class Fleet(Protocol):
    """Who acts on what the leader says."""

    def welcomed(self, slot: int, under_way: list[Message], lowered: str) -> None:
        """We are in: forget everything, and suspend this."""

    def said(self, slot: int, message: Message) -> None:
        """A word about a write or the origin."""

    def bereft(self, slot: int) -> None:
        """The worker there is gone; what it had announced may yet happen."""

    def vacant(self, slot: int, as_of: float) -> None:
        """Nobody was there at ``as_of`` or after."""

    def leases_moved(self) -> None:
        """We may answer for longer, or no longer."""


@final
class Follower:
    """Follows the leader in place ``slot`` from ``own``."""

    def __init__(self, own: int, slot: int, folder: Path, leases: Leases, fleet: Fleet) -> None:
        self.slot = slot
        self._own = own
        self._path = str(folder / str(slot))
        self._leases = leases
        self._fleet = fleet
        self._link: Link | None = None
        self._is_in = False
        self._asked_to_join = False
        self._questions = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    @property
    def is_in(self) -> bool:
        """Does the leader there count on us?"""
        return self._is_in and time.monotonic() < self._leases.of(self.slot)

    async def watch(self) -> None:
        """Look for the leader, and renew our lease, for ever."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT_SECONDS if self._is_in else _LOOK_SECONDS)

    async def beat(self) -> None:
        """Once."""
        if self._link is None:
            await self._look()
        elif self._is_in:
            self._link.send("renew", time.monotonic())
        elif not self._asked_to_join:
            self._join()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        as_of = time.monotonic()
        link = Link(self._heard, self._lost, self.slot)
        try:
            await loop.create_unix_connection(lambda: link, self._path)
        except ConnectionRefusedError:
            # The name is there from the start, and leads to whoever took the place last: nobody listens.
            self._leases.vacant(self.slot, as_of)
            self._fleet.vacant(self.slot, as_of)
        except OSError as error:
            # Not to be told from a leader who is there but cannot be found: nothing is answered from memory.
            self._leases.lost(self.slot)
            logger.warning("event=leader_not_found slot=%s reason=%s", self.slot, error.strerror)
        else:
            self._link = link
            self._join()
        self._fleet.leases_moved()

    def _join(self) -> None:
        """Whoever is asked to let us in need not wait for a lease that we held before."""
        assert self._link is not None
        self._leases.lost(self.slot)
        self._fleet.leases_moved()
        self._is_in = False
        self._asked_to_join = True
        self._link.send("join", self._own, time.monotonic())

    def _heard(self, _: Link, message: Message) -> None:
        word = message[0]
        if word == "welcome":
            asked_at, under_way, lowered = message[1:]
            self._fleet.welcomed(self.slot, under_way, lowered)
            self._is_in, self._asked_to_join = True, False
            self._leases.granted(self.slot, asked_at)
            self._fleet.leases_moved()
        elif word == "grant":
            if self._is_in:
                self._leases.granted(self.slot, message[1])
                self._fleet.leases_moved()
        elif word == "out":
            if self._is_in:
                self._join()
        elif word == "answer":
            answer = self._answers.pop(message[1], None)
            if answer is not None and not answer.done():
                answer.set_result(message[2])
        else:
            self._fleet.said(self.slot, message)

    def _lost(self, _: Link) -> None:
        self._link = None
        self._is_in = self._asked_to_join = False
        self._leases.lost(self.slot)
        self._fleet.leases_moved()
        for answer in self._answers.values():
            answer.cancel()
        self._answers.clear()
        self._fleet.bereft(self.slot)

    def send(self, *message: object) -> None:
        """Say this to the leader, if it is there."""
        if self._link is not None:
            self._link.send(*message)

    async def ask(self, what: object, seconds: float) -> Any:
        """Its answer; None if none comes within ``seconds``."""
        return await self._ask("ask", what, seconds) if self.is_in else None

    async def cancel(self, pid: int, secret: bytes, seconds: float) -> None:
        """A CancelRequest, for whoever has that client there; over when it can hit nothing any more."""
        if self._link is not None:
            await self._ask("cancel", (pid, secret.hex()), seconds)

    async def _ask(self, word: str, what: object, seconds: float) -> Any:
        question = next(self._questions)
        answer = self._answers[question] = asyncio.get_running_loop().create_future()
        self.send(word, question, what)
        done, _ = await asyncio.wait((answer,), timeout=seconds)
        self._answers.pop(question, None)
        return answer.result() if done and not answer.cancelled() else None
