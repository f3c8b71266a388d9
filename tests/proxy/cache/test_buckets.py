"""buckets: a table of fixed size, the same place for the same row, marks that are lifted as often as set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.buckets import Buckets

MIB = 1 << 20


@pytest.mark.parametrize(
    ("cache_bytes", "places"),
    [(0, 1 << 12), (MIB, 1 << 12), (128 * MIB, 1 << 17), (100 * MIB, 1 << 16), (1 << 40, 1 << 20)],
)
def test_there_is_a_power_of_two_of_buckets_within_bounds(cache_bytes: int, places: int) -> None:
    assert len(Buckets(cache_bytes)) == places


@given(st.integers(0), st.one_of(st.none(), st.integers(), st.binary()))
def test_the_same_row_is_found_in_the_same_place(facet: int, value: int | bytes | None) -> None:
    buckets = Buckets()
    assert buckets.place(facet, value) == buckets.place(facet, value) < len(buckets)


def test_the_same_value_in_two_facets_is_two_rows() -> None:
    buckets = Buckets()
    assert len({buckets.place(facet, 7) for facet in range(10)}) > 1


@given(st.lists(st.lists(st.integers(0, 3))))
def test_marks_are_lifted_as_often_as_they_were_set(writes: list[list[int]]) -> None:
    buckets = Buckets()
    for places in writes:
        buckets.suspend(places)
    for places in writes:
        assert all(buckets.suspended[place] for place in places)
        assert buckets.ongoing == sum(buckets.suspended)
        buckets.end(places, changed=bool(len(places) % 2))
    assert not any(buckets.suspended)
    assert not buckets.ongoing
    assert sum(buckets.generations) == sum(len(places) for places in writes if len(places) % 2)


def test_raising_marks_nothing() -> None:
    buckets = Buckets()
    buckets.raise_generations([3])
    assert (buckets.generations[3], buckets.suspended[3]) == (1, 0)
