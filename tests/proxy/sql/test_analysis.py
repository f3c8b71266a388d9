"""The answer type: reaches add up, and the larger swallows the smaller."""

from __future__ import annotations

from dataclasses import replace

from proxy.sql.analysis import MAX_ROW_CHANGES, NOTHING, UNKNOWN, Extent, Reach
from proxy.sql.rows import RowChange


def test_reaches_add_up() -> None:
    one, two = Reach(Extent.TABLES, frozenset({1})), Reach(Extent.TABLES, frozenset({2}))
    assert one | two == Reach(Extent.TABLES, frozenset({1, 2}))
    assert one | NOTHING == one


def test_the_larger_reach_swallows_the_smaller_and_doubt_stays() -> None:
    both = Reach(Extent.ORIGIN, ddl=True) | UNKNOWN
    assert (both.extent, both.proven, both.ddl) == (Extent.ORIGIN, False, True)


ROWS = Reach(Extent.TABLES, frozenset({1, 2}), changes=frozenset({RowChange(1, None, ((1, (7,)),))}))
OTHERS = Reach(Extent.TABLES, frozenset({1}), changes=frozenset({RowChange(1, None, ((1, (8,)),))}))


def test_rows_of_one_table_add_up() -> None:
    both = ROWS | OTHERS
    assert both.changes == ROWS.changes | OTHERS.changes
    assert both.whole == {2}


def test_a_table_that_is_changed_whole_anywhere_is_changed_whole() -> None:
    whole = Reach(Extent.TABLES, frozenset({1}))
    for both in (ROWS | whole, whole | ROWS):
        assert not both.changes
        assert both.whole == {1, 2}


def test_more_rows_than_can_be_kept_apart_are_whole_tables() -> None:
    reach = NOTHING
    for row in range(MAX_ROW_CHANGES + 1):
        assert len(reach.changes) == row
        reach |= replace(ROWS, changes=frozenset({RowChange(1, None, ((1, (row,)),))}))
    assert reach.changes == frozenset()
    assert reach.whole == {1, 2}


def test_a_blurred_reach_knows_no_rows() -> None:
    assert ROWS.blurred().whole == {1, 2}
