"""The facade of this room: what may be given, what may be stored, and what a write does to both.

Every answer that leaves goes through ``lookup``, every change through ``suspend`` and ``end`` or through
``drop``.
"""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, Final, Generic, Literal, Protocol, final

from proxy.cache.entry import MOST_VISITS, SUSPENDED, Entry, Slot
from proxy.cache.facets import Part, Tag
from proxy.cache.fills import F, Fills, Flight, Ticket
from proxy.cache.index import part_of
from proxy.cache.store import Store
from proxy.cache.tags import ORIGIN, Extent, Reach, Suspension, Tags
from proxy.cache.ttl import Pace, TtlRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.cache.facets import Fixed
    from proxy.cache.policy import Limits

Cause = Literal["own_write", "feed", "purge", "ddl"]
# Entries taken apart within a purge: a small memory is then empty in all figures, and nobody waits 5 ms.
PURGE_AT_ONCE: Final = 300


class OnEnd(Protocol):
    """Whoever tells others what happens here."""

    def __call__(self, suspension: Suspension, cause: Cause, *, changed: bool) -> None:
        """This one is about to be lifted."""


def _middle() -> float:
    return 0.5


@final
class Memory(Generic[F]):
    """Remembered answers of one origin. ``F`` is what the caller lets wait for a flight.

    Nothing is given before ``lease_until`` (monotonic seconds) is set: whoever knows that the origin is still
    the same one extends it, to ``math.inf`` where no such promise is made; where several memories are kept
    one, so does whoever knows that the others count on this one. ``chance`` in [0, 1)
    spreads the TTLs. Seconds are monotonic; all methods return at once.
    """

    def __init__(self, limits: Limits, ttl: TtlRule, chance: Callable[[], float] = _middle) -> None:
        self.limits = limits
        self.lease_until = -math.inf
        self.on_end: OnEnd | None = None  # where others are told of what happens here
        self._origin_until = -math.inf
        self._fleet_until = math.inf
        self.expiring = True  # level ttl; False: answers live until something moves
        self.invalidations: dict[Cause, int] = {"own_write": 0, "feed": 0, "purge": 0, "ddl": 0}
        self.refused = 0  # answers too large to be stored
        self.overtaken = 0  # answers not stored because something moved while they were fetched
        self._ttl = ttl
        self._chance = chance
        self._tags = Tags(limits)
        self._buckets = self._tags.buckets
        self._store = Store(limits.cache_bytes)
        self._fills: Fills[F] = Fills(limits)
        self._suspensions: set[Suspension] = set()
        self._slot_numbers = count()
        self._retired = Tag()
        self._retired.suspended = 1

    def origin_heard(self, until: float) -> None:
        """The origin is known to be the same one until then; ``-math.inf``: it may be another one."""
        self._origin_until = until
        self.lease_until = min(until, self._fleet_until)

    def fleet_holds(self, until: float) -> None:
        """Nobody else lets a write become visible before it is suspended here, until then."""
        self._fleet_until = until
        self.lease_until = min(until, self._origin_until)

    # The path of a hit

    def lookup(self, slot: Slot, key: bytes, now: float) -> Entry | None:
        """The answer that may be given now, or None."""
        entries = slot.entries
        entry = entries.few.get(key)
        if entry is None and entries.parts:
            entry = entries.parts[part_of(key)].get(key)
        if entry is None or now >= self.lease_until:
            return None
        stamp = 0
        for tag in slot.tags:
            if tag.suspended:
                return None
            stamp += tag.generation
        buckets = self._buckets
        for place in entry.places:
            if buckets.ongoing and buckets.suspended[place]:
                return None
            stamp += buckets.generations[place]
        if stamp != entry.stamp or (now >= entry.expires and self.expiring):
            return None
        if entry.visits < MOST_VISITS:
            entry.visits += 1
        return entry

    # The path of a fill

    def pace(self) -> Pace:
        """A new estimate of how fast answers change, to be shared by the slots of one statement template."""
        return Pace(self._ttl)

    def slot(self, database: int, reads: Iterable[int | Part], pace: Pace | None = None) -> Slot:
        """A place for the answers of one statement in one scope; it reads this of one database.

        A relation by its oid alone: all rows and columns of it.
        """
        parts = [read if isinstance(read, Part) else Part(read) for read in reads]
        tags, fixed = self._tags.of(database, parts)
        return Slot(next(self._slot_numbers), tags, pace or self.pace(), self._buckets, fixed)

    def retire(self, slot: Slot) -> None:
        """Nobody will ask this slot again: from now on nothing in it is given and nothing lands in it.

        A large one is emptied by ``sweep``, a small one at once.
        """
        slot.tags = (self._retired, *slot.tags)
        self._retired.generation += 1
        self._store.empty(slot)

    def ticket(self, slot: Slot, key: bytes, now: float, values: Sequence[Fixed] = ()) -> Ticket | None:
        """To be taken before Bind or Query is sent;

        None while a change of what the request reads is going on. ``values``: what it fixes the columns of
        ``slot.fixed`` to, in their order.
        """
        places = slot.places(values) if slot.fixed else ()
        stamp = slot.stamp(places)
        return None if stamp == SUSPENDED else Ticket(slot, key, stamp, now, places)

    def ticket_of(self, entry: Entry) -> Ticket:
        """The ticket that this answer landed with: valid as long as nothing that it depends on has moved."""
        return Ticket(entry.slot, entry.key, entry.stamp, entry.born, entry.places)

    def land(self, ticket: Ticket, payload: bytes) -> Entry | None:
        """Store a complete answer; None if it may not or cannot stay.

        Refused: what something moved or suspended has overtaken, what is too large, what is older than the
        answer that landed first. Age and TTL count from the ticket, so a slow answer may be born expired: it
        is kept, to be compared with the next one.
        """
        if not ticket.is_valid():
            self.overtaken += 1
            return None
        slot, key = ticket.slot, ticket.key
        if len(payload) + len(key) > self.limits.max_entry_bytes:
            self.refused += 1
            return None
        if not self._observe(ticket, payload):
            return None
        expires = ticket.born + slot.pace.ttl(self._chance())
        entry = Entry(ticket, payload, expires)
        return entry if self._store.put(entry) else None

    def _observe(self, ticket: Ticket, payload: bytes) -> bool:
        """Learn from the answer that this one replaces; False if that one is younger.

        Only an answer with the same stamp teaches: what a write of ours changed says nothing of others'
        writes.
        """
        old = ticket.slot.entries.get(ticket.key)
        if old is None or old.stamp != ticket.stamp:
            return True
        elapsed = ticket.born - old.born
        ticket.slot.pace.observe(changed=old.payload != payload, elapsed=elapsed)
        return elapsed >= 0.0

    # Equal misses

    def lead(self, ticket: Ticket) -> Flight[F] | None:
        """Let equal misses wait for this fill, until ``finish``;

        None at the limit or if one is on its way.
        """
        return self._fills.lead(ticket)

    def join(self, slot: Slot, key: bytes, now: float) -> Flight[F] | None:
        """The flight that one who asks now may share: valid, within the lease, younger than its TTL."""
        flight = self._fills.find(slot, key) if now < self.lease_until else None
        if flight is None or (self.expiring and now - flight.ticket.born >= slot.pace.seconds):
            return None
        return flight

    def finish(self, flight: Flight[F]) -> tuple[F, ...]:
        """End a flight, landed or not, and tell who waited.

        They joined while the ticket was valid, so a whole answer is theirs even if it could not be stored;
        after an error they ask for themselves.
        """
        return self._fills.finish(flight)

    # The path of a write

    def suspend(self, reach: Reach) -> Suspension:
        """To be called before the message that can make a write visible is sent."""
        suspension = self._tags.suspend(reach)
        self._suspensions.add(suspension)
        return suspension

    def widen(self, suspension: Suspension, database: int) -> None:
        """The same change may reach all of this database."""
        self._tags.widen(suspension, database)

    def end(self, suspension: Suspension, *, changed: bool, cause: Cause = "own_write") -> None:
        """The outcome is known; to be called before the client is told. A second end changes nothing.

        A write whose outcome is not known is not ended: its reach stays suspended until it is.
        """
        if not suspension.open:
            return
        if self.on_end is not None:
            self.on_end(suspension, cause, changed=changed)
        self._tags.end(suspension, changed=changed)
        self._suspensions.discard(suspension)
        if changed and suspension.tags:
            self._moved(cause)
        elif changed and suspension.places:
            # A few rows: their answers are not worth a look at all others, and leave by and by.
            self.invalidations[cause] += 1

    def drop(self, reach: Reach, cause: Cause) -> None:
        """Make everything in the reach stale at once: feeds, purge, DDL."""
        if reach.extent != Extent.NOTHING:
            self._tags.raise_generations(reach)
            self._moved(cause)

    def held(self, reaches: Iterable[Reach], slots: Iterable[Slot]) -> int:
        """How many entries of these slots any of the reaches would make stale, those stale already included.

        Of reaches that name whole relations, or more.
        """
        tags = self._tags.of_reaches(reaches)
        return sum(len(slot.entries) for slot in slots if not tags.isdisjoint(slot.tags))

    def purge(self, reach: Reach) -> None:
        """Drop by hand: nothing in the reach is given from now on; the memory comes back as it is swept."""
        self.drop(reach, "purge")
        self._store.sweep(PURGE_AT_ONCE)

    def clear(self, cause: Cause) -> None:
        """Drop everything. ``entries`` is 0 at once; the memory comes back as it is swept."""
        self.drop(ORIGIN, cause)
        self._store.clear()
        self._store.sweep(PURGE_AT_ONCE)

    def set_level(self, *, expiring: bool) -> None:
        """From now on answers expire by time, or no longer do.

        Every entry carries its deadline, so expiry holds at once for those stored before. What was stored
        while writes could pass us by is no ground for a level that has no expiry: it is dropped.
        """
        if self.expiring and not expiring:
            self._tags.raise_generations(ORIGIN)
            self._store.clear()
        self.expiring = expiring

    def _moved(self, cause: Cause) -> None:
        self.invalidations[cause] += 1
        self._store.suspect()

    # Upkeep and figures

    def sweep(self, budget: int) -> int:
        """Remove what will never be given again; how many entries are still to be looked at.

        Looks at up to ``budget`` entries, two microseconds each at most. For the janitor, until it is 0.
        """
        return self._store.sweep(budget)

    @property
    def entries(self) -> int:
        """Remembered answers, those not yet swept included."""
        return self._store.entries

    @property
    def bytes(self) -> int:
        """Memory held: payloads, keys and overhead."""
        return self._store.bytes

    @property
    def evictions(self) -> int:
        """Entries that had to leave for others."""
        return self._store.evictions

    @property
    def suspended(self) -> int:
        """Writes on their way, those in doubt included."""
        return len(self._suspensions)

    @property
    def flights(self) -> int:
        """Fills on their way that others may share."""
        return len(self._fills)

    @property
    def shared_tags(self) -> int:
        """Times a relation or a database had to share a generation because of a limit."""
        return self._tags.shared
