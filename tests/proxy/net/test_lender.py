"""net.lender: what the pool decides is carried out, whatever whoever is served does at once."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, cast

from proxy.metrics.counters import Counters
from proxy.net.lender import Lender, Request
from proxy.net.pool import PoolOptions
from proxy.session.probe import Learnt
from tests.proxy.session.world import learnt

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.errors import OrreryError
    from proxy.net.origin import OriginConnection, Wanted
    from proxy.net.pool import Waiter


class MadeUp:
    """A connection to the origin that nobody uses."""

    cancels = 0
    in_doubt = False
    standing = None

    def __init__(self) -> None:
        self.learnt = Learnt(learnt())
        self.statuses: dict[str, str] = {}

    def lend(self, *_: object) -> None:
        """Somebody has it."""

    def keep(self, *_: object) -> None:
        """Whose it is."""

    def rest(self) -> None:
        """Nobody has it."""

    def close(self) -> None:
        """It is not needed any more."""


class Place:
    """A lender whose connections are made up. ``opened`` are they, ``served`` who got one."""

    def __init__(self) -> None:
        self.opened: list[OriginConnection] = []
        self.served: list[str] = []
        self.refused: list[OrreryError] = []
        self.lender = Lender(
            PoolOptions(2, 10.0, 60.0, 600.0, 200),
            Counters(),
            self._connect,
            lambda _: None,
            lambda _: None,
            lambda: 0.0,
        )

    async def _connect(self, _: Wanted) -> OriginConnection:
        self.opened.append(cast("OriginConnection", MadeUp()))
        return self.opened[-1]

    def request(self, name: str, then: Callable[[], None] = lambda: None) -> Request:
        """Of a client that does this as soon as it is served."""

        def lend(_: OriginConnection) -> None:
            self.served.append(name)
            then()

        return Request("login", cast("Wanted", None), lend, self.refused.append, name)


async def two_who_wait(place: Place, then: Callable[[OriginConnection, Waiter], None]) -> OriginConnection:
    """At once the first gets the one that comes free, and does ``then``; one is opened for the second."""
    lender = place.lender
    connection = await lender.log_in("login", cast("Wanted", None))
    lender._pool._next_attempt = math.inf  # the origin has refused somebody a moment ago
    lender.want(place.request("first", lambda: then(connection, second)))
    second = lender.want(place.request("second"))
    lender._pool._next_attempt = 0.0
    lender.give_back(connection, usable=True)
    await asyncio.sleep(0)
    return connection


async def test_one_who_is_served_may_give_it_back_at_once_to_the_next() -> None:
    place = Place()
    await two_who_wait(place, lambda connection, _: place.lender.give_back(connection, usable=True))
    assert place.served == ["first", "second"]
    assert not place.refused
    assert len(place.opened) == 2, "the other one had been asked for, and is free"


async def test_however_many_give_it_back_at_once_they_do_not_stand_on_each_other() -> None:
    place = Place()
    lender = place.lender
    connection = await lender.log_in("login", cast("Wanted", None))
    lender._pool._next_attempt = math.inf
    for number in range(1_500):
        lender.want(place.request(str(number), lambda: lender.give_back(connection, usable=True)))
    lender.give_back(connection, usable=True)
    assert len(place.served) == 1_500


async def test_one_who_is_served_may_withdraw_another() -> None:
    place = Place()
    connection = await two_who_wait(place, lambda _, second: place.lender.withdraw(second))
    place.lender.give_back(connection, usable=True)
    assert place.served == ["first"]
    assert not place.refused
