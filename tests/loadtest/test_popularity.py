"""popularity: Zipf's law, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.popularity import Popularity, ranking


@given(st.sets(st.integers(1, 10_000)), st.integers(0, 100))
def test_a_ranking_holds_each_id_once_and_is_the_same_for_the_same_seed(ids: set[int], seed: int) -> None:
    ranked = ranking(list(ids), seed)
    assert sorted(ranked) == sorted(ids)
    assert ranked == ranking(sorted(ids, reverse=True), seed)


def test_another_seed_makes_others_popular() -> None:
    assert ranking(range(100), 1) != ranking(range(100), 2)


@given(st.lists(st.integers(), min_size=1, unique=True), st.integers())
def test_only_ids_that_are_there_are_picked(ranked: list[int], seed: int) -> None:
    assert Popularity(ranked).pick(Random(seed)) in ranked


@pytest.mark.parametrize("exponent", [0.8, 1.1])
def test_the_shares_follow_the_power_of_the_rank(exponent: float) -> None:
    random, popularity = Random(1), Popularity(range(1, 11), exponent)
    picked = Counter(popularity.pick(random) for _ in range(50_000))
    for rank in (2, 5):
        assert picked[1] / picked[rank] == pytest.approx(rank**exponent, rel=0.1)
