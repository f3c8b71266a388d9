"""facets: which writes an answer cannot see, and facets that come and go."""

from __future__ import annotations

import gc

import pytest

from proxy.cache.facets import Facet, Part, RelationTag, RowChange

ID, NAME, MASS = 1, 2, 3


@pytest.mark.parametrize(
    ("mentions", "changed", "unseen"),
    [
        (frozenset({ID, NAME}), frozenset({MASS}), True),
        (frozenset({ID, NAME}), frozenset({MASS, NAME}), False),
        (frozenset(), frozenset({MASS}), True),
        (frozenset(), None, False),
        (frozenset({ID}), None, False),
        (None, frozenset({MASS}), False),
        (None, None, False),
    ],
)
def test_a_facet_cannot_see_only_an_update_of_columns_that_it_never_mentions(
    mentions: frozenset[int] | None, changed: frozenset[int] | None, unseen: bool
) -> None:
    assert Facet(0, 0, mentions).cannot_see(RowChange(10, changed)) is unseen


def test_a_column_that_is_not_confined_may_have_held_anything() -> None:
    change = RowChange(10, None, ((ID, (7, 8)), (NAME, ())))
    assert change.values(ID) == (7, 8)
    assert change.values(NAME) == ()
    assert change.values(MASS) is None


def test_equal_parts_share_a_facet_while_somebody_holds_it() -> None:
    relation = RelationTag()
    held = relation.facet(Part(10, ID, frozenset({ID})), 0, 64)
    assert relation.facet(Part(10, ID, frozenset({ID})), 1, 64) is held
    assert relation.facet(Part(10, ID), 2, 64) is not held


def test_a_facet_that_nobody_holds_is_forgotten_and_its_number_with_it() -> None:
    relation = RelationTag()
    relation.facet(Part(10, ID), 0, 64)
    gc.collect()
    assert relation.facets() == []
    assert relation.facet(Part(10, ID), 1, 64).number == 1


def test_beyond_the_limit_all_share_the_widest_facet() -> None:
    relation = RelationTag()
    held = [relation.facet(Part(10, number), number, 2) for number in range(1, 5)]
    assert [(facet.column, facet.mentions) for facet in held] == [(1, None), (2, None), (0, None), (0, None)]
    assert held[2] is held[3]
