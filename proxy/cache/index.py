"""The entries of one slot by key: one dict while they are few, many small ones when they are many.

A dict that grows is copied whole, and one that is given up is freed whole: with a million entries either
would stop everything for 50 ms and more. A small one takes microseconds for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.cache.entry import Entry

# A dict of so many entries is divided in less than two milliseconds, and then never looked at again.
MOST_IN_ONE: Final = 10_000
# With so many parts none is copied in more than five milliseconds up to 20 million entries in one slot.
PARTS: Final = 256
_MASK: Final = PARTS - 1
# A dict finds its places by the low bits of a hash: within one part they have to differ.
_SHIFT: Final = 40
# A part that has been this much larger gives its memory back while it empties, not with its last entry.
_SHRUNK: Final = 8


def part_of(key: bytes) -> int:
    """Which of the parts holds this key."""
    return hash(key) >> _SHIFT & _MASK


@final
class Index:
    """``few`` holds all entries until there are more than MOST_IN_ONE, from then on ``parts`` do until all
    have left. The path of a hit reads both.
    """

    __slots__ = ("_count", "_peaks", "few", "parts")

    def __init__(self) -> None:
        self.few: dict[bytes, Entry] = {}
        self.parts: list[dict[bytes, Entry]] = []
        self._peaks: list[int] = []  # the most entries that each part has had since it was last copied
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, key: bytes) -> Entry | None:
        """The entry with this key."""
        return self.parts[part_of(key)].get(key) if self.parts else self.few.get(key)

    def values(self) -> Iterator[Entry]:
        """All entries, as long as none comes or goes."""
        yield from self.few.values()
        for part in self.parts:
            yield from part.values()

    def add(self, entry: Entry) -> None:
        """Let an entry in whose key is not there."""
        self._count += 1
        if not self.parts:
            self.few[entry.key] = entry
            if self._count > MOST_IN_ONE:
                self._divide()
            return
        number = part_of(entry.key)
        part = self.parts[number]
        part[entry.key] = entry
        self._peaks[number] = max(self._peaks[number], len(part))

    def remove(self, entry: Entry) -> None:
        """Let an entry go that is there."""
        self._count -= 1
        if not self.parts:
            del self.few[entry.key]
            if not self._count:
                self.few = {}  # a dict keeps its table, whatever leaves it
            return
        number = part_of(entry.key)
        part = self.parts[number]
        del part[entry.key]
        if len(part) * _SHRUNK < self._peaks[number]:
            self.parts[number] = dict(part)
            self._peaks[number] = len(part)
        if not self._count:
            self.parts, self._peaks = [], []

    def _divide(self) -> None:
        parts: list[dict[bytes, Entry]] = [{} for _ in range(PARTS)]
        for key, entry in self.few.items():
            parts[part_of(key)][key] = entry
        self.few, self.parts, self._peaks = {}, parts, [len(part) for part in parts]
