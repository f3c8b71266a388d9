"""schema.columns: by which names a row description may have become another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.schema import columns
from proxy.schema.catalogue import Function
from tests.proxy.session import sky

BEFORE = sky.catalogue()


def test_a_table_that_came_went_or_changed_is_named() -> None:
    comet = sky.table(17000, "Comet", ("id", 23))
    assert columns.moved(BEFORE, sky.catalogue(comet)) == frozenset({"comet"})
    assert columns.moved(sky.catalogue(comet), BEFORE) == frozenset({"comet"})
    wider = replace(sky.STARS, columns=sky.STARS.columns[:1])
    assert columns.moved(BEFORE, sky.catalogue(wider)) == frozenset({"star"})


def test_so_is_a_function_and_nothing_is_where_nothing_changed() -> None:
    assert columns.moved(BEFORE, sky.catalogue(fingerprint="second")) == frozenset()
    added = Function(17001, "public", "fly", (), 23, "v", "f")
    assert columns.moved(BEFORE, replace(BEFORE, functions={**BEFORE.functions, 17001: added})) == frozenset(
        {"fly"}
    )


def test_another_operator_may_concern_everything() -> None:
    assert columns.moved(BEFORE, replace(BEFORE, operators={})) is None


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("star", b"SELECT * FROM STAR", True),
        ("star", b"SELECT * FROM planet", False),
        ("st ar", b"SELECT 1", True),
        ("star", b'SELECT * FROM U&"\\0073tar"', True),
    ],
)
def test_a_text_may_mean_what_it_names_or_what_can_be_spelt_in_another_way(
    name: str, text: bytes, meant: bool
) -> None:
    assert columns.may_be_meant(name, text) is meant
