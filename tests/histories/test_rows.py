"""Rows that come and go: each has one life, and every scan must agree with it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories.history import AT_THE_ORIGIN, IN_DOUBT, NEVER, REFUSED, Outcome, Scan, Write
from tests.histories.making import named, scan, write
from tests.histories.test_numbered import moments

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "place 1"


def appears(token: str, began: float, ended: float = NEVER, outcome: Outcome | None = None) -> Write:
    return write(token, began, ended, None, outcome, "appear", PLACE)


def vanishes(token: str, began: float, ended: float = NEVER) -> Write:
    return write(token, began, ended, None, None, "vanish", PLACE)


def test_scans_beside_the_writes_may_show_a_row_or_not() -> None:
    life = appears("a", 0, 9), vanishes("a", 20, 29)
    assert not named(*life, scan("", 1, 2), scan("a", 3, 4), scan("a", 21, 22), scan("", 23, 24))


def test_a_row_missing_after_its_write_was_acknowledged_is_stale() -> None:
    assert named(appears("a", 0, 1), scan("", 2, 3)) == ["stale"]


def test_a_row_shown_after_its_end_was_acknowledged_is_stale() -> None:
    assert named(appears("a", 0, 1), vanishes("a", 2, 3), scan("a", 4, 5)) == ["stale"]


def test_a_row_that_was_seen_and_is_missing_is_non_monotonic() -> None:
    assert named(appears("a", 0, 9), scan("a", 1, 2), scan("", 3, 4)) == ["non-monotonic"]


def test_a_row_that_comes_back_is_non_monotonic() -> None:
    life = appears("a", 0, 1), vanishes("a", 2)
    assert named(*life, scan("", 3, 4), scan("a", 5, 6)) == ["non-monotonic"]


def test_a_row_that_nobody_wrote_is_a_phantom() -> None:
    assert named(appears("b", 0, 1), scan("ab", 2, 3)) == ["phantom"]


def test_a_row_that_was_rolled_back_or_is_yet_to_be_sent_is_a_phantom() -> None:
    assert named(appears("a", 0, 1, REFUSED), scan("a", 0, 2)) == ["phantom"]
    assert named(appears("a", 5, 6), scan("a", 0, 2)) == ["phantom"]


def test_an_acknowledged_row_that_the_origin_has_not_is_lost() -> None:
    assert named(appears("a", 0, 1), scan("", 2, 3, AT_THE_ORIGIN)) == ["lost"]


@st.composite
def lives(draw: st.DrawFn) -> tuple[Write, Write | None, list[Scan]]:
    began, ended = draw(moments)
    first = appears("a", began, draw(st.sampled_from([ended, NEVER])))
    last = None
    if first.outcome != IN_DOUBT and draw(st.booleans()):
        # Its writer removes it, so not before it has heard that it is there.
        last = vanishes("a", ended + draw(st.integers(1, 3)), draw(st.sampled_from([ended + 5, NEVER])))
    scans = []
    for number in range(draw(st.integers(0, 4))):
        began, ended = draw(moments)
        # Nothing begins at the very moment at which something else ends.
        shift = 0.25 + number / 100
        scans.append(scan(draw(st.sampled_from(["", "a"])), began + shift, ended + shift))
    return first, last, scans


def moments_of(one: Write | None) -> Iterator[float]:
    """One between any two at which something begins or ends, if it may have happened then."""
    if one is not None:
        every = (at + part + 0.0025 for at in range(20) for part in (0, 0.25, 0.26, 0.27, 0.28, 0.5))
        yield from (moment for moment in every if one.began < moment < one.ended)
    if one is None or one.outcome == IN_DOUBT:
        yield NEVER


@given(lives())
@settings(max_examples=400, deadline=None)
def test_a_life_is_explained_if_and_only_if_some_moments_fit_every_scan(
    life: tuple[Write, Write | None, list[Scan]],
) -> None:
    first, last, scans = life
    fits = any(
        all(
            s.ended > start and s.began < end if s.tokens else s.began < start or s.ended > end for s in scans
        )
        for start, end in product(moments_of(first), moments_of(last))
        if start < end or start == NEVER
    )
    happened: list[Write | Scan] = [first, *scans] if last is None else [first, last, *scans]
    assert bool(named(*happened)) != fits
