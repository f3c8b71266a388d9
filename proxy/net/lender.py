"""Connections to the origin, lent to whoever needs one: what ``pool.Pool`` decides is carried out here."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, final

from proxy.errors import OriginRefused, OriginUnreachable, OrreryError, PoolExhausted
from proxy.metrics.counters import Counters
from proxy.net.origin import OriginConnection, Wanted
from proxy.net.pool import Action, Close, Lend, Open, Pool, PoolOptions, Seat, Waiter
from proxy.net.tasks import spawn
from proxy.session.standing import Standing

logger = logging.getLogger(__name__)

_TIDY_SECONDS: Final = 1.0
# A connection that does not close by then is cut off.
_CLOSE_SECONDS: Final = 5.0
# Lifetimes differ by so much, lest all that were opened together be closed together.
_JITTER: Final = 0.2
# The origin refuses everybody for now: too many clients, starting, stopping, out of memory or disk.
# Source: PostgreSQL docs, errcodes-appendix, classes 53 and 57P.
_FOR_NOW: Final = ("53", "57P")


@dataclass(frozen=True, slots=True)
class Request:
    """A connection of ``login`` is wanted: ``lend`` or ``refuse`` will be called with the outcome. ``guest``
    and ``customs``: see ``pool.Waiter``.
    """

    login: Hashable
    wanted: Wanted
    lend: Callable[[OriginConnection], None]
    refuse: Callable[[OrreryError], None]
    guest: object
    customs: frozenset[str] = frozenset()


@final
class Lender:
    """``connect`` opens a connection, or raises ``OrreryError``; ``on_opened`` and ``on_closed`` hear
    of each. ``chance`` in [0, 1) spreads lifetimes.
    """

    def __init__(
        self,
        options: PoolOptions,
        counters: Counters,
        connect: Callable[[Wanted], Awaitable[OriginConnection]],
        on_opened: Callable[[OriginConnection], None],
        on_closed: Callable[[OriginConnection], None],
        chance: Callable[[], float],
    ) -> None:
        self._pool = Pool(options)
        self._counters = counters
        self._connect = connect
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._chance = chance
        self._requests: dict[Waiter, Request] = {}
        self._seats: dict[OriginConnection, Seat] = {}
        self._connections: dict[Seat, OriginConnection] = {}
        self._quiet_then: dict[OriginConnection, bool] = {}  # given back, while a cancel is on its way
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._is_moving = False
        self._moves_again = False

    def process_ids(self) -> frozenset[int]:
        """Of the backends behind all connections there are."""
        return frozenset(connection.process_id for connection in self._seats)

    # For those who need one

    def want(self, request: Request, *, fresh: bool = False) -> Waiter:
        """Wait for a connection, within bounds; it may be there at once."""
        deadline = time.monotonic() + self._pool.options.wait_seconds
        waiter = Waiter(request.login, deadline, request.guest, request.customs, fresh=fresh)
        self._requests[waiter] = request
        self._pool.want(waiter)
        self._move()
        return waiter

    def borrow(self, login: Hashable, guest: object, customs: frozenset[str]) -> OriginConnection | None:
        """A connection that is free at this moment and that nobody waits for, without a word to anybody."""
        seat = self._pool.borrow(login, guest, customs)
        return None if seat is None else self._connections[seat]

    def is_waiting(self, waiter: Waiter) -> bool:
        """Has it got neither a connection nor a refusal?"""
        return waiter in self._requests

    def withdraw(self, waiter: Waiter) -> None:
        """It is not needed any more."""
        if self._requests.pop(waiter, None) is not None:
            self._pool.withdraw(waiter)
            self._move()

    async def log_in(self, login: Hashable, wanted: Wanted) -> OriginConnection:
        """A new connection; it is to be given back. Raises ``OrreryError``."""
        found: asyncio.Future[OriginConnection] = asyncio.get_running_loop().create_future()

        def refuse(fault: OrreryError) -> None:
            if not found.done():
                found.set_exception(fault)

        waiter = self.want(Request(login, wanted, found.set_result, refuse, found), fresh=True)
        try:
            return await found
        except asyncio.CancelledError:
            if found.done() and not found.cancelled() and found.exception() is None:
                self.give_back(found.result(), usable=True)
            self.withdraw(waiter)
            raise

    def give_back(
        self,
        connection: OriginConnection,
        *,
        usable: bool,
        guest: object = None,
    ) -> None:
        """It is not needed any more by ``guest``. While a cancel is on its way to it nobody else gets it."""
        connection.rest()
        seat = self._seats.get(connection)
        if seat is None:
            return
        if guest is not None:
            seat.guest = guest
        if connection.cancels:
            self._quiet_then[connection] = usable
            return
        self._take_back(connection, seat, usable=usable)

    def quiet(self, connection: OriginConnection) -> None:
        """No cancel is on its way to it any more."""
        seat, usable = self._seats.get(connection), self._quiet_then.pop(connection, None)
        if seat is not None and usable is not None:
            self._take_back(connection, seat, usable=usable)

    def _take_back(self, connection: OriginConnection, seat: Seat, *, usable: bool) -> None:
        standing = connection.standing
        assert standing is not None
        seat.customs = standing.customs
        seat.held = standing.counted_for is not None or standing.has_statements
        usable = usable and not connection.in_doubt
        actions = self._pool.give_back(seat, time.monotonic(), usable=usable)
        if actions or self._pool.waiting:
            self._act(actions)
            self._move()

    def lost(self, connection: OriginConnection) -> None:
        """The connection is closed, by whomever."""
        seat = self._seats.pop(connection, None)
        self._quiet_then.pop(connection, None)
        if seat is not None:
            del self._connections[seat]
            self._pool.gone(seat)
            self._on_closed(connection)
            self._move()

    def let_go(self) -> None:
        """Close what is free: somebody is about to drop, rename or copy a database."""
        self._act(self._pool.let_go())

    def retire(self) -> None:
        """Roles, databases or their settings changed: nobody new gets a connection from before."""
        self._act(self._pool.retire())

    def departed(self, guest: object) -> None:
        """It will not come back: what counts for it counts for nobody."""
        for seat in self._seats.values():
            if seat.guest is guest:
                seat.held = False

    # Carrying out

    def _spoke(self, connection: OriginConnection) -> None:
        """The origin says something to nobody: it is about to close, or its settings have changed."""
        if connection in self._seats and connection not in self._quiet_then:
            connection.close()
        elif connection in self._quiet_then:
            self._quiet_then[connection] = False

    def _move(self) -> None:
        """Serve who can be served. Whoever is may give it back, or want another, at once: that is decided
        upon afterwards, not within, for they may be many.
        """
        self._moves_again = True
        if self._is_moving:
            return
        self._is_moving = True
        try:
            while self._moves_again:
                self._moves_again = False
                self._act(self._pool.decide(time.monotonic()))
        finally:
            self._is_moving = False
        self._counters.origin_open = len(self._seats)
        self._counters.origin_waiting = self._pool.waiting
        self._set_timer()

    def _act(self, actions: Iterable[Action]) -> None:
        # Whoever is served may give back, withdraw or ask anew at once: what that leads to comes in between.
        for action, request in [(action, self._request_of(action)) for action in actions]:
            if isinstance(action, Close):
                connection = self._connections.get(action.seat)
                if connection is not None:
                    self._close(connection)
                continue
            assert request is not None
            if isinstance(action, Lend):
                request.lend(self._connections[action.seat])
            elif isinstance(action, Open):
                spawn(self._open(action.waiter, request.wanted), name="origin")
            else:
                request.refuse(self._exhausted())

    def _request_of(self, action: Action) -> Request | None:
        """Of one who waits on only for a connection that is opened."""
        if isinstance(action, Close):
            return None
        return (
            self._requests[action.waiter] if isinstance(action, Open) else self._requests.pop(action.waiter)
        )

    async def _open(self, waiter: Waiter, wanted: Wanted) -> None:
        try:
            connection = await self._connect(wanted)
        except OrreryError as fault:
            logger.warning("event=origin_failed sqlstate=%s reason=%s", fault.sqlstate, fault)
            for_now = isinstance(fault, OriginRefused) and fault.sqlstate.startswith(_FOR_NOW)
            unreachable = isinstance(fault, OriginUnreachable) or for_now
            for one in self._pool.failed(waiter, time.monotonic(), unreachable=unreachable):
                self._refuse(one, fault)
        except BaseException:
            for one in self._pool.failed(waiter, time.monotonic(), unreachable=False):
                self._refuse(one, OriginUnreachable("the connection to the origin could not be opened"))
            raise
        else:
            self._opened(waiter, connection)
        self._move()

    def _opened(self, waiter: Waiter, connection: OriginConnection) -> None:
        assert connection.learnt is not None
        connection.standing = Standing(connection.learnt, connection.statuses, self._pool.options.statements)
        life = self._pool.options.lifetime_seconds * (1.0 - _JITTER * self._chance())
        now = time.monotonic()
        seat = Seat(waiter.login, now + life)
        self._seats[connection] = seat
        self._connections[seat] = connection
        connection.keep(lambda _: self._spoke(connection), lambda: self.lost(connection))
        connection.rest()
        self._on_opened(connection)
        self._act(self._pool.opened(waiter, seat, now))

    def _close(self, connection: OriginConnection) -> None:
        connection.close()
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, connection.abort)

    def _refuse(self, waiter: Waiter, fault: OrreryError) -> None:
        request = self._requests.pop(waiter, None)
        if request is not None:
            request.refuse(fault)

    def _exhausted(self) -> PoolExhausted:
        options = self._pool.options
        return PoolExhausted(
            f"no connection to the origin came free within {options.wait_seconds:g} s:"
            f" {self._pool.open} of {options.size} (--pool-size) are in use"
        )

    # Time

    def _set_timer(self) -> None:
        now = time.monotonic()
        at = min(self._pool.next_moment(), now + _TIDY_SECONDS if self._seats else math.inf)
        if self._timer is not None:
            if at >= self._timer_at > now:
                return
            self._timer.cancel()
            self._timer = None
        if at < math.inf:
            self._timer_at = at
            self._timer = asyncio.get_running_loop().call_later(max(at - now, 0.0), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._act(self._pool.tidy(time.monotonic()))
        self._move()
