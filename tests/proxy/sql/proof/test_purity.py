"""Whole expressions, looked through for what might write."""

from __future__ import annotations

import pytest

from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.purity import expressions_write_nothing, parse_expression
from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    ("expression", "pure"),
    [
        ("now()", True),
        ("nextval('counter'::regclass)", True),
        ("(id > 0)", True),
        ("CHECK ((id > 0)) NOT VALID", True),
        ("CHECK (((id >= 0) AND (id <= 9))) NO INHERIT", True),
        ("'calm'::public.mood", True),
        ("((name)::text ~ '@'::text)", True),
        ("public.writer()", False),
        ("(1 + public.tick(2))", False),
        ("1::public.guarded", False),
        ("'a'::public.email", True),
        ("(SELECT 1)", False),
        ("lo_create(0)", False),
        ("'x'::public.nowhere", False),
        ("not an expression (", False),
        ("1; DROP TABLE x", False),
    ],
)
def test_an_expression_writes_nothing_only_if_all_of_it_is_known(
    sky: Observatory, expression: str, pure: bool
) -> None:
    assert expressions_write_nothing(Knowledge(sky.catalogue), (expression,)) is pure


def test_only_one_expression_is_an_expression() -> None:
    assert parse_expression("1, 2") is None
    assert parse_expression("CHECK (true)") is not None
