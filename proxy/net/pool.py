"""Which connection to the origin serves whom: a queue of those who wait, the connections there are, and one
function that decides. No I/O and no clock: ``Lender`` acts on what is decided here.

In order: a connection of the same login that is free; a new one, while there are fewer than the limit; the
place of a free one of another login, which is closed first. Whoever waits longer than the limit is told so.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import islice
from typing import Final, final

# Between two attempts after one that failed for want of the origin: doubled each time.
FIRST_BACK_OFF_SECONDS: Final = 0.05
LAST_BACK_OFF_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """``size``: connections at one time, those being opened and closed included. ``wait_seconds``: how long a
    client waits for one. ``idle_seconds``, ``lifetime_seconds``: how long one is kept unused, and at all.
    ``statements``: prepared ones that stay on it.
    """

    size: int
    wait_seconds: float
    idle_seconds: float
    lifetime_seconds: float
    statements: int


@final
class Seat:
    """One connection: ``login`` is what it can be used for; ``free_since`` is ``inf`` while it is lent.

    ``guest``: whom it served last; ``customs``: see ``Standing``; ``held``: it counts for its last guest, and
    is given to others when there is nothing better.
    """

    __slots__ = (
        "closing",
        "customs",
        "expires",
        "free_since",
        "guest",
        "held",
        "login",
        "makes_room_for",
        "retired",
    )

    def __init__(self, login: Hashable, expires: float) -> None:
        self.login = login
        self.expires = expires
        self.free_since = math.inf
        self.makes_room_for: Waiter | None = None
        self.guest: object | None = None
        self.customs: frozenset[str] = frozenset()
        self.held = False
        self.closing = False
        self.retired = False

    def __repr__(self) -> str:
        state = "closing" if self.closing else "lent" if self.free_since == math.inf else "free"
        return f"<Seat of {self.login}: {state}>"


@final
class Waiter:
    """Who wants a connection of ``login``. ``fresh``: a new login, for it is to be seen whether it succeeds.

    ``guest`` and ``customs`` are the session's, as ``Seat`` remembers them.
    """

    __slots__ = ("customs", "deadline", "fresh", "guest", "login", "room")

    def __init__(
        self,
        login: Hashable,
        deadline: float,
        guest: object,
        customs: frozenset[str] = frozenset(),
        *,
        fresh: bool = False,
    ) -> None:
        self.login = login
        self.deadline = deadline
        self.guest = guest
        self.customs = customs
        self.fresh = fresh
        self.room = False  # a connection is being opened, or closed, on its behalf


@dataclass(frozen=True, slots=True)
class Lend:
    """Give this connection to this waiter."""

    waiter: Waiter
    seat: Seat


@dataclass(frozen=True, slots=True)
class Open:
    """Open a connection of this login; ``opened`` or ``failed`` follows."""

    waiter: Waiter


@dataclass(frozen=True, slots=True)
class Close:
    """Close this connection; ``gone`` follows."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Refuse:
    """It has waited long enough."""

    waiter: Waiter


Action = Lend | Open | Close | Refuse


@final
class Pool:
    """All connections to one origin that sessions share, and all who wait for one."""

    def __init__(self, options: PoolOptions) -> None:
        self.options = options
        self._waiting: dict[Waiter, None] = {}  # in the order of their coming
        self._seats: set[Seat] = set()
        self._free: dict[Hashable, dict[Seat, None]] = {}  # by login; the one used last is the last
        self._opening = 0
        self._next_attempt = -math.inf
        self._back_off = 0.0

    def __repr__(self) -> str:
        free = sum(len(seats) for seats in self._free.values())
        return f"<Pool of {self.options.size}: {self.open} open, {free} free, {self.waiting} waiting>"

    @property
    def open(self) -> int:
        """Connections there are, those being opened and closed included."""
        return len(self._seats) + self._opening

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    # What happens

    def borrow(self, login: Hashable, guest: object, customs: frozenset[str]) -> Seat | None:
        """A connection that is free, if nobody waits for one: as ``decide`` would lend it to this guest."""
        if self._waiting:
            return None
        seat = self._best(login, guest, customs)
        if seat is None or (seat.held and seat.guest is not guest):
            return None
        self._lend(seat, guest)
        return seat

    def want(self, waiter: Waiter) -> None:
        """Somebody needs a connection."""
        self._waiting[waiter] = None

    def withdraw(self, waiter: Waiter) -> None:
        """It does not any more."""
        self._waiting.pop(waiter, None)

    def opened(self, waiter: Waiter, seat: Seat, now: float) -> list[Action]:
        """A connection was opened for ``waiter``. It is lent at once where it was asked to be a new one."""
        self._opening -= 1
        waiter.room = False
        self._back_off = 0.0
        self._next_attempt = -math.inf
        self._seats.add(seat)
        if waiter.fresh and waiter in self._waiting:
            return [self._serve_with(waiter, seat)]
        self._set_free(seat, now)
        return []

    def failed(self, waiter: Waiter, now: float, *, unreachable: bool) -> list[Waiter]:
        """It could not be opened. Who is to be told of it: where the origin is not there, all who wait.

        ``unreachable``: the fault is the origin's, not the login's; the next attempt is made a little later.
        """
        self._opening -= 1
        waiter.room = False
        if not unreachable:
            return self._told([waiter])
        self._back_off = min(max(2 * self._back_off, FIRST_BACK_OFF_SECONDS), LAST_BACK_OFF_SECONDS)
        self._next_attempt = now + self._back_off
        # While there are connections, one may come free; whoever asked for a new one has its answer.
        hopeful = bool(self._seats)
        return self._told([one for one in self._waiting if one is waiter or not hopeful], hopeful=hopeful)

    def _told(self, waiters: list[Waiter], *, hopeful: bool = False) -> list[Waiter]:
        told = [one for one in waiters if one in self._waiting and (one.fresh or not hopeful)]
        for one in told:
            del self._waiting[one]
        return told

    def give_back(self, seat: Seat, now: float, *, usable: bool) -> list[Action]:
        """Whoever had it needs it no more. What is not ``usable``, retired or too old is closed."""
        if seat not in self._seats or seat.closing:
            return []
        if not usable or seat.retired or now >= seat.expires:
            return [self._close(seat)]
        self._set_free(seat, now)
        return []

    def gone(self, seat: Seat) -> None:
        """The connection is closed."""
        self._seats.discard(seat)
        self._take_from_free(seat)
        if seat.makes_room_for is not None:
            seat.makes_room_for.room = False

    def retire(self) -> list[Action]:
        """Logins mean something else by now: no connection that is there serves anybody new."""
        for seat in self._seats:
            seat.retired = True
        return self.let_go()

    def let_go(self) -> list[Action]:
        """Close all that are free: somebody is about to drop, rename or copy a database."""
        return [self._close(seat) for seats in list(self._free.values()) for seat in list(seats)]

    def tidy(self, now: float) -> list[Action]:
        """Close what has been free for too long, or is too old."""
        too_long = now - self.options.idle_seconds
        return [
            self._close(seat)
            for seats in list(self._free.values())
            for seat in list(seats)
            if seat.free_since <= too_long or now >= seat.expires
        ]

    def _set_free(self, seat: Seat, now: float) -> None:
        seat.free_since = now
        self._free.setdefault(seat.login, {})[seat] = None

    def _take_from_free(self, seat: Seat) -> None:
        seats = self._free.get(seat.login)
        if seats is not None and seat in seats:
            del seats[seat]
            if not seats:
                del self._free[seat.login]

    # What is to be done

    def decide(self, now: float) -> list[Action]:
        """Who gets what, in order; nobody is overtaken but by those for whom room is made already."""
        actions: list[Action] = []
        # Those for whom room is being made are fewer than the limit: the one behind them ends it.
        for waiter in list(islice(self._waiting, self.options.size + 1)):
            if waiter.deadline <= now:
                del self._waiting[waiter]
                actions.append(Refuse(waiter))
                continue
            action = self._serve(waiter, now)
            if action is not None:
                actions.append(action)
            elif not waiter.room:
                break
        return actions

    def _serve(self, waiter: Waiter, now: float) -> Action | None:
        seat = None if waiter.fresh else self._best(waiter.login, waiter.guest, waiter.customs)
        if seat is not None and not (seat.held and seat.guest is not waiter.guest and self._has_room(now)):
            return self._serve_with(waiter, seat)
        if waiter.room:
            return None
        if self._has_room(now):
            waiter.room = True
            self._opening += 1
            return Open(waiter)
        if self.open >= self.options.size and now >= self._next_attempt:
            evicted = self._longest_free()
            if evicted is not None:
                waiter.room = True
                evicted.makes_room_for = waiter
                return self._close(evicted)
        return None

    def _has_room(self, now: float) -> bool:
        return self.open < self.options.size and now >= self._next_attempt

    def _best(self, login: Hashable, guest: object, customs: frozenset[str]) -> Seat | None:
        """The one that it had before, else one used a moment ago that counts for nobody."""
        found: Seat | None = None
        for seat in reversed(self._free.get(login, {})):
            if not seat.customs <= customs:
                continue
            if seat.guest is guest:
                return seat
            if found is None or (found.held and not seat.held):
                found = seat
        return found

    def _serve_with(self, waiter: Waiter, seat: Seat) -> Lend:
        del self._waiting[waiter]
        self._lend(seat, waiter.guest)
        return Lend(waiter, seat)

    def _lend(self, seat: Seat, guest: object) -> None:
        self._take_from_free(seat)
        seat.free_since = math.inf
        seat.guest = guest

    def _longest_free(self) -> Seat | None:
        oldest = [next(iter(seats)) for seats in self._free.values()]
        return min(oldest, key=lambda seat: seat.free_since, default=None)

    def _close(self, seat: Seat) -> Close:
        self._take_from_free(seat)
        seat.closing = True
        return Close(seat)

    def next_moment(self) -> float:
        """When ``decide`` is to be asked again though nothing has happened; ``inf``: never."""
        first = next(iter(self._waiting), None)
        if first is None:
            return math.inf
        if self.open < self.options.size and self._next_attempt > -math.inf:
            return min(first.deadline, self._next_attempt)
        return first.deadline
