"""tags: generations, suspensions, and what happens at the limits."""

from __future__ import annotations

import gc

import pytest

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


def test_what_a_slot_depends_on_begins_with_its_database_and_names_each_relation_once(tags: Tags) -> None:
    depends = tags.of(DB, [10, 11, 10])
    assert depends == (tags.database(DB), tags.relation(DB, 10), tags.relation(DB, 11))


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


def test_a_database_first_seen_while_the_whole_origin_is_suspended_is_suspended_too(tags: Tags) -> None:
    suspension = tags.suspend(ORIGIN)
    newcomer = tags.database(77)
    assert newcomer.suspended == 1
    tags.end(suspension, changed=True)
    assert (newcomer.generation, newcomer.suspended) == (1, 0)


def test_a_wide_write_suspends_its_whole_database() -> None:
    tags = Tags(Limits(max_reach=2))
    suspension = tags.suspend(relations_of(DB, [1, 2, 3]))
    assert suspension.tags == (tags.database(DB),)


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
