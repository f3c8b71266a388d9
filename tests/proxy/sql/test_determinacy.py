"""sql.determinacy: which answers follow from the rows alone."""

from __future__ import annotations

import pytest

from proxy.sql.determinacy import Count, determinacy, with_higher_limit


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t",
        "SELECT DISTINCT a FROM t",
        "SELECT a FROM t ORDER BY b",
        "SELECT count(*), max(a), bool_and(b) FROM t GROUP BY c",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
        "SELECT a FROM t WHERE b = (SELECT max(b) FROM u) AND EXISTS (SELECT FROM v)",
        "SELECT a FROM t UNION SELECT b FROM u",
    ],
)
def test_the_rows_determine_these(text: str) -> None:
    found = determinacy(text)
    assert found.determined
    assert not found.adding
    assert (found.limit, found.offset) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT ON (a) b FROM t ORDER BY a",
        "SELECT row_number() OVER (ORDER BY a) FROM t",
        "SELECT array_agg(a) FROM t",
        "SELECT string_agg(a, ',' ORDER BY b) FROM t",
        "SELECT coalesce(jsonb_agg(a), '[]') FROM t",
        "SELECT JSON_ARRAYAGG(a) FROM t",
        "SELECT JSON_OBJECTAGG(a : b) FROM t",
        "SELECT mode() WITHIN GROUP (ORDER BY a) FROM t",
        "SELECT ARRAY(SELECT a FROM t)",
        "SELECT a FROM t WHERE b IN (SELECT b FROM u LIMIT 3)",
        "WITH u AS (SELECT a FROM t OFFSET 2) SELECT a FROM u",
        "(SELECT a FROM t LIMIT 1) UNION ALL SELECT a FROM u",
        "SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES",
        "SELECT a FROM t LIMIT 1 + 1",
        "SELECT a FROM t LIMIT '3'",
        "SELECT a FROM t; SELECT b FROM t",
        "UPDATE t SET a = 1",
        "SELECT a FROM",
        "SELECT " + "(" * 5000,
    ],
)
def test_the_rows_do_not_determine_these_for_sure(text: str) -> None:
    assert not determinacy(text).determined


@pytest.mark.parametrize(
    ("text", "limit", "offset"),
    [
        ("SELECT a FROM t LIMIT 21", Count(21), None),
        ("SELECT a FROM t LIMIT 0", Count(0), None),
        ("SELECT a FROM t LIMIT NULL", None, None),
        ("SELECT a FROM t LIMIT ALL", None, None),
        ("SELECT a FROM t FETCH FIRST ROW ONLY", Count(1), None),
        ("SELECT a FROM t LIMIT $2 OFFSET $3", Count(parameter=2), Count(parameter=3)),
        ("SELECT a FROM t LIMIT $1::bigint OFFSET 4", Count(parameter=1), Count(4)),
    ],
)
def test_what_cuts_at_the_top_is_told(text: str, limit: Count | None, offset: Count | None) -> None:
    found = determinacy(text)
    assert found.determined
    assert (found.limit, found.offset) == (limit, offset)


@pytest.mark.parametrize("call", ["sum(a)", "avg(a)", "pg_catalog.stddev_pop(a)", "regr_slope(a, b)"])
def test_what_adds_up_is_told(call: str) -> None:
    assert determinacy(f"SELECT round({call}) FROM t").adding


def test_an_order_is_told() -> None:
    assert determinacy("SELECT a FROM t ORDER BY a").ordered
    assert not determinacy("SELECT a FROM (SELECT a FROM t ORDER BY a) AS u").ordered


def test_a_view_is_looked_through() -> None:
    assert determinacy("SELECT a FROM v", ["SELECT a FROM t"]).determined
    assert determinacy("SELECT a FROM v", ["SELECT sum(a) AS a FROM t"]).adding
    assert not determinacy("SELECT a FROM v", ["SELECT a FROM t LIMIT 3"]).determined
    assert not determinacy("SELECT a FROM v", ["SELECT a FROM"]).determined


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 'é LIMIT 1' FROM t LIMIT 9 -- LIMIT 2", "SELECT 'é LIMIT 1' FROM t LIMIT 10 -- LIMIT 2"),
        ('SELECT "limit" FROM t limit 1::bigint', 'SELECT "limit" FROM t limit 2::bigint'),
        ("SELECT a FROM t", None),
        ("SELECT a FROM t LIMIT $1", None),
        ("SELECT a FROM t LIMIT (1)", None),
        ("SELECT a FROM t LIMIT 0x10", None),
        ("SELECT a FROM t LIMIT", None),
        ("SELECT a FROM (SELECT a FROM t LIMIT 1) AS u LIMIT 1", None),
        ("SELECT 'a", None),
    ],
)
def test_a_plain_limit_is_raised_in_its_place(text: str, expected: str | None) -> None:
    assert with_higher_limit(text) == expected
