"""Who is fetching what: a ticket for every fill, and flights that equal misses share.

A ticket is taken before Bind or Query is sent, for the snapshot is taken there. Sharing is as strict as
landing: whoever joins asks at that moment, so the answer on its way must still be true at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable

    from proxy.cache.entry import Slot
    from proxy.cache.policy import Limits

F = TypeVar("F", bound="Hashable")


@final
class Ticket:
    """The state of the world when a fill began: its answer may be stored while nothing it reads has moved."""

    __slots__ = ("born", "key", "places", "slot", "stamp")

    def __init__(self, slot: Slot, key: bytes, stamp: int, born: float, places: tuple[int, ...] = ()) -> None:
        self.slot = slot
        self.key = key
        self.stamp = stamp
        self.born = born
        self.places = places

    def is_valid(self) -> bool:
        """Has nothing moved since, and is nothing suspended? A suspended slot's stamp equals no ticket's."""
        return self.slot.stamp(self.places) == self.stamp


@final
class Flight(Generic[F]):
    """One fill on its way and those who wait for it. ``followers`` keep their order of arrival.

    They are the caller's objects: this room only keeps and returns them.
    """

    __slots__ = ("_max_followers", "followers", "ticket")

    def __init__(self, ticket: Ticket, max_followers: int) -> None:
        self.ticket = ticket
        self.followers: dict[F, None] = {}
        self._max_followers: Final = max_followers

    def follow(self, follower: F) -> bool:
        """Wait for this flight; False if it is full."""
        if len(self.followers) >= self._max_followers:
            return False
        self.followers[follower] = None
        return True

    def leave(self, follower: F) -> None:
        """Stop waiting: the follower was cancelled, timed out or is gone."""
        self.followers.pop(follower, None)


@final
class Fills(Generic[F]):
    """The flights on their way, one for each slot and key, at most ``max_flights``."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._flights: dict[tuple[Slot, bytes], Flight[F]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def find(self, slot: Slot, key: bytes) -> Flight[F] | None:
        """The flight that fetches this now, if what it brings would still be true for one who asks now."""
        flight = self._flights.get((slot, key))
        return flight if flight is not None and flight.ticket.is_valid() else None

    def lead(self, ticket: Ticket) -> Flight[F] | None:
        """Let others share this fill; None at the limit. A flight that is void gives way to the new one."""
        if len(self._flights) >= self._limits.max_flights or self.find(ticket.slot, ticket.key):
            return None
        flight: Flight[F] = Flight(ticket, self._limits.max_followers)
        self._flights[ticket.slot, ticket.key] = flight
        return flight

    def finish(self, flight: Flight[F]) -> tuple[F, ...]:
        """The flight is over, whatever came of it: who is to be told. Nobody can join it any more."""
        place = (flight.ticket.slot, flight.ticket.key)
        if self._flights.get(place) is flight:
            del self._flights[place]
        followers = tuple(flight.followers)
        flight.followers.clear()
        return followers
