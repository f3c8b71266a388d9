"""The leader's side of a feed: who follows, who has acknowledged what, and whose lease is over.

A follower answers from memory only while it holds a lease of every leader. A leader goes ahead with a write
when each follower has acknowledged it, or holds no lease any more: it died, or was silent for longer than a
lease lasts. Whoever was left out so is out until it joins again, with an empty memory. A leader that has just
begun does not know whom its predecessor in the same place has given leases to, and waits for those as well.

Pure: ``now`` comes in, decisions go out. Seconds are monotonic.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final


class Standing(enum.Enum):
    """``UNHEARD``: not a follower of ours yet, but it may hold a lease of our predecessor."""

    UNHEARD = "unheard"
    IN = "in"
    OUT = "out"


@dataclass(slots=True)
class _Place:
    """A lease given at ``granted_at`` or before is over ``lease_seconds`` later."""

    standing: Standing
    granted_at: float


@dataclass(slots=True)
class _Landed:
    """A change of the catalogue that was committed; ``missing`` have not looked at theirs since."""

    since: float
    missing: set[int]


@final
class Membership:
    """``slots`` are the places of all others, ``own`` is ours. Announcements go by the caller's numbers."""

    def __init__(self, own: int, slots: Iterable[int], now: float, lease_seconds: float) -> None:
        self._own: Final = own
        self._lease_seconds: Final = lease_seconds
        self._places = {slot: _Place(Standing.UNHEARD, now) for slot in slots}
        self._unacknowledged: dict[int, set[int]] = {}
        self._landed: dict[int, _Landed] = {}

    @property
    def members(self) -> list[int]:
        """Those who are told what is announced."""
        return [slot for slot, place in self._places.items() if place.standing is Standing.IN]

    def announce(self, number: int, now: float) -> bool:
        """A write wants to go ahead: has it to wait for anybody? ``members`` are to be told of it."""
        self._put_out(self._places, now)
        waiting = {slot for slot, place in self._places.items() if place.standing is not Standing.OUT}
        if waiting:
            self._unacknowledged[number] = waiting
        return bool(waiting)

    def acknowledged(self, slot: int, number: int) -> None:
        """This follower has suspended the reach of that write."""
        self._unacknowledged.get(number, set()).discard(slot)

    def withdraw(self, number: int) -> None:
        """The write has ended without having been sent."""
        self._unacknowledged.pop(number, None)

    def joined(self, slot: int, now: float) -> None:
        """It follows from now on, with an empty memory. It is told of everything that is open, and answers
        nothing before it has read that.
        """
        self._places[slot] = _Place(Standing.IN, now)
        self._discharge(slot)

    def renewed(self, slot: int, now: float) -> bool:
        """It asks for a new lease, which counts from before ``now``. False: it is out."""
        place = self._places[slot]
        if place.standing is not Standing.IN:
            return False
        place.granted_at = now
        return True

    def lost(self, slot: int) -> None:
        """Its process is gone, and with it its memory."""
        self._places[slot].standing = Standing.OUT
        self._discharge(slot)

    def absent(self, slot: int, as_of: float) -> None:
        """At ``as_of`` or after nobody was in that place: whoever comes to it begins later."""
        if self._places[slot].standing is Standing.UNHEARD:
            self.lost(slot)
        for landed in self._landed.values():
            if landed.since <= as_of:
                landed.missing.discard(slot)

    def expire(self, now: float) -> None:
        """Leave out those who keep a write waiting and whose lease is over."""
        self._put_out({slot for slots in self._unacknowledged.values() for slot in slots}, now)

    def due(self) -> float | None:
        """When to look again (``expire``, ``take_ready``); None while nobody waits."""
        if not all(self._unacknowledged.values()):
            return -math.inf
        awaited = {slot for slots in self._unacknowledged.values() for slot in slots}
        granted = [self._places[slot].granted_at for slot in awaited]
        return min(granted) + self._lease_seconds if granted else None

    def take_ready(self) -> list[int]:
        """The writes that may go ahead now, each told once."""
        ready = [number for number, slots in self._unacknowledged.items() if not slots]
        for number in ready:
            del self._unacknowledged[number]
        return ready

    @property
    def pending(self) -> set[int]:
        """The writes that wait."""
        return set(self._unacknowledged)

    # Changes of the catalogue

    def landed(self, number: int, now: float) -> None:
        """A change of the catalogue is committed: nobody may answer from what it reaches until everybody,
        we ourselves among them, has judged by the new one what is on its way. A lease that is over excuses
        nobody: statements may be on their way all the same.
        """
        self._landed[number] = _Landed(now, {self._own, *self._places})

    def judged(self, slot: int, number: int) -> None:
        """This one has."""
        landed = self._landed.get(number)
        if landed is not None:
            landed.missing.discard(slot)

    def take_judged(self) -> list[int]:
        """The changes that everybody knows now, each told once."""
        done = [number for number, landed in self._landed.items() if not landed.missing]
        for number in done:
            del self._landed[number]
        return done

    @property
    def is_settled(self) -> bool:
        """Does no change of the catalogue wait for anybody?"""
        return not self._landed

    def _put_out(self, slots: Iterable[int], now: float) -> None:
        for slot in list(slots):
            place = self._places[slot]
            if place.standing is not Standing.OUT and now >= place.granted_at + self._lease_seconds:
                self.lost(slot)

    def _discharge(self, slot: int) -> None:
        for waiting in self._unacknowledged.values():
            waiting.discard(slot)
