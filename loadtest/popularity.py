"""Which planet is asked for: few are popular, most are not, as with pages, products and posts."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Sequence

# Requests for web pages follow Zipf's law with exponents from 0.6 to 1.1.
# Source: Breslau et al., "Web Caching and Zipf-like Distributions", INFOCOM 1999, and later traces.
EXPONENT: Final = 1.1


def ranking(ids: Sequence[int], seed: int) -> list[int]:
    """The same ``ids``, the most popular first: an order that the seed decides, not their numbers."""
    ranked = sorted(ids)
    Random(f"ranking {seed}").shuffle(ranked)
    return ranked


@final
class Popularity:
    """Zipf's law over ``ranked`` ids (not empty): the n-th is asked for in proportion to n ** -exponent."""

    def __init__(self, ranked: Sequence[int], exponent: float = EXPONENT) -> None:
        self._ranked = tuple(ranked)
        self._sums = tuple(accumulate(rank**-exponent for rank in range(1, len(self._ranked) + 1)))

    def pick(self, random: Random) -> int:
        """One id, by chance."""
        return self._ranked[bisect_left(self._sums, random.random() * self._sums[-1])]
