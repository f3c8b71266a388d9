"""This worker's own feed: accepts followers, announces writes, goes ahead when all have acknowledged."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, Protocol, final

from proxy.cache.tags import Reach
from proxy.net.doubt import Backend
from proxy.net.feeds.link import Link
from proxy.net.feeds.membership import Membership
from proxy.net.feeds.messages import Message, reach_told
from proxy.net.tasks import spawn

logger = logging.getLogger(__name__)

# Followers renew five times within a lease. A worker that hangs keeps the others' writes waiting for so long.
LEASE_SECONDS: Final = 2.0
BEAT_SECONDS: Final = 0.4


class House(Protocol):
    """What followers ask of us besides."""

    def told(self, what: object) -> object:
        """The answer to a question of theirs: figures, queries, backends, or what a purge drops."""

    async def cancel_here(self, pid: int, secret: bytes) -> None:
        """A CancelRequest that another worker got: whose is it? Over when it can hit nothing any more."""

    def lowered(self) -> str:
        """Why no level above ttl holds any more, "" if one may."""


@dataclass(slots=True)
class _Open:
    """A write that was announced. ``then`` is called once it may go ahead, ``lifted`` once all know of it."""

    reach: Reach
    backend: Backend
    ddl: bool
    then: Callable[[], None] | None
    lifted: Callable[[], None] | None = None
    landed: bool = False


@dataclass(slots=True)
class _Calm:
    """Somebody who waits until none of these is waiting to go ahead."""

    numbers: set[int]
    then: Callable[[], None] = field(repr=False)


@final
class Leader:
    """``own`` is our place among ``slots``, the others' places; sockets are called by them in ``folder``."""

    def __init__(self, own: int, slots: Iterable[int], folder: Path, house: House) -> None:
        self._own = own
        self._folder = folder
        self._house = house
        self._numbers = count(1)
        self._links: dict[int, Link] = {}
        self._open: dict[int, _Open] = {}
        self._calms: list[_Calm] = []
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._slots = list(slots)
        self.membership: Membership

    async def start(self) -> None:
        """Be there for followers. From the moment when our name leads here the leases of a predecessor run
        out: before that, whoever looked for us found nobody.
        """
        loop = asyncio.get_running_loop()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.setblocking(False)
        made = self._folder / f"{self._own}.new"
        made.unlink(missing_ok=True)
        listening.bind(str(made))
        listening.listen()
        made.rename(self._folder / str(self._own))
        self.membership = Membership(self._own, self._slots, time.monotonic(), LEASE_SECONDS)
        self._server = await loop.create_unix_server(lambda: Link(self._heard, self._lost), sock=listening)

    # Writes

    def announce(self, reach: Reach, backend: Backend, then: Callable[[], None] | None, *, ddl: bool) -> int:
        """Tell all followers; ``then`` follows if it ``waits``, and never before this returns."""
        number = next(self._numbers)
        self._open[number] = _Open(reach, backend, ddl, then)
        self.membership.announce(number, time.monotonic())
        self._tell("suspend", number, reach_told(reach), backend.process_id, backend.started, ddl)
        self._watch_leases()
        return number

    def waits(self, number: int) -> bool:
        """Has this write to wait for somebody?"""
        return number in self.membership.pending

    def reach(self, number: int) -> Reach:
        """What an open write may change."""
        return self._open[number].reach

    def end(self, number: int, *, changed: bool, cause: str) -> None:
        """It is over."""
        one = self._open.pop(number)
        self._tell("end", number, changed, cause)
        self._release(number, one)
        self._go_on()

    def land(self, number: int, lifted: Callable[[], None]) -> None:
        """It has changed the catalogue: ``lifted`` follows when everybody has judged by the new one."""
        one = self._open[number]
        one.landed = True
        one.lifted = lifted
        self._release(number, one)
        self.membership.landed(number, time.monotonic())
        self._tell("landed", number)

    def _release(self, number: int, one: _Open) -> None:
        """It is over before all have heard of it: what was on its way already is told of once more when a
        new catalogue says that it may do more, and may end meanwhile.
        """
        if self.waits(number):
            self.membership.withdraw(number)
            if one.then is not None:
                one.then()

    def judged(self, number: int) -> None:
        """We ourselves have looked at the catalogue since that change."""
        self.membership.judged(self._own, number)
        self._go_on()

    def calm(self, then: Callable[[], None]) -> None:
        """Call ``then`` once everything that waits now has gone ahead."""
        pending = self.membership.pending
        if pending:
            self._calms.append(_Calm(pending, then))
        else:
            then()

    def absent(self, slot: int, as_of: float) -> None:
        """Nobody was in that place at ``as_of`` or after."""
        self.membership.absent(slot, as_of)
        self._go_on()

    def tell_lowered(self, why: str) -> None:
        """No level above ttl holds any more."""
        self._tell("lower", why)

    def tell_met(self, started_us: int) -> None:
        """A connection met a server that started then."""
        self._tell("met", started_us)

    def close(self) -> None:
        """Be there no longer; only when no client is left."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()

    # Followers

    def _tell(self, *message: object) -> None:
        for slot in self.membership.members:
            self._links[slot].send(*message)

    def _heard(self, link: Link, message: Message) -> None:
        word, *rest = message
        if word == "join":
            self._join(link, *rest)
        elif word == "ack":
            self.membership.acknowledged(link.slot, rest[0])
        elif word == "renew":
            if self.membership.renewed(link.slot, time.monotonic()):
                link.send("grant", rest[0])
            else:
                link.send("out")
        elif word == "judged":
            self.membership.judged(link.slot, rest[0])
        elif word == "ask":
            link.send("answer", rest[0], self._house.told(rest[1]))
        elif word == "cancel":
            spawn(self._cancel(link, rest[0], *rest[1]), name="cancel")
        self._go_on()

    async def _cancel(self, link: Link, question: int, pid: int, secret: str) -> None:
        await self._house.cancel_here(pid, bytes.fromhex(secret))
        link.send("answer", question, None)

    def _join(self, link: Link, slot: int, asked_at: float) -> None:
        link.slot = slot
        self._links[slot] = link
        self.membership.joined(slot, time.monotonic())
        under_way = [
            [n, reach_told(one.reach), one.backend.process_id, one.backend.started, one.ddl, one.landed]
            for n, one in self._open.items()
        ]
        link.send("welcome", asked_at, under_way, self._house.lowered())
        logger.info("event=follower_joined slot=%s", slot)

    def _lost(self, link: Link) -> None:
        if self._links.get(link.slot) is link:
            del self._links[link.slot]
            self.membership.lost(link.slot)
            logger.info("event=follower_lost slot=%s", link.slot)
            self._go_on()

    # Going ahead

    def _go_on(self) -> None:
        ready = self.membership.take_ready()
        for number in ready:
            one = self._open.get(number)
            if one is not None and one.then is not None:
                one.then()
        for number in self.membership.take_judged():
            one = self._open.pop(number)
            self._tell("lift", number)
            assert one.lifted is not None
            one.lifted()
        if self._calms:
            self._calm_down()
        self._watch_leases()

    def _calm_down(self) -> None:
        pending = self.membership.pending
        calms, self._calms = self._calms, []
        for calm in calms:
            calm.numbers &= pending
            if calm.numbers:
                self._calms.append(calm)
            else:
                calm.then()

    def _watch_leases(self) -> None:
        due = self.membership.due()
        if self._timer is not None and due != self._due:
            self._timer.cancel()
            self._timer = None
        if due is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = due
            self._timer = loop.call_later(max(0.0, due - time.monotonic()), self._expire)

    def _expire(self) -> None:
        self._timer = None
        before = self.membership.members
        self.membership.expire(time.monotonic())
        for slot in set(before) - set(self.membership.members):
            logger.warning("event=follower_left_out slot=%s lease_seconds=%s", slot, LEASE_SECONDS)
        self._go_on()
