"""Everything but text and parameters that shapes an answer, folded into one small integer: the scope."""

from __future__ import annotations

from collections import OrderedDict
from itertools import count
from typing import final

Content = tuple[int | str | tuple[str, ...], ...]


@final
class Scopes:
    """Numbers for contents, equal contents getting equal numbers; no number is ever given to two contents.

    At ``limit`` the content unused for longest is forgotten. When it comes back it gets a new number: what
    was remembered under the old one is then not found by newcomers, which costs hits and nothing else.
    """

    __slots__ = ("_limit", "_numbers", "_unused", "forgotten")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._numbers: OrderedDict[Content, int] = OrderedDict()
        self._unused = count()
        self.forgotten = 0

    def intern(self, content: Content) -> int:
        """The number of this content. Equality is of content, position by position, never of a hash."""
        number = self._numbers.get(content)
        if number is None:
            self._make_room()
            number = self._numbers[content] = next(self._unused)
        self._numbers.move_to_end(content)
        return number

    def __len__(self) -> int:
        return len(self._numbers)

    def _make_room(self) -> None:
        if len(self._numbers) >= self._limit:
            self._numbers.popitem(last=False)
            self.forgotten += 1
