"""Goals are judged round by round, on what stood side by side."""

from __future__ import annotations

from bench.goals import GOALS, Goal, Verdict, judge, ratio
from bench.measure import Cell, Sample


def a_cell(server: str, *rates: float) -> Cell:
    return Cell(server, "prepared", [Sample(tps, 1.0, 2.0, 3.0, 10.0, 0.0) for tps in rates])


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    ours, theirs = a_cell("orrery", 100, 400, 90), a_cell("direct", 50, 100, 90)
    assert ratio("tps", ours, theirs) == 2.0


def test_a_round_that_one_of_them_missed_is_left_out() -> None:
    assert ratio("tps", a_cell("orrery", 100), a_cell("direct", 50, 1)) == 2.0


def test_what_was_not_measured_is_not_reached() -> None:
    for verdict in judge([a_cell("orrery", 100.0)]):
        assert verdict.ratio is None
        assert not verdict.reached


def test_a_goal_is_a_bound_from_below_or_from_above() -> None:
    at_least = Goal("", "prepared", "tps", "orrery", "direct", 2.0)
    at_most = Goal("", "prepared", "p99", "orrery", "direct", 2.0, at_most=True)
    assert [Verdict(at_least, found).reached for found in (1.9, 2.0, 2.1)] == [False, True, True]
    assert [Verdict(at_most, found).reached for found in (1.9, 2.0, 2.1)] == [True, True, False]


def test_each_goal_is_judged_on_its_own_two_servers() -> None:
    verdicts = judge([a_cell("orrery", 100.0), a_cell("direct", 50.0)])
    judged = [verdict for verdict in verdicts if verdict.ratio is not None]
    assert {(one.goal.server, one.goal.other) for one in judged} == {("orrery", "direct")}
    assert [verdict.goal for verdict in verdicts] == list(GOALS)
