"""Buckets: one table of generations for rows, each found by the hash of a facet and a value.

Two values may meet in one bucket: a write to the one then costs the other its answer, and nothing else.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_FEWEST: Final = 1 << 12
_MOST: Final = 1 << 20
_MEMORY_SHARE: Final = 1024  # bytes of the memory for each bucket of 12 bytes: about one for each entry


@final
class Buckets:
    """``generations`` and ``suspended`` by place, as a ``Tag`` has them; the path of a hit reads both, the
    latter only while any is marked: ``ongoing`` is how many marks there are.

    The table is extra to ``cache_bytes``: at most 1/85 of it, but never less than 48 KiB.
    """

    __slots__ = ("_mask", "generations", "ongoing", "suspended")

    def __init__(self, cache_bytes: int = 0) -> None:
        wanted = 1 << max(0, (cache_bytes // _MEMORY_SHARE).bit_length() - 1)
        size = max(_FEWEST, min(_MOST, wanted))
        self.generations = array("Q", bytes(8 * size))
        self.suspended = array("I", bytes(4 * size))
        self.ongoing = 0
        self._mask = size - 1

    def __len__(self) -> int:
        return len(self.generations)

    def place(self, facet: int, value: Hashable) -> int:
        """Where the rows of a facet are counted that have this value."""
        return hash((facet, value)) & self._mask

    def suspend(self, places: Iterable[int]) -> None:
        """Mark these as changing; one that is named twice is marked twice."""
        for place in places:
            self.suspended[place] += 1
            self.ongoing += 1

    def end(self, places: Iterable[int], *, changed: bool) -> None:
        """Raise the generations if something changed, then lift the marks."""
        for place in places:
            self.generations[place] += changed
            self.suspended[place] -= 1
            self.ongoing -= 1

    def raise_generations(self, places: Iterable[int]) -> None:
        """Make what depends on these stale at once."""
        for place in places:
            self.generations[place] += 1
