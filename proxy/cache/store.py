"""Which entries stay: S3-FIFO, bounded in bytes, each step O(1) and of a bounded number of moves.

New entries enter a small queue (a tenth of the bytes); those asked for again move to the main queue when they
reach its end, the rest leave and are remembered as ghosts for a while: a ghost that comes back enters the
main queue at once. So a scan of things asked for once passes through the small queue and flushes nothing.

Source: J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you need for cache eviction",
SOSP 2023, algorithm 1 and section 4.1 (queue sizes, two-bit counters, ghosts as fingerprints in a table).
Queues are linked through the entries, so that any entry leaves at once and its memory with it.
"""

from __future__ import annotations

from array import array
from itertools import islice
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from proxy.cache.entry import Entry, Slot

# What an entry takes beyond payload and key, and a slot that holds entries with its dict: above what
# tracemalloc shows, which a test compares.
ENTRY_BYTES: Final = 320
SLOT_BYTES: Final = 320
PLACE_BYTES: Final = 112  # for each bucket that an entry depends on
SMALL_SHARE: Final = 10  # the small queue's part of the bytes, one in so many
PATIENCE: Final = 64  # entries moved or removed in one step at most: the bound on the longest step
_GHOST_SHARE: Final = 2048  # bytes of memory for each ghost place of 8 bytes
_LOW: Final = 0xFFFFFFFF


def weight(entry: Entry) -> int:
    """The bytes an entry is charged with, its slot's not included."""
    return len(entry.payload) + len(entry.key) + ENTRY_BYTES + PLACE_BYTES * len(entry.places)


def _charge(entry: Entry) -> int:
    """What the memory grows by if this entry enters: the first of a slot brings the slot's bytes along."""
    return weight(entry) if entry.slot.entries else weight(entry) + SLOT_BYTES


@final
class Fifo:
    """Entries in order of arrival; any of them can leave at any time."""

    __slots__ = ("bytes", "count", "newest", "oldest")

    def __init__(self) -> None:
        self.oldest: Entry | None = None
        self.newest: Entry | None = None
        self.count = 0
        self.bytes = 0

    def append(self, entry: Entry) -> None:
        """Let an entry in that is in no queue."""
        entry.queue, entry.older, entry.newer = self, self.newest, None
        if self.newest is None:
            self.oldest = entry
        else:
            self.newest.newer = entry
        self.newest = entry
        self.count += 1
        self.bytes += weight(entry)

    def remove(self, entry: Entry) -> None:
        """Let an entry of this queue go; its links are cut, so that no garbage chains remain."""
        older, newer = entry.older, entry.newer
        if older is None:
            self.oldest = newer
        else:
            older.newer = newer
        if newer is None:
            self.newest = older
        else:
            newer.older = older
        entry.older = entry.newer = None
        self.count -= 1
        self.bytes -= weight(entry)


@final
class Ghosts:
    """Fingerprints of entries that left the small queue lately, each in the one place its hash gives it.

    A collision forgets a ghost or admits a stranger to the main queue; neither touches what is answered.
    """

    __slots__ = ("_evicted", "_mask", "_places")

    def __init__(self, places: int) -> None:
        size = 1 << max(6, places.bit_length() - 1)
        self._places = array("Q", bytes(8 * size))
        self._mask = size - 1
        self._evicted = 0

    def add(self, entry: Entry) -> None:
        """Remember that this entry left."""
        mark = hash((entry.slot.number, entry.key))
        self._evicted += 1
        self._places[mark & self._mask] = (mark & ~_LOW & (_LOW << 32)) | (self._evicted & _LOW)

    def take(self, entry: Entry, window: int) -> bool:
        """Was it among the last ``window`` that left? If so it is forgotten here."""
        mark = hash((entry.slot.number, entry.key))
        place = self._places[mark & self._mask]
        if place >> 32 != (mark >> 32) & _LOW or (self._evicted - place) & _LOW >= window:
            return False
        self._places[mark & self._mask] = 0
        return True


@final
class Store:
    """The entries of all slots, at most ``cache_bytes`` together;

    the ghosts' table, 1/256 of it, is extra.
    """

    __slots__ = (
        "_cursor",
        "_ghosts",
        "_graves",
        "_limit",
        "_main",
        "_small",
        "_suspects",
        "bytes",
        "evictions",
    )

    def __init__(self, cache_bytes: int) -> None:
        self._limit = cache_bytes
        self._small = Fifo()
        self._main = Fifo()
        self._ghosts = Ghosts(cache_bytes // _GHOST_SHARE)
        self._graves: list[Fifo] = []  # queues dropped whole, waiting to be taken apart
        self._cursor: Entry | None = None
        self._suspects = 0
        self.bytes = 0
        self.evictions = 0

    @property
    def entries(self) -> int:
        """Entries in the queues; those dropped whole no longer count."""
        return self._small.count + self._main.count

    def put(self, entry: Entry) -> bool:
        """Remember an entry in place of the one with its key; False if it could not fit even alone."""
        if weight(entry) + SLOT_BYTES > self._limit:
            return False
        queue = self._queue_for(entry)
        while self.bytes + _charge(entry) > self._limit:
            self._evict()
        self.bytes += _charge(entry)
        entry.slot.entries.add(entry)
        queue.append(entry)
        return True

    def clear(self) -> None:
        """Drop everything in O(1);

        the caller sees to it that nothing of it is given. ``sweep`` frees memory.
        """
        self._graves += [queue for queue in (self._small, self._main) if queue.count]
        self._small, self._main = Fifo(), Fifo()
        self._cursor, self._suspects = None, 0

    def empty(self, slot: Slot) -> None:
        """Remove the entries of a slot whose entries are all dead: a few at once, the rest as it is swept.

        Statements that are asked once come and go; they must not make every sweep look at everything.
        """
        for entry in list(islice(slot.entries.values(), PATIENCE)):
            self._release(entry)
        if slot.entries:
            self.suspect()

    def suspect(self) -> None:
        """Something moved: the coming sweeps look at every entry once."""
        self._suspects = self.entries

    def sweep(self, budget: int) -> int:
        """Look at up to ``budget`` entries, remove the dead ones; how many are still to be looked at."""
        for _ in range(budget):
            if self._graves:
                self._exhume()
            elif self._suspects > 0:
                self._inspect()
            else:
                break
        return self._suspects + sum(grave.count for grave in self._graves)

    def _queue_for(self, entry: Entry) -> Fifo:
        old = entry.slot.entries.get(entry.key)
        if old is None:
            return self._main if self._ghosts.take(entry, self.entries) else self._small
        queue = self._main if old.queue is self._main else self._small
        self._release(old)
        return queue

    def _evict(self) -> None:
        if self._graves:
            self._exhume()
        elif self._small.bytes * SMALL_SHARE > self._limit or self._main.oldest is None:
            self._evict_small()
        else:
            self._evict_main()

    def _evict_small(self) -> None:
        for _ in range(PATIENCE):
            entry = self._small.oldest
            if entry is None:
                return
            if entry.visits <= 1 or entry.is_dead():
                break
            entry.visits = 0
            self._move_to_main(entry)
        if self._small.oldest is not None:
            self._ghosts.add(self._small.oldest)
            self._drop(self._small.oldest)

    def _evict_main(self) -> None:
        for _ in range(PATIENCE):
            entry = self._main.oldest
            if entry is None or entry.visits == 0 or entry.is_dead():
                break
            entry.visits -= 1
            self._move_to_main(entry)
        if self._main.oldest is not None:
            self._drop(self._main.oldest)

    def _drop(self, entry: Entry) -> None:
        self.evictions += 1
        self._release(entry)

    def _exhume(self) -> None:
        grave = self._graves[-1]
        if grave.oldest is not None:
            self._release(grave.oldest)
        if grave.oldest is None:
            self._graves.pop()

    def _inspect(self) -> None:
        entry = self._cursor or self._small.oldest or self._main.oldest
        self._suspects = 0 if entry is None else self._suspects - 1
        if entry is None:
            return
        self._cursor = self._after(entry)
        if entry.is_dead():
            self._release(entry)

    def _after(self, entry: Entry) -> Entry | None:
        if entry.newer is not None:
            return entry.newer
        return self._main.oldest if entry.queue is self._small else self._small.oldest

    def _move_to_main(self, entry: Entry) -> None:
        self._leave_queue(entry)
        self._main.append(entry)

    def _leave_queue(self, entry: Entry) -> None:
        if entry is self._cursor:
            self._cursor = self._after(entry)
        entry.queue.remove(entry)

    def _release(self, entry: Entry) -> None:
        self._leave_queue(entry)
        entries = entry.slot.entries
        entries.remove(entry)
        self.bytes -= weight(entry)
        if not entries:
            self.bytes -= SLOT_BYTES
