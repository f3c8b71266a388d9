"""tags: generations, suspensions, and what happens at the limits."""

from __future__ import annotations

import gc

import pytest

from proxy.cache.facets import ANY_VALUE, Part, RelationTag, RowChange
from proxy.cache.policy import Limits
from proxy.cache.tags import NOTHING, ORIGIN, Extent, Reach, Tags, relations_of, whole

DB = 5


@pytest.fixture
def tags() -> Tags:
    return Tags(Limits())


def test_one_relation_has_one_tag_while_somebody_holds_it(tags: Tags) -> None:
    held = tags.relation(DB, 10)
    assert tags.relation(DB, 10) is held


def test_the_same_oid_in_another_database_is_another_relation(tags: Tags) -> None:
    held = tags.relation(DB, 10)
    assert tags.relation(DB + 1, 10) is not held


def test_a_tag_that_nobody_holds_is_forgotten(tags: Tags) -> None:
    tags.relation(DB, 10)
    gc.collect()
    assert len(tags._relations) == 0


def test_a_suspension_keeps_the_doubt_about_a_relation_that_nobody_else_holds(tags: Tags) -> None:
    suspension = tags.suspend(relations_of(DB, [10]))
    gc.collect()
    assert tags.relation(DB, 10).suspended == 1
    tags.end(suspension, changed=False)


def test_what_a_slot_depends_on_begins_with_its_database_and_names_each_tag_once(tags: Tags) -> None:
    depends, _ = tags.of(DB, [Part(10), Part(11), Part(10)])
    first, second = tags.relation(DB, 10), tags.relation(DB, 11)
    assert isinstance(first, RelationTag)
    assert isinstance(second, RelationTag)
    assert depends == (tags.database(DB), first, *first.facets(), second, *second.facets())


def test_a_change_raises_the_generation_and_lifts_the_suspension(tags: Tags) -> None:
    tag = tags.relation(DB, 10)
    suspension = tags.suspend(relations_of(DB, [10]))
    assert (tag.generation, tag.suspended) == (0, 1)
    tags.end(suspension, changed=True)
    assert (tag.generation, tag.suspended) == (1, 0)


def test_a_rollback_lifts_the_suspension_and_raises_nothing(tags: Tags) -> None:
    tag = tags.relation(DB, 10)
    tags.end(tags.suspend(relations_of(DB, [10])), changed=False)
    assert (tag.generation, tag.suspended) == (0, 0)


def test_a_second_end_changes_nothing(tags: Tags) -> None:
    tag = tags.relation(DB, 10)
    suspension = tags.suspend(relations_of(DB, [10]))
    tags.end(suspension, changed=True)
    tags.end(suspension, changed=True)
    assert (tag.generation, tag.suspended) == (1, 0)


def test_a_change_may_be_widened_to_its_database_while_it_lasts(tags: Tags) -> None:
    suspension, ended = tags.suspend(relations_of(DB, [10])), tags.suspend(relations_of(DB, [11]))
    tags.end(ended, changed=False)
    for one in (suspension, suspension, ended):
        tags.widen(one, DB)
    tag = tags.database(DB)
    assert (tag.generation, tag.suspended) == (0, 1)
    tags.end(suspension, changed=True)
    assert (tag.generation, tag.suspended) == (1, 0)


def test_a_change_of_the_whole_origin_is_as_wide_as_can_be(tags: Tags) -> None:
    suspension = tags.suspend(ORIGIN)
    tags.widen(suspension, DB)
    tags.end(suspension, changed=True)
    assert tags.database(DB).suspended == 0


def test_a_database_first_seen_while_the_whole_origin_is_suspended_is_suspended_too(tags: Tags) -> None:
    suspension = tags.suspend(ORIGIN)
    newcomer = tags.database(77)
    assert newcomer.suspended == 1
    tags.end(suspension, changed=True)
    assert (newcomer.generation, newcomer.suspended) == (1, 0)


def test_a_wide_write_suspends_its_whole_database() -> None:
    tags = Tags(Limits(max_reach=2))
    suspension = tags.suspend(relations_of(DB, [1, 2, 3]))
    assert suspension.tags == [tags.database(DB)]


def test_relations_beyond_the_limit_share_a_tag_within_their_database() -> None:
    tags = Tags(Limits(max_relations=1))
    first, second, third = (tags.relation(DB, oid) for oid in (1, 2, 3))
    elsewhere = tags.relation(DB + 1, 2)
    assert first is not second
    assert second is third
    assert elsewhere is not second
    assert tags.shared == 2


def test_a_relation_keeps_sharing_while_anybody_holds_the_shared_tag() -> None:
    tags = Tags(Limits(max_relations=1))
    own = tags.relation(DB, 1)
    shared = tags.relation(DB, 2)
    del own
    gc.collect()
    assert tags.relation(DB, 2) is shared
    assert tags.relation(DB, 3) is shared


def test_a_relation_gets_its_own_tag_once_nobody_holds_the_shared_one() -> None:
    tags = Tags(Limits(max_relations=1))
    own = tags.relation(DB, 1)
    shared = tags.relation(DB, 2)
    del own, shared
    gc.collect()
    held = tags.relation(DB, 2)
    assert tags._relations[DB, 2] is held


def test_databases_beyond_the_limit_share_a_tag_that_the_whole_origin_reaches() -> None:
    tags = Tags(Limits(max_databases=1))
    tags.database(1)
    shared = tags.database(2)
    assert tags.database(3) is shared
    tags.raise_generations(ORIGIN)
    assert shared.generation == 1


@pytest.mark.parametrize(
    ("one", "other", "union"),
    [
        (NOTHING, relations_of(DB, [1]), relations_of(DB, [1])),
        (relations_of(DB, [1]), NOTHING, relations_of(DB, [1])),
        (relations_of(DB, [1]), relations_of(DB, [2]), relations_of(DB, [1, 2])),
        (relations_of(DB, [1]), whole(DB), Reach(Extent.DATABASE, DB, frozenset({1}))),
        (relations_of(DB, [1]), relations_of(DB + 1, [1]), ORIGIN),
    ],
)
def test_the_union_of_two_reaches_covers_both(one: Reach, other: Reach, union: Reach) -> None:
    assert one | other == union


def test_the_union_with_the_whole_origin_is_the_whole_origin() -> None:
    assert (relations_of(DB, [1]) | ORIGIN).extent == Extent.ORIGIN
    assert (ORIGIN | relations_of(DB, [1])).extent == Extent.ORIGIN


def test_no_relations_is_no_reach() -> None:
    assert relations_of(DB, []) == NOTHING


BY_ID = Part(10, 1, frozenset({1, 2}))  # WHERE column 1 = ..., mentioning columns 1 and 2


def test_a_precise_write_moves_the_buckets_of_its_values_and_of_any_value(tags: Tags) -> None:
    depends, (facet,) = tags.of(DB, [BY_ID])
    assert facet is not None
    suspension = tags.suspend(relations_of(DB, [], [RowChange(10, None, ((1, (7,)),))]))
    places = {tags.buckets.place(facet.number, value) for value in (7, ANY_VALUE)}
    assert {place for place, marks in enumerate(tags.buckets.suspended) if marks} == places
    tags.end(suspension, changed=True)
    assert not any(tag.generation or tag.suspended for tag in depends)
    assert {place for place, raised in enumerate(tags.buckets.generations) if raised} == places
    assert not any(tags.buckets.suspended)


def test_a_precise_write_that_names_no_value_moves_the_facet(tags: Tags) -> None:
    depends, (facet,) = tags.of(DB, [BY_ID])
    tags.raise_generations(relations_of(DB, [], [RowChange(10, None, ((2, (7,)),))]))
    assert [tag.generation for tag in depends] == [0, 0, 1]
    assert depends[2] is facet
    assert not any(tags.buckets.generations)


def test_a_precise_write_to_columns_that_nobody_mentions_moves_nothing(tags: Tags) -> None:
    depends, _ = tags.of(DB, [BY_ID])
    tags.raise_generations(relations_of(DB, [], [RowChange(10, frozenset({3}))]))
    assert not any(tag.generation for tag in depends)


def test_a_facet_born_during_a_precise_write_is_suspended_by_it_and_moved_with_it(tags: Tags) -> None:
    suspension = tags.suspend(relations_of(DB, [], [RowChange(10, frozenset({3}), ((1, (7,)),))]))
    gc.collect()
    _, (facet,) = tags.of(DB, [BY_ID])
    assert facet is not None
    assert facet.suspended == 1
    tags.end(suspension, changed=True)
    assert (facet.generation, facet.suspended) == (1, 0)
    assert tags.relation(DB, 10).generation == 0


def test_a_facet_reborn_during_a_precise_write_is_suspended_too(tags: Tags) -> None:
    depends, (first,) = tags.of(DB, [BY_ID])
    suspension = tags.suspend(relations_of(DB, [], [RowChange(10, None, ((1, (7,)),))]))
    del depends, first
    gc.collect()
    _, (second,) = tags.of(DB, [BY_ID])
    assert second is not None
    assert second.suspended == 1
    tags.end(suspension, changed=False)
    assert (second.generation, second.suspended) == (0, 0)


def test_a_facet_born_after_a_precise_write_knows_nothing_of_it(tags: Tags) -> None:
    tags.end(tags.suspend(relations_of(DB, [], [RowChange(10)])), changed=True)
    _, (facet,) = tags.of(DB, [BY_ID])
    assert facet is not None
    assert (facet.generation, facet.suspended) == (0, 0)


def test_relations_that_share_a_tag_know_no_rows() -> None:
    tags = Tags(Limits(max_relations=0))
    depends, fixed = tags.of(DB, [BY_ID, Part(11)])
    assert fixed == (None,)
    tags.raise_generations(relations_of(DB, [], [RowChange(11, frozenset({3}), ((1, (7,)),))]))
    assert [tag.generation for tag in depends] == [0, 1]


def test_a_precise_write_of_many_rows_moves_the_whole_relation() -> None:
    tags = Tags(Limits(max_reach=10))
    depends, _ = tags.of(DB, [BY_ID])
    suspension = tags.suspend(relations_of(DB, [], [RowChange(10, None, ((1, tuple(range(20))),))]))
    assert suspension.tags == [tags.relation(DB, 10)]
    assert not any(tags.buckets.suspended)
    tags.end(suspension, changed=True)
    assert [tag.generation for tag in depends] == [0, 1, 0]


def test_a_part_beyond_the_limit_of_facets_fixes_nothing() -> None:
    tags = Tags(Limits(max_facets=0))
    depends, fixed = tags.of(DB, [BY_ID])
    assert fixed == (None,)
    tags.raise_generations(relations_of(DB, [], [RowChange(10, frozenset({3}), ((1, (7,)),))]))
    assert [tag.generation for tag in depends] == [0, 0, 1]
