"""Goals are judged round by round, on what stood side by side."""

from __future__ import annotations

from bench.goals import GOALS, Goal, Verdict, judge, value
from bench.load import WORKLOADS
from bench.measure import FIGURES, Cell, Sample
from bench.servers import SERVERS

RATIO = Goal("", "prepared", "tps", "orrery", "direct", 2.0)


def a_cell(server: str, *rates: float, workload: str = "prepared") -> Cell:
    return Cell(server, workload, [Sample(tps, 1.0, 2.0, 3.0, 10.0, 0.0, 0.5) for tps in rates])


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    ours, theirs = a_cell("orrery", 100, 400, 90), a_cell("direct", 50, 100, 90)
    assert value(RATIO, ours, theirs) == 2.0


def test_a_difference_is_the_median_of_the_rounds() -> None:
    goal = Goal("", "alone", "tps", "orrery", "direct", 2.0, less=True)
    ours, theirs = a_cell("orrery", 100, 400, 90), a_cell("direct", 50, 100, 90)
    assert value(goal, ours, theirs) == 50.0


def test_a_figure_by_itself_needs_nobody_else() -> None:
    goal = Goal("", "90/10", "hit_ratio", "orrery", "", 0.8)
    assert value(goal, a_cell("orrery", 1, 2), None) == 0.5
    assert value(goal, a_cell("orrery"), None) is None


def test_a_round_that_one_of_them_missed_is_left_out() -> None:
    assert value(RATIO, a_cell("orrery", 100), a_cell("direct", 50, 1)) == 2.0


def test_what_was_not_measured_is_not_reached() -> None:
    for verdict in judge([a_cell("orrery", 100.0)]):
        assert verdict.found is None
        assert not verdict.reached


def test_a_goal_is_a_bound_from_below_or_from_above() -> None:
    at_most = Goal("", "prepared", "p99", "orrery", "direct", 2.0, at_most=True)
    assert [Verdict(RATIO, found).reached for found in (1.9, 2.0, 2.1)] == [False, True, True]
    assert [Verdict(at_most, found).reached for found in (1.9, 2.0, 2.1)] == [True, True, False]


def test_each_goal_is_judged_on_its_own_two_servers() -> None:
    verdicts = judge([a_cell("orrery", 100.0), a_cell("direct", 50.0)])
    judged = [verdict for verdict in verdicts if verdict.found is not None]
    assert {(one.goal.server, one.goal.other) for one in judged} == {("orrery", "direct")}
    assert [verdict.goal for verdict in verdicts] == list(GOALS)


def test_every_goal_is_about_something_that_is_measured() -> None:
    for goal in GOALS:
        assert goal.workload in WORKLOADS
        assert goal.figure in FIGURES
        assert goal.server in SERVERS
        assert not goal.other or goal.other in SERVERS
