"""measure: the share of hits between two looks."""

from __future__ import annotations

from tools.demo.measure import hit_ratio


def test_only_what_was_asked_in_between_counts_for_the_hit_ratio() -> None:
    assert hit_ratio({"hit": 10, "fill": 5}, {"hit": 19, "fill": 6}) == 0.9


def test_without_any_statement_nothing_was_a_hit() -> None:
    assert hit_ratio({"hit": 10}, {"hit": 10}) == 0
