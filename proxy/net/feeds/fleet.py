"""The workers of one machine as one: each suspends what any of them is about to change.

What is told, and when:

- a write, before the message that can make it visible is sent: announced, and acknowledged by all who may
  answer from memory; its end afterwards. The client need not wait for that: what is suspended is not served;
- a change of the catalogue likewise. When it is committed everybody reads the catalogue again and judges anew
  what he has on its way; only when all have done so is anything of that database served again anywhere;
- purges go the same way as writes, and are answered when all have heard of them;
- what a worker had announced when it died is in doubt: all others watch that backend, as for a lost link.

Later feeds (other machines, NOTIFY, replication) end in the same two calls, ``suspend`` and ``end``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast, final

from proxy.cache.memory import PURGE_AT_ONCE, Cause
from proxy.cache.tags import Extent, Reach, Suspension
from proxy.net.doubt import Backend
from proxy.net.feeds.follower import Follower
from proxy.net.feeds.leader import LEASE_SECONDS, Leader
from proxy.net.feeds.leases import Leases
from proxy.net.feeds.messages import Message, reach_read
from proxy.net.tasks import spawn

if TYPE_CHECKING:
    from proxy.net.hub import Hub
    from proxy.session.database import Database

logger = logging.getLogger(__name__)

_NOBODY: Final = Backend(0, "")
# A worker that does not answer a question so soon is left out of the figures.
_ASK_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Remote:
    """A write that another worker has announced."""

    suspension: Suspension
    reach: Reach
    backend: Backend
    ddl: bool
    landed: bool = False

    @property
    def is_shared(self) -> bool:
        """May it change roles or databases?"""
        return self.reach.extent == Extent.ORIGIN and self.backend != _NOBODY


@final
class Fleet:
    """``slot`` is our place among ``workers``; ``folder`` holds all their sockets."""

    def __init__(self, slot: int, workers: int, folder: Path, hub: Hub) -> None:
        others = [other for other in range(workers) if other != slot]
        self._hub = hub
        self._memory = hub.shared.memory
        self._leases = Leases(others, LEASE_SECONDS)
        self._leader = Leader(slot, others, folder, self)
        self._followers = [Follower(slot, other, folder, self._leases, self) for other in others]
        self._remote: dict[int, dict[int, _Remote]] = {other: {} for other in others}
        self._numbers: dict[Suspension, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._memory.fleet_holds(self._leases.until)
        self._memory.on_end = self._ended
        self.workers = workers

    async def start(self) -> None:
        """Be found by the others, and look for them once."""
        await self._leader.start()
        for follower in self._followers:
            await follower.beat()
            self._tasks.append(spawn(follower.watch(), name=f"follower {follower.slot}"))

    def stop(self) -> None:
        """Leave; only when nobody is answered any more."""
        for task in self._tasks:
            task.cancel()
        self._leader.close()

    # Our writes

    def announce(
        self, suspension: Suspension, reach: Reach, backend: Backend, then: Callable[[], None], *, ddl: bool
    ) -> bool:
        """Our ``suspension`` of ``reach`` stands: tell all others. True: wait until ``then`` is called."""
        number = self._numbers[suspension] = self._leader.announce(reach, backend, then, ddl=ddl)
        return self._leader.waits(number)

    def _ended(self, suspension: Suspension, cause: Cause, *, changed: bool) -> None:
        """The memory is about to lift this: where it is one of ours, it is told."""
        number = self._numbers.pop(suspension, None)
        if number is None:
            return
        if not (changed and cause == "ddl"):
            self._leader.end(number, changed=changed, cause=cause)
            return
        reach = self._leader.reach(number)
        held = self._memory.suspend(reach)
        self._leader.land(number, lambda: self._memory.end(held, changed=False))
        # The session that did it has not been told yet: the catalogue that it judged by goes first.
        asyncio.get_running_loop().call_soon(
            self._judge_anew, reach, lambda: self._leader.calm(lambda: self._leader.judged(number))
        )

    def _judge_anew(self, reach: Reach, then: Callable[[], None], *, elsewhere: bool = False) -> None:
        """Read the catalogues that this change concerns, and judge by them what is on its way here."""
        directory = self._hub.directory
        everywhere = reach.extent == Extent.ORIGIN
        # Rights and roles are the origin's: another worker's change may show in a database that it was not
        # made in, and that one may be unknown here.
        every = everywhere or elsewhere
        concerned = [d for d in directory.databases() if every or d.oid == reach.database]
        left = len(concerned)

        def was_read(database: Database) -> None:
            nonlocal left
            if database.catalogue is None:
                self._hub.catalogue_changed(database)  # there is nothing to judge by: it may do anything
            left -= 1
            if not left:
                then()

        if everywhere:
            directory.changed(None)
        for database in concerned:
            if not everywhere:
                directory.changed(database)
            if not directory.read(database, lambda d=database: was_read(d)):  # type: ignore[misc]
                was_read(database)
        if not concerned:
            then()

    def purge(self, reach: Reach, then: Callable[[], None]) -> None:
        """Have all others drop this; ``then`` is called once nobody answers from it any more."""
        suspension = self._memory.suspend(reach)

        def gone() -> None:
            self._leader.end(self._numbers.pop(suspension), changed=True, cause="purge")
            self._memory.end(suspension, changed=False)
            then()

        if not self.announce(suspension, reach, _NOBODY, gone, ddl=False):
            gone()

    def lower(self, why: str) -> None:
        """No level above ttl holds any more, here and so anywhere."""
        self._leader.tell_lowered(why)

    def met(self, started_us: int) -> None:
        """A connection of ours met a server that started then."""
        self._leader.tell_met(started_us)

    # Others' writes (``follower.Fleet``)

    def welcomed(self, slot: int, under_way: list[Message], lowered: str) -> None:
        """We are in: forget everything, and suspend this."""
        before = self._remote[slot]
        self._remote[slot] = {}
        for number, reach, process_id, started, ddl, landed in under_way:
            self._suspend(slot, number, reach, process_id, started, ddl)
            if landed:
                self._landed(slot, number)
        self._memory.clear("feed")
        for remote in before.values():
            self._lift(remote, changed=True)
        if lowered:
            self._hub.freshness.lower(lowered)
        logger.info("event=joined slot=%s under_way=%s", slot, len(under_way))

    def said(self, slot: int, message: Message) -> None:
        """A word about a write or the origin."""
        word, *rest = message
        if word == "suspend":
            self._suspend(slot, *rest)
            self._follower(slot).send("ack", rest[0])
        elif word == "end":
            number, changed, cause = rest
            ended = self._remote[slot].pop(number)
            self._lift(ended, changed=changed)
            if cause == "purge" and ended.reach.extent == Extent.ORIGIN:
                self._memory.clear("feed")
            elif cause == "purge":
                self._memory.sweep(PURGE_AT_ONCE)
        elif word == "landed":
            self._landed(slot, rest[0])
        elif word == "lift":
            self._lift(self._remote[slot].pop(rest[0]), changed=True)
        elif word == "lower":
            self._hub.freshness.lower(rest[0])
        elif word == "met":
            self._hub.freshness.met(rest[0])

    def bereft(self, slot: int) -> None:
        """The worker there is gone. What it had announced is ours to watch, and ours to tell of: another one
        may join only now, and its end has to be told as that of our own writes.
        """
        orphans, self._remote[slot] = self._remote[slot], {}
        halfway = not self._leader.membership.is_settled or any(
            remote.landed for others in (orphans, *self._remote.values()) for remote in others.values()
        )
        for remote in orphans.values():
            self._adopt(remote)
        if halfway:
            # It may have had statements on their way that it judged by a catalogue from before, and would
            # have told of what they can do only now.
            self._hub.freshness.doubt_backends()

    def vacant(self, slot: int, as_of: float) -> None:
        """Nobody was there at ``as_of`` or after."""
        self._leader.absent(slot, as_of)

    def leases_moved(self) -> None:
        """We may answer for longer, or no longer."""
        self._memory.fleet_holds(self._leases.until)

    def catalogue_changed(self, database: int) -> None:
        """This catalogue says something else: others' writes on their way may do more than was thought."""
        for remotes in self._remote.values():
            for remote in remotes.values():
                if remote.reach.database == database:
                    self._memory.widen(remote.suspension, database)

    def _suspend(
        self, slot: int, number: int, reach: Message, process_id: int, started: str, ddl: bool
    ) -> None:
        what = reach_read(reach)
        remote = _Remote(self._memory.suspend(what), what, Backend(process_id, started), ddl)
        self._remote[slot][number] = remote
        if remote.is_shared:
            self._hub.hold_logins()
            self._hub.shared_change_ahead()

    def _landed(self, slot: int, number: int) -> None:
        remote = self._remote[slot][number]
        remote.landed = True
        follower = self._follower(slot)
        self._judge_anew(
            remote.reach,
            lambda: self._leader.calm(lambda: follower.send("judged", number)),
            elsewhere=True,
        )

    def _lift(self, remote: _Remote, *, changed: bool) -> None:
        self._memory.end(remote.suspension, changed=changed, cause="feed")
        if remote.is_shared:
            self._hub.release_logins()

    def _adopt(self, remote: _Remote) -> None:
        cause: Cause = "ddl" if remote.ddl else "own_write"
        self._numbers[remote.suspension] = self._leader.announce(
            remote.reach, remote.backend, None, ddl=remote.ddl
        )

        def settled() -> None:
            if remote.is_shared:
                self._hub.release_logins()

        if remote.landed or remote.backend == _NOBODY:
            self._memory.end(remote.suspension, changed=True, cause=cause)
            settled()
        else:
            self._hub.doubts.watch(
                remote.suspension, remote.reach.database, remote.backend, settled, cause=cause
            )

    def _follower(self, slot: int) -> Follower:
        return next(follower for follower in self._followers if follower.slot == slot)

    # Questions

    async def gather(self, what: object) -> list[Any]:
        """The answers of all others who give one soon."""
        answers = await asyncio.gather(*(follower.ask(what, _ASK_SECONDS) for follower in self._followers))
        return [answer for answer in answers if answer is not None]

    async def backends(self) -> frozenset[int]:
        """The process ids of all workers' connections to the origin."""
        told = cast("list[list[int]]", await self.gather("backends"))
        return frozenset(self._hub.origin_pids()).union(*told)

    async def cancel(self, pid: int, secret: bytes) -> None:
        """A CancelRequest whose client is not here: whoever has it acts. Over when it can hit nothing any
        more, as far as that is heard of.
        """
        seconds = self._hub.url.connect_seconds  # which bound it there
        await asyncio.gather(*(follower.cancel(pid, secret, seconds) for follower in self._followers))

    @property
    def present(self) -> int:
        """How many workers there are that answer, we among them."""
        return 1 + sum(follower.is_in for follower in self._followers)

    # Of those who follow us (``leader.House``)

    def told(self, what: object) -> object:
        """Figures, queries, backends, or what a purge drops."""
        if what == "backends":
            return list(self._hub.origin_pids())
        return self._hub.view.told(what)

    async def cancel_here(self, pid: int, secret: bytes) -> None:
        """A CancelRequest that another worker got."""
        client = self._hub.by_cancel_key(pid, secret)
        if client is not None:
            await client.cancel()

    def lowered(self) -> str:
        """Why no level above ttl holds any more."""
        return self._hub.freshness.lowered
