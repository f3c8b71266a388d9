"""The answer type: reaches add up, and the larger swallows the smaller."""

from __future__ import annotations

from proxy.sql.analysis import NOTHING, UNKNOWN, Extent, Reach


def test_reaches_add_up() -> None:
    one, two = Reach(Extent.TABLES, frozenset({1})), Reach(Extent.TABLES, frozenset({2}))
    assert one | two == Reach(Extent.TABLES, frozenset({1, 2}))
    assert one | NOTHING == one


def test_the_larger_reach_swallows_the_smaller_and_doubt_stays() -> None:
    both = Reach(Extent.ORIGIN, ddl=True) | UNKNOWN
    assert (both.extent, both.proven, both.ddl) == (Extent.ORIGIN, False, True)
