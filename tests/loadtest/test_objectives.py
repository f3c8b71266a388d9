"""objectives: read as they are written, judged by what was measured, refused when they say nothing."""

from __future__ import annotations

import pytest

from loadtest.objectives import NO_FAILURES, Objective, read_objectives
from tools.stage.errors import Misused


def test_several_are_read_in_their_order_after_the_one_that_always_holds() -> None:
    stated = read_objectives("hit_ratio>=0.9, p99_ms<=5")
    assert stated == (NO_FAILURES, Objective("hit_ratio", ">=", 0.9), Objective("p99_ms", "<=", 5))
    assert [objective.name for objective in stated] == ["failures<=0", "hit_ratio>=0.9", "p99_ms<=5"]


def test_none_stated_means_that_nothing_may_fail() -> None:
    assert read_objectives("") == read_objectives("failures<=0") == (NO_FAILURES,)


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        (">=", False, True, True),
        ("<=", True, True, False),
        (">", False, False, True),
        ("<", True, False, False),
    ],
)
def test_a_bound_is_compared_as_it_says(comparison: str, below: bool, equal: bool, above: bool) -> None:
    objective = Objective("p50_ms", comparison, 5.0)
    assert [objective.met({"p50_ms": value}) for value in (4.9, 5.0, 5.1)] == [below, equal, above]


def test_what_was_not_measured_is_not_met() -> None:
    assert not Objective("p50_ms", "<", 5.0).met({"p50_ms": None})


@pytest.mark.parametrize(
    "word", ["hit_ratio", "hit_ratio=0.9", "hit_ratio>=", ">=0.9", "hit_ratio>=high", "p99_ms<=-1"]
)
def test_a_malformed_one_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(Misused, match=r"^OBJECTIVES=\S* cannot be used: .* as in hit_ratio>=0.9$"):
        read_objectives(f"p50_ms<=5 {word}")


def test_an_unknown_figure_is_refused_with_those_there_are() -> None:
    with pytest.raises(Misused, match=r"^OBJECTIVES=p90_ms<=5 cannot be used: p90_ms is none of hit_ratio, "):
        read_objectives("p90_ms<=5")
