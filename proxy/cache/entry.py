"""One remembered answer, and the statement it belongs to.

Plain classes with slots: a memory of a million entries is made of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from proxy.cache.store import Fifo
    from proxy.cache.tags import Tag
    from proxy.cache.ttl import Pace

SUSPENDED: Final = -1  # no stamp: a change of something the slot depends on is on its way
MOST_VISITS: Final = 3  # S3-FIFO counts to three: two bits in the paper


@final
class Slot:
    """One cacheable statement in one scope: what its answers depend on, and those that are remembered.

    ``tags``: its database's first, then its relations'. ``entries`` by key, the raw bytes that make one
    request differ from the next; only the store changes it. ``number`` is never given twice.
    """

    __slots__ = ("entries", "number", "pace", "tags")

    def __init__(self, number: int, tags: tuple[Tag, ...], pace: Pace) -> None:
        self.number = number
        self.tags = tags
        self.pace = pace
        self.entries: dict[bytes, Entry] = {}

    def stamp(self) -> int:
        """The sum of the generations this slot depends on, or SUSPENDED."""
        total = 0
        for tag in self.tags:
            if tag.suspended:
                return SUSPENDED
            total += tag.generation
        return total

    def moved(self, stamp: int) -> bool:
        """Has anything this slot depends on changed since ``stamp``? A suspension alone is no change."""
        return sum(tag.generation for tag in self.tags) != stamp


@final
class Entry:
    """One remembered answer; but for ``visits`` it never changes, a new answer is a new entry.

    ``born`` and ``expires`` are monotonic seconds; age counts from the ticket, for the snapshot was taken
    after it.
    ``queue``, ``older`` and ``newer`` are its place in the store.
    """

    __slots__ = ("born", "expires", "key", "newer", "older", "payload", "queue", "slot", "stamp", "visits")

    queue: Fifo
    older: Entry | None
    newer: Entry | None

    def __init__(
        self, slot: Slot, key: bytes, payload: bytes, stamp: int, born: float, expires: float
    ) -> None:
        self.slot = slot
        self.key = key
        self.payload = payload
        self.stamp = stamp
        self.born = born
        self.expires = expires
        self.visits = 0

    def is_dead(self) -> bool:
        """Will it never be given again? An expired one is not dead: the next answer is compared with it."""
        return self.slot.moved(self.stamp)
