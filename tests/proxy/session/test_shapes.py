"""session.shapes: one text in one scope is one shape, and there is an end to how many are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.entry import Entry, Slot
from proxy.cache.fills import Ticket
from proxy.cache.ttl import Pace, TtlRule
from proxy.session.shapes import Shape, Shapes, added_columns


def remember(shape: Shape) -> None:
    """An answer of this shape is in memory."""
    shape.slot = Slot(1, (), Pace(TtlRule()))
    shape.slot.entries.add(Entry(Ticket(shape.slot, b"", 0, 0.0), b"x", 1.0))


def test_a_shape_is_found_under_its_text_in_its_scope_alone() -> None:
    shapes = Shapes()
    here, there = shapes.of(1), shapes.of(2)
    shape = shapes.add(1, here, b"SELECT 1")
    assert shapes.of(1)[b"SELECT 1"] is shape
    assert b"SELECT 1" not in there


def test_the_oldest_shape_makes_room() -> None:
    shapes = Shapes(max_shapes=2)
    here = shapes.of(1)
    for text in (b"a", b"b", b"c"):
        shapes.add(1, here, text)
    assert list(here) == [b"b", b"c"]
    assert shapes.forgotten == 1


def test_a_shape_whose_answers_are_remembered_gets_a_second_chance() -> None:
    shapes = Shapes(max_shapes=2)
    here = shapes.of(1)
    remember(shapes.add(1, here, b"a"))
    shapes.add(1, here, b"b")
    shapes.add(1, here, b"c")
    assert list(here) == [b"a", b"c"]


def test_when_all_are_remembered_the_oldest_goes_all_the_same() -> None:
    shapes = Shapes(max_shapes=2)
    here = shapes.of(1)
    for text in (b"a", b"b", b"c"):
        remember(shapes.add(1, here, text))
    assert len(shapes) == 2


def test_texts_are_bounded_in_bytes_as_well() -> None:
    shapes = Shapes(max_bytes=10)
    here = shapes.of(1)
    shapes.add(1, here, b"12345678")
    shapes.add(1, here, b"abc")
    assert list(here) == [b"abc"]


@pytest.mark.soundness("7.6")
@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=6), st.booleans()), max_size=60))
def test_the_bounds_hold_whatever_is_asked(asked: list[tuple[int, bytes, bool]]) -> None:
    shapes = Shapes(max_shapes=5, max_bytes=16)
    for scope, text, remembered in asked:
        here = shapes.of(scope)
        shape = here.get(text) or shapes.add(scope, here, text)
        if remembered:
            remember(shape)
        kept = [s for number in range(3) for s in shapes.of(number).values()]
        assert len(shapes) == len(kept) <= 5
        assert sum(len(s.key) for s in kept) <= 16


ID, NAME, MASS = (1, "id", 23, -1), (2, "name", 25, -1), (3, "mass", 23, -1)


@pytest.mark.soundness("3.6")
@pytest.mark.parametrize(
    ("after", "added"),
    [
        ([(1, (ID, NAME))], frozenset()),
        ([(1, (ID, NAME, MASS))], {"mass"}),
        ([(1, (ID,))], None),
        ([(1, (ID, (2, "name", 1043, -1)))], None),
        ([(1, (ID, (2, "title", 25, -1)))], None),
        ([(2, (ID, NAME))], None),
        ([(1, (ID, NAME)), (2, (ID,))], None),
    ],
)
def test_only_columns_that_came_to_the_same_relations_are_additions(
    after: list[tuple[int, tuple[tuple[int, str, int, int], ...]]], added: set[str] | None
) -> None:
    assert added_columns(frozenset([(1, (ID, NAME))]), frozenset(after)) == added
