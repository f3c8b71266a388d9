"""What level ttl excuses after the death of a proxy, and what it never does."""

from __future__ import annotations

import pytest

from tests.histories.checking.levels import TTL_CAP_SECONDS, Levels, Sample
from tests.histories.making import FIRST, named, read, write

DEAD, PRESENT = 1, 2


@pytest.fixture
def levels() -> Levels:
    """The second proxy says ttl until 100, then wire."""
    told = Levels()
    for moment in range(0, 200, 2):
        since, level = (0, "ttl") if moment < 100 else (99, "wire")
        told.add(PRESENT, Sample(moment, since, level))
    return told


def test_the_level_is_strict_from_the_moment_that_the_proxy_tells(levels: Levels) -> None:
    assert not levels.is_strict(PRESENT, 50)
    assert not levels.is_strict(PRESENT, 98.5)
    assert levels.is_strict(PRESENT, 99.5)
    assert levels.is_strict(PRESENT, 300)
    assert not levels.is_strict(DEAD, 103)


def test_at_ttl_the_writes_in_doubt_of_a_dead_proxy_may_be_left_out_for_a_while(levels: Levels) -> None:
    doubtful, seen = write("a", 0), read("a", 1, 10, 11, PRESENT)
    assert not named(doubtful, seen, read(FIRST, 0, 12, 13, PRESENT), levels=levels)
    late = 12 + TTL_CAP_SECONDS
    assert named(doubtful, seen, read(FIRST, 0, late, late + 1, PRESENT), levels=levels) == ["non-monotonic"]


def test_at_ttl_everything_else_binds_as_ever(levels: Levels) -> None:
    old = read(FIRST, 0, 12, 13, PRESENT)
    assert named(write("a", 0, 1, 1), old, levels=levels) == ["stale"]
    own = write("a", 0, incarnation=PRESENT)
    assert named(own, read("a", 1, 10, 11, PRESENT), old, levels=levels) == ["non-monotonic"]


def test_at_wire_nothing_is_excused(levels: Levels) -> None:
    happened = write("a", 0), read("a", 1, 103, 104, PRESENT), read(FIRST, 0, 105, 106, PRESENT)
    assert named(*happened, levels=levels) == ["non-monotonic"]
