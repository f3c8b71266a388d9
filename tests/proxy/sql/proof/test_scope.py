"""Names at one query level and around it."""

from __future__ import annotations

from proxy.sql.proof.oids import INT4, TEXT, UNTYPED
from proxy.sql.proof.scope import MISSING, Range, Scope, column_of

ITEM = Range("t", (("id", INT4), ("name", TEXT)), schema="public")


def _scope(*ranges: Range, outer: Scope | None = None) -> Scope:
    scope = Scope(("pg_catalog",), outer)
    scope.ranges = list(ranges)
    return scope


def test_the_inner_level_hides_the_outer_one() -> None:
    outer = _scope(Range("o", (("id", TEXT), ("far", TEXT))))
    inner = _scope(ITEM, outer=outer)
    assert inner.column("id") == INT4
    assert inner.column("far") == TEXT
    assert inner.column("ghost") == MISSING


def test_two_columns_of_one_name_have_no_type_unless_they_agree() -> None:
    assert _scope(ITEM, Range("u", (("id", TEXT),))).column("id") == UNTYPED
    assert _scope(ITEM, Range("u", (("id", INT4),))).column("id") == INT4


def test_an_open_item_hides_what_the_outer_levels_call_so() -> None:
    inner = _scope(Range("f", (), open=True), outer=_scope(ITEM))
    assert inner.column("id") == UNTYPED


def test_an_item_is_found_by_alias_and_by_schema() -> None:
    scope = _scope(ITEM)
    assert scope.range("t") is ITEM
    assert scope.range("t", "public") is ITEM
    assert scope.range("t", "shop") is None
    assert column_of(ITEM, "ghost") == MISSING


def test_with_queries_are_seen_from_within() -> None:
    outer = _scope()
    outer.ctes["w"] = (("x", INT4),)
    inner = _scope(outer=outer)
    assert inner.knows_cte("w")
    assert inner.cte("w") == (("x", INT4),)
    assert not inner.knows_cte("v")
