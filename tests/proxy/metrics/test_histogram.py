"""histogram: quantiles within an eighth, a fixed size, whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.metrics.histogram import Histogram, _bucket, _lower_bound


@given(st.integers(0, 2**36 - 1))
def test_each_time_lies_within_its_bucket(ticks: int) -> None:
    bucket = _bucket(ticks)
    assert _lower_bound(bucket) <= ticks < _lower_bound(bucket + 1)


@given(st.floats(1e-6, 1000.0), st.integers(1, 50))
def test_a_quantile_is_off_by_a_quarter_octave_at_most(seconds: float, number: int) -> None:
    latency = Histogram()
    for _ in range(number):
        latency.observe(seconds)
    for share in (0.01, 0.5, 0.99, 1.0):
        assert seconds * 0.74 - 1e-7 <= latency.quantile(share) <= seconds * 1.26 + 1e-7


def test_quantiles_tell_the_many_from_the_few() -> None:
    latency = Histogram()
    for _ in range(98):
        latency.observe(0.001)
    for _ in range(2):
        latency.observe(1.0)
    assert latency.quantile(0.5) == pytest.approx(0.001, rel=0.25)
    assert latency.quantile(0.99) == pytest.approx(1.0, rel=0.25)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e9])
def test_a_time_outside_the_range_counts_as_its_end(seconds: float) -> None:
    latency = Histogram()
    size = len(latency.buckets)
    latency.observe(seconds)
    assert (latency.count, sum(latency.buckets), len(latency.buckets)) == (1, 1, size)


def test_nothing_seen_is_no_latency() -> None:
    assert Histogram().quantile(0.99) == 0.0


@given(st.lists(st.floats(0.0, 100.0), max_size=50))
def test_cumulative_counts_grow_to_the_total(times: list[float]) -> None:
    latency = Histogram()
    for seconds in times:
        latency.observe(seconds)
    steps = latency.cumulative()
    assert steps == sorted(steps)
    assert steps[-1][1] == latency.count == len(times)
    for bound, below in steps:
        assert below == sum(int(seconds * 1e7) < round(bound * 1e7) for seconds in times)
