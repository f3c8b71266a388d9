"""measure: percentiles by nearest rank, and the share of hits between two looks."""

from __future__ import annotations

import pytest

from tools.demo.measure import hit_ratio, percentile


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.76, 4), (0.99, 4)])
def test_a_percentile_is_the_value_of_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value


def test_only_what_was_asked_in_between_counts_for_the_hit_ratio() -> None:
    assert hit_ratio({"hit": 10, "fill": 5}, {"hit": 19, "fill": 6}) == 0.9


def test_without_any_statement_nothing_was_a_hit() -> None:
    assert hit_ratio({"hit": 10}, {"hit": 10}) == 0
