"""One remembered answer, and the statement it belongs to.

Plain classes with slots: a memory of a million entries is made of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from proxy.cache.buckets import Buckets
from proxy.cache.facets import ANY_VALUE
from proxy.cache.index import Index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.cache.facets import Facet, Fixed, Tag
    from proxy.cache.fills import Ticket
    from proxy.cache.store import Fifo
    from proxy.cache.ttl import Pace

SUSPENDED: Final = -1  # no stamp: a change of something the slot depends on is on its way
MOST_VISITS: Final = 3  # S3-FIFO counts to three: two bits in the paper
_NONE: Final = Buckets()  # of a slot that fixes no column


@final
class Slot:
    """One cacheable statement in one scope: what its answers depend on, and those that are remembered.

    ``tags``: its database's first, then its relations' and facets'. ``entries`` by key, the raw bytes that
    make one request differ from the next; only the store changes it. ``number`` is never given twice.
    ``fixed``: for each column that its requests fix to a value, the facet whose bucket counts; None where
    that relation is counted as a whole.
    """

    __slots__ = ("buckets", "entries", "fixed", "number", "pace", "tags")

    def __init__(
        self,
        number: int,
        tags: tuple[Tag, ...],
        pace: Pace,
        buckets: Buckets = _NONE,
        fixed: tuple[Facet | None, ...] = (),
    ) -> None:
        self.number = number
        self.tags = tags
        self.pace = pace
        self.buckets = buckets
        self.fixed = fixed
        self.entries = Index()

    def places(self, values: Sequence[Fixed]) -> tuple[int, ...]:
        """The buckets of a request that fixes these values, one for each of ``fixed``.

        A value that is not given counts as any value.
        """
        pairs = zip(self.fixed, (*values, *[ANY_VALUE] * (len(self.fixed) - len(values))), strict=True)
        return tuple(self.buckets.place(facet.number, value) for facet, value in pairs if facet is not None)

    def stamp(self, places: tuple[int, ...] = ()) -> int:
        """The sum of the generations that a request of this slot depends on, or SUSPENDED."""
        total = 0
        for tag in self.tags:
            if tag.suspended:
                return SUSPENDED
            total += tag.generation
        for place in places:
            if self.buckets.suspended[place]:
                return SUSPENDED
            total += self.buckets.generations[place]
        return total

    def moved(self, stamp: int, places: tuple[int, ...] = ()) -> bool:
        """Has anything that it depends on changed since ``stamp``? A suspension alone is no change."""
        rows = sum(self.buckets.generations[place] for place in places)
        return sum(tag.generation for tag in self.tags) + rows != stamp


@final
class Entry:
    """One remembered answer; but for ``visits`` it never changes, a new answer is a new entry.

    ``born`` and ``expires`` are monotonic seconds; age counts from the ticket, for the snapshot was taken
    after it. ``places``: the buckets it depends on. ``queue``, ``older`` and ``newer`` are its place in the
    store.
    """

    __slots__ = (
        "born",
        "expires",
        "key",
        "newer",
        "older",
        "payload",
        "places",
        "queue",
        "slot",
        "stamp",
        "visits",
    )

    queue: Fifo
    older: Entry | None
    newer: Entry | None

    def __init__(self, ticket: Ticket, payload: bytes, expires: float) -> None:
        self.slot = ticket.slot
        self.key = ticket.key
        self.payload = payload
        self.stamp = ticket.stamp
        self.places = ticket.places
        self.born = ticket.born
        self.expires = expires
        self.visits = 0

    def is_dead(self) -> bool:
        """Will it never be given again? An expired one is not dead: the next answer is compared with it."""
        return self.slot.moved(self.stamp, self.places)
