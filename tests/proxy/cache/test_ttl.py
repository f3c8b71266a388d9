"""ttl: within its bounds always, longer while answers stay equal, shorter when they change."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.ttl import Pace, TtlRule

looks = st.lists(st.tuples(st.booleans(), st.floats(0.0, 1e6)), max_size=40)
chances = st.floats(0.0, 1.0, exclude_max=True)


@st.composite
def rules(draw: st.DrawFn) -> TtlRule:
    floor = draw(st.floats(0.0, 100.0))
    return TtlRule(floor, draw(st.floats(floor, 1000.0)))


def watched(rule: TtlRule, seen: list[tuple[bool, float]]) -> Pace:
    pace = Pace(rule)
    for changed, elapsed in seen:
        pace.observe(changed=changed, elapsed=elapsed)
    return pace


@given(rules(), looks, chances)
def test_a_ttl_is_always_between_floor_and_cap(
    rule: TtlRule, seen: list[tuple[bool, float]], chance: float
) -> None:
    assert rule.floor <= watched(rule, seen).ttl(chance) <= rule.cap


@given(rules(), looks, st.floats(0.0, 1e6))
def test_an_equal_answer_never_shortens_it(
    rule: TtlRule, seen: list[tuple[bool, float]], elapsed: float
) -> None:
    pace = watched(rule, seen)
    before = pace.seconds
    pace.observe(changed=False, elapsed=elapsed)
    assert pace.seconds >= before


@given(rules(), looks, st.floats(0.0, 1e6))
def test_a_changed_answer_never_lengthens_it(
    rule: TtlRule, seen: list[tuple[bool, float]], elapsed: float
) -> None:
    pace = watched(rule, seen)
    before = pace.seconds
    pace.observe(changed=True, elapsed=elapsed)
    assert pace.seconds <= before


def test_a_new_template_starts_at_the_floor() -> None:
    assert Pace(TtlRule(1.0, 60.0)).ttl(0.0) == 1.0


def test_answers_that_stay_equal_reach_the_cap_within_thirty_looks() -> None:
    pace = Pace(TtlRule(1.0, 60.0))
    for _ in range(30):
        pace.observe(changed=False, elapsed=pace.seconds)
    assert pace.seconds == 60.0


def test_answers_that_change_each_time_fall_to_the_floor_within_ten_looks() -> None:
    pace = watched(TtlRule(1.0, 60.0), [(False, 60.0)] * 20)
    assert pace.seconds == 60.0
    for _ in range(10):
        pace.observe(changed=True, elapsed=pace.seconds)
    assert pace.seconds == 1.0


def test_a_slower_change_leaves_a_longer_ttl() -> None:
    slow, fast = (
        watched(TtlRule(0.1, 600.0), [(True, every), (False, every)] * 20) for every in (100.0, 10.0)
    )
    assert slow.seconds > fast.seconds


def test_chance_spreads_the_ttl_downwards() -> None:
    pace = watched(TtlRule(1.0, 60.0), [(False, 60.0)] * 20)
    assert pace.ttl(0.9) < pace.ttl(0.1) <= 60.0


@pytest.mark.parametrize(("floor", "cap"), [(-1.0, 1.0), (2.0, 1.0), (1.0, math.inf), (math.nan, 1.0)])
def test_bounds_that_make_no_sense_are_refused(floor: float, cap: float) -> None:
    with pytest.raises(ValueError, match="bounds of a TTL"):
        TtlRule(floor, cap)
