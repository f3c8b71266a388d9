"""Latencies in logarithmic buckets: four to an octave, so a quantile is off by an eighth at most.

Source of the layout: HdrHistogram (Gil Tene), linear buckets within each power of two.
"""

from __future__ import annotations

from typing import Any, Final, final

TICKS_PER_SECOND: Final = 10_000_000  # a tick is 0.1 microseconds: a hit takes hundreds of them
_OCTAVES: Final = 36  # up to 6,800 seconds; what is longer counts as that
_BUCKETS: Final = (_OCTAVES - 1) * 4


def _bucket(ticks: int) -> int:
    """The bucket of a time: its two bits below the highest one, and the place of that one."""
    if ticks < 4:
        return max(ticks, 0)
    length = ticks.bit_length()
    if length > _OCTAVES:
        return _BUCKETS - 1
    return (length - 2) * 4 + ((ticks >> (length - 3)) & 3)


def _lower_bound(bucket: int) -> int:
    """The first tick of a bucket."""
    return bucket if bucket < 4 else (4 + bucket % 4) << (bucket // 4 - 1)


# The bucket of every time up to 0.4 ms: those of hits are looked up.
_NEAR: Final = [_bucket(ticks) for ticks in range(4096)]


@final
class Histogram:
    """How often which latency was seen; 140 integers, whatever comes."""

    __slots__ = ("buckets", "count", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * _BUCKETS
        self.count = 0
        self.seconds = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a latency that was seen so often; a negative one (a clock that stepped) counts as 0."""
        ticks = int(seconds * TICKS_PER_SECOND)
        self.buckets[_NEAR[ticks] if 0 <= ticks < 4096 else _bucket(ticks)] += times
        self.count += times
        self.seconds += seconds * times

    def told(self) -> list[Any]:
        """As another process adds it to its own."""
        return [self.count, self.seconds, [[at, n] for at, n in enumerate(self.buckets) if n]]

    def add(self, told: list[Any]) -> None:
        """Count what another process has seen."""
        count, seconds, buckets = told
        self.count += count
        self.seconds += seconds
        for at, number in buckets:
            self.buckets[at] += number

    def quantile(self, share: float) -> float:
        """The latency in seconds that ``share`` of all were below, interpolated in its bucket; 0 if none."""
        rank, below = share * self.count, 0
        for bucket, number in enumerate(self.buckets):
            if number and below + number >= rank:
                lower, upper = _lower_bound(bucket), _lower_bound(bucket + 1)
                return (lower + (upper - lower) * (rank - below) / number) / TICKS_PER_SECOND
            below += number
        return 0.0

    def cumulative(self) -> list[tuple[float, int]]:
        """For Prometheus: upper bounds in seconds, one to an octave, each with the count of all below it."""
        steps, total = [], 0
        for bucket in range(0, _BUCKETS, 4):
            total += sum(self.buckets[bucket : bucket + 4])
            steps.append((_lower_bound(bucket + 4) / TICKS_PER_SECOND, total))
        return steps
