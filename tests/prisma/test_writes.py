"""Writing: single rows, many rows, nested writes."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_create_fills_defaults_and_returns_the_row(client: Any) -> None:
    user = await client.user.create({"email": "ada@example.org"})
    assert (user.role, user.name) == ("READER", None)
    assert user.born.tzinfo is not None
    assert len(user.id) > 20


async def test_update_changes_only_what_it_names(client: Any) -> None:
    post = await client.post.create({"title": "a", "views": 2})
    changed = await client.post.update(data={"views": {"increment": 5}}, where={"id": post.id})
    assert (changed.title, changed.views) == ("a", 7)
    changed = await client.post.update(data={"views": {"multiply": 2}, "title": "b"}, where={"id": post.id})
    assert (changed.title, changed.views) == ("b", 14)


async def test_update_and_delete_of_an_absent_row_return_none(client: Any) -> None:
    assert await client.post.update(data={"title": "x"}, where={"id": 7}) is None
    assert await client.post.delete(where={"id": 7}) is None


async def test_upsert_creates_once_and_then_updates(client: Any) -> None:
    data = {"create": {"name": "c"}, "update": {"name": "d"}}
    first = await client.category.upsert(where={"name": "c"}, data=data)
    second = await client.category.upsert(where={"name": "c"}, data=data)
    assert (first.name, second.name, first.id) == ("c", "d", second.id)


async def test_many_rows_are_created_changed_and_deleted_by_count(client: Any) -> None:
    rows = [{"name": "a"}, {"name": "b"}]
    assert await client.category.create_many(data=rows) == 2
    assert await client.category.create_many(data=[*rows, {"name": "c"}], skip_duplicates=True) == 1
    assert await client.category.update_many(data={"name": "z"}, where={"name": "c"}) == 1
    assert await client.category.delete_many(where={"name": {"in": ["a", "z"]}}) == 2
    assert await client.category.count() == 1


async def test_a_string_with_every_kind_of_character_comes_back_unchanged(client: Any) -> None:
    name = 'quote " back \\ line\nfeed tab\t brace {}():[] é 🪐 #no comment, null'
    made = await client.category.create({"name": name})
    assert made.name == name
    assert (await client.category.find_first(where={"name": name})).id == made.id


async def test_nested_create_and_connect_join_rows(client: Any) -> None:
    user = await client.user.create(
        {
            "email": "ada@example.org",
            "profile": {"create": {"bio": "b"}},
            "posts": {"create": [{"title": "one"}, {"title": "two"}]},
        },
        include={"posts": True, "profile": True},
    )
    assert [post.title for post in user.posts] == ["one", "two"]
    assert user.profile.bio == "b"
    alone = await client.post.create({"title": "three"})
    user = await client.user.update(
        data={"posts": {"connect": [{"id": alone.id}]}}, where={"id": user.id}, include={"posts": True}
    )
    assert len(user.posts) == 3


async def test_connect_or_create_makes_the_other_row_once(client: Any) -> None:
    for title in ("one", "two"):
        author = {"where": {"email": "ada@example.org"}, "create": {"email": "ada@example.org"}}
        await client.post.create({"title": title, "author": {"connect_or_create": author}})
    assert await client.user.count() == 1


async def test_nested_update_disconnect_and_delete_change_the_other_rows(client: Any) -> None:
    user = await client.user.create(
        {"email": "a@example.org", "posts": {"create": [{"title": "x"}, {"title": "y"}]}},
        include={"posts": True},
    )
    first, second = user.posts
    user = await client.user.update(
        where={"id": user.id},
        data={"posts": {"update": [{"where": {"id": first.id}, "data": {"title": "z"}}]}},
        include={"posts": {"order_by": {"id": "asc"}}},
    )
    assert [post.title for post in user.posts] == ["z", "y"]
    user = await client.user.update(
        where={"id": user.id},
        data={"posts": {"disconnect": [{"id": first.id}], "delete": [{"id": second.id}]}},
        include={"posts": True},
    )
    assert user.posts == []
    assert await client.post.count() == 1


async def test_nested_set_replaces_the_whole_relation(client: Any) -> None:
    user = await client.user.create({"email": "a@example.org", "posts": {"create": [{"title": "x"}]}})
    other = await client.post.create({"title": "other"})
    user = await client.user.update(
        where={"id": user.id}, data={"posts": {"set": [{"id": other.id}]}}, include={"posts": True}
    )
    assert [post.title for post in user.posts] == ["other"]


async def test_nested_upsert_updates_the_row_that_is_there(client: Any) -> None:
    user = await client.user.create({"email": "a@example.org", "profile": {"create": {"bio": "old"}}})
    user = await client.user.update(
        where={"id": user.id},
        data={"profile": {"upsert": {"create": {"bio": "made"}, "update": {"bio": "new"}}}},
        include={"profile": True},
    )
    assert user.profile.bio == "new"


async def test_deleting_a_user_cascades_to_the_profile(client: Any) -> None:
    user = await client.user.create({"email": "a@example.org", "profile": {"create": {"bio": "b"}}})
    await client.user.delete(where={"id": user.id})
    assert await client.profile.count() == 0


async def test_rows_are_joined_through_a_table_that_the_schema_does_not_name(client: Any) -> None:
    tags = {
        "create": [{"name": "a"}],
        "connect_or_create": [{"where": {"name": "b"}, "create": {"name": "b"}}],
    }
    post = await client.post.create(
        {"title": "t", "tags": tags}, include={"tags": {"order_by": {"name": "asc"}}}
    )
    assert [tag.name for tag in post.tags] == ["a", "b"]
    assert await client.post.count(where={"tags": {"some": {"name": "a"}}}) == 1
    post = await client.post.update(
        where={"id": post.id}, data={"tags": {"disconnect": [{"name": "a"}]}}, include={"tags": True}
    )
    assert [tag.name for tag in post.tags] == ["b"]


async def test_a_key_of_two_columns_finds_changes_and_deletes(client: Any) -> None:
    post = await client.post.create({"title": "t"})
    category = await client.category.create({"name": "c"})
    key = {"postId_categoryId": {"postId": post.id, "categoryId": category.id}}
    made = await client.postcategory.create({"postId": post.id, "categoryId": category.id})
    assert await client.postcategory.find_unique(where=key) == made
    assert await client.postcategory.delete(where=key) == made
    assert await client.postcategory.find_unique(where=key) is None
