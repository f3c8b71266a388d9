"""Reading: filters, order, pages, groups, relations."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def _posts(client: Any) -> None:
    author = await client.user.create({"email": "ada@example.org", "name": "Ada"})
    rows = [("Alpha", 5, True), ("beta", 3, False), ("Gamma", 9, True), ("delta", 3, True)]
    for title, views, published in rows:
        data = {"title": title, "views": views, "published": published}
        owner = {"author": {"connect": {"id": author.id}}} if published else {}
        await client.post.create({**data, **owner})


def _titles(posts: Any) -> list[str]:
    return [post.title for post in posts]


async def test_a_row_is_found_by_its_key_or_not_at_all(client: Any, rich: Any) -> None:
    made = await client.category.create({"name": "planets"})
    assert await client.category.find_unique(where={"id": made.id}) == made
    assert await client.category.find_unique(where={"name": "moons"}) is None
    with pytest.raises(rich.errors.RecordNotFoundError):
        await client.category.find_unique_or_raise(where={"name": "moons"})
    with pytest.raises(rich.errors.RecordNotFoundError):
        await client.category.find_first_or_raise(where={"name": "moons"})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"views": 3}, ["beta", "delta"]),
        ({"views": {"gt": 3, "lt": 9}}, ["Alpha"]),
        ({"views": {"in": [5, 9]}}, ["Alpha", "Gamma"]),
        ({"views": {"not_in": [5, 9]}}, ["beta", "delta"]),
        ({"title": {"contains": "lph"}}, ["Alpha"]),
        ({"title": {"startswith": "be"}}, ["beta"]),
        ({"title": {"endswith": "MA", "mode": "insensitive"}}, ["Gamma"]),
        ({"NOT": [{"published": True}]}, ["beta"]),
        ({"OR": [{"title": "beta"}, {"views": 9}]}, ["beta", "Gamma"]),
        ({"AND": [{"published": True}, {"views": {"gte": 5}}]}, ["Alpha", "Gamma"]),
        ({"rating": None}, ["Alpha", "beta", "Gamma", "delta"]),
        ({"author": {"is": {"name": "Ada"}}}, ["Alpha", "Gamma", "delta"]),
        ({"author": {"is_not": {"name": "Ada"}}}, ["beta"]),
    ],
)
async def test_a_filter_selects_what_it_says(client: Any, where: Any, expected: list[str]) -> None:
    await _posts(client)
    assert _titles(await client.post.find_many(where=where, order={"id": "asc"})) == expected


async def test_relations_are_filtered_by_some_every_and_none(client: Any) -> None:
    await _posts(client)
    await client.user.create({"email": "bob@example.org", "name": "Bob"})

    async def names(where: Any) -> list[str]:
        return [user.name for user in await client.user.find_many(where=where, order={"email": "asc"})]

    assert await names({"posts": {"some": {"views": 9}}}) == ["Ada"]
    assert await names({"posts": {"every": {"published": True}}}) == ["Ada", "Bob"]
    assert await names({"posts": {"none": {"published": True}}}) == ["Bob"]


async def test_order_take_skip_and_cursor_make_pages(client: Any) -> None:
    await _posts(client)
    ordered = {"order": [{"views": "asc"}, {"title": "desc"}]}
    assert _titles(await client.post.find_many(**ordered)) == ["delta", "beta", "Alpha", "Gamma"]
    assert _titles(await client.post.find_many(take=2, skip=1, **ordered)) == ["beta", "Alpha"]
    after_first = await client.post.find_many(cursor={"id": 1}, skip=1, take=2, order={"id": "asc"})
    assert _titles(after_first) == ["beta", "Gamma"]
    assert _titles(await client.post.find_many(take=-1, order={"id": "asc"})) == ["delta"]


async def test_distinct_keeps_the_first_of_each_value(client: Any) -> None:
    await _posts(client)
    found = await client.post.find_many(distinct=["views"], order={"id": "asc"})
    assert _titles(found) == ["Alpha", "beta", "Gamma"]


async def test_count_counts_rows_and_present_values(client: Any) -> None:
    await _posts(client)
    assert await client.post.count() == 4
    assert await client.post.count(where={"published": True}) == 3
    assert await client.post.count(select={"_all": True, "authorId": True}) == {"_all": 4, "authorId": 3}


async def test_group_by_aggregates_and_having_selects_groups(client: Any) -> None:
    await _posts(client)
    groups = await client.post.group_by(
        by=["published"],
        count=True,
        sum={"views": True},
        avg={"views": True},
        min={"views": True},
        max={"title": True},
        order={"published": "asc"},
    )
    assert [(group["published"], group["_count"]["_all"]) for group in groups] == [(False, 1), (True, 3)]
    assert groups[1]["_sum"] == {"views": 17}
    assert groups[1]["_avg"]["views"] == pytest.approx(17 / 3)
    assert groups[1]["_min"] == {"views": 3}
    assert groups[1]["_max"] == {"title": "delta"}
    large = await client.post.group_by(by=["published"], having={"views": {"_sum": {"gt": 10}}}, count=True)
    assert [group["published"] for group in large] == [True]


async def test_include_brings_relations_with_arguments_of_their_own(client: Any) -> None:
    await _posts(client)
    user = await client.user.find_first(
        include={
            "posts": {"where": {"views": {"gt": 3}}, "order_by": {"views": "desc"}, "take": 1},
            "profile": True,
        }
    )
    assert _titles(user.posts) == ["Gamma"]
    assert user.profile is None


async def test_include_goes_through_several_levels(client: Any) -> None:
    await client.post.create(
        {"title": "t", "categories": {"create": [{"category": {"create": {"name": "c"}}}]}}
    )
    post = await client.post.find_first(include={"categories": {"include": {"category": True}}})
    assert post.categories[0].category.name == "c"
