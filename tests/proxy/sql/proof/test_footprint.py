"""What an answer depends on in each relation it reads."""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

import pytest

from proxy.sql.rows import Part
from tests.proxy.sql.observatory import Observatory


def parts(shelf: Observatory, text: str) -> dict[str, Part]:
    statement = shelf.statement(text)
    assert statement.reason == "", statement.reason
    assert {part.relation for part in statement.parts} == statement.reads
    return {shelf.catalogue.relations[part.relation].name: part for part in statement.parts}


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("SELECT name FROM item", {4}),
        ("SELECT count(*) FROM item", set()),
        ("SELECT name FROM item WHERE price > 2 ORDER BY big", {4, 10, 2}),
        ("SELECT i.name FROM item i GROUP BY i.name HAVING max(i.price) > 2", {4, 10}),
        ("SELECT name AS n FROM item ORDER BY n", {4}),
        ("SELECT lower(name) AS id FROM item ORDER BY id", {4, 1}),
        ("SELECT row_number() OVER (PARTITION BY done ORDER BY big) FROM item", {9, 2}),
        ("SELECT i.name FROM item i WHERE EXISTS (SELECT 1 FROM part p WHERE p.item_id = i.id)", {4, 1}),
        ("SELECT name FROM item WHERE id IN (SELECT item_id FROM part WHERE label = short)", {4, 1, 6}),
        ("SELECT count(DISTINCT name) FILTER (WHERE done) FROM item", {4, 9}),
        ("SELECT u.x FROM item, LATERAL (SELECT item.big AS x) u", {2}),
    ],
)
def test_a_plain_query_depends_on_the_columns_it_names(
    shelf: Observatory, text: str, mentions: set[int]
) -> None:
    assert parts(shelf, text)["item"].mentions == frozenset(mentions)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM item",
        "SELECT i.* FROM item i",
        "TABLE item",
        "SELECT item FROM item",
        "SELECT count(i) FROM item i",
        "SELECT row_to_json(i) FROM item i",
        "SELECT (item).name FROM item",
        "SELECT tableoid FROM item",
        "SELECT item.tableoid FROM item",
        "SELECT name FROM item NATURAL JOIN part",
        "SELECT name FROM item JOIN part USING (id)",
        "SELECT j.name FROM (item JOIN part ON item_id = item.id) AS j",
        "SELECT x.a FROM item AS x (a, b)",
        "WITH w AS (SELECT 1 AS n) SELECT name FROM item, w",
        "SELECT name FROM item UNION SELECT label FROM part",
        "SELECT s.name FROM (SELECT name FROM item) s",
        "SELECT name FROM items",
        "SELECT a.name FROM item a JOIN item b ON a.id = b.big",
        "SELECT item.name FROM item JOIN items ON items.id = item.id",
        "SELECT name FROM item WHERE EXISTS (SELECT * FROM part)",
        "SELECT name FROM item WHERE id = (SELECT max(id) FROM item)",
    ],
)
def test_what_may_mean_any_column_depends_on_all(shelf: Observatory, text: str) -> None:
    assert parts(shelf, text)["item"].mentions is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM item WHERE id = 5",
        "SELECT * FROM item WHERE id = 5 ORDER BY name LIMIT 3",
        "SELECT name FROM item i JOIN part p ON p.item_id = i.id AND i.id = 5",
        "SELECT name FROM item, part WHERE item_id = item.id AND item.id = 5",
        "SELECT name FROM item LEFT JOIN part ON item_id = item.id WHERE item.id = 5",
        "SELECT name FROM part LEFT JOIN item ON item_id = item.id WHERE item.id = 5",
        "SELECT name FROM part FULL JOIN item ON item_id = item.id WHERE item.id = 5",
        "SELECT name FROM item WHERE id = 5 AND EXISTS (SELECT 1 FROM part WHERE item_id = item.id)",
        "SELECT s.n FROM item, LATERAL (SELECT count(*) AS n FROM part WHERE item_id = item.id) s WHERE id = 5",
        "SELECT count(*), max(price) FROM item WHERE id = 5 GROUP BY done",
        "SELECT name FROM part LEFT JOIN (item JOIN base ON item.id = 5) ON item_id = item.id",
    ],
)
def test_a_top_level_equality_fixes_the_table(shelf: Observatory, text: str) -> None:
    part = parts(shelf, text)["item"]
    assert (part.column, part.value) == (1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM item LEFT JOIN part ON item_id = item.id AND item.id = 5",
        "SELECT name FROM part LEFT JOIN item ON item_id = item.id AND item.id = 5",
        "SELECT name FROM part FULL JOIN item ON item_id = item.id AND item.id = 5",
        "SELECT max(name) FROM item HAVING max(id) = 5",
        "SELECT name FROM item WHERE id = 5 AND price > (SELECT avg(price) FROM item)",
        "SELECT a.name FROM item a JOIN item b ON a.id = b.id WHERE a.id = 5 AND b.id = 5",
        "SELECT item.name FROM item JOIN items ON items.id = item.id WHERE item.id = 5",
        "SELECT s.name FROM (SELECT * FROM item WHERE id = 5) s",
        "SELECT name FROM items WHERE id = 5",
        "SELECT name FROM item WHERE id = 5 UNION ALL SELECT label FROM part",
        "WITH w AS (SELECT 1) SELECT name FROM item WHERE id = 5",
        "WITH item AS (SELECT * FROM part) SELECT x.name FROM public.item x, item WHERE x.id = 5",
        "SELECT x.a FROM item AS x (name, a) WHERE x.name = 5",
        "SELECT label FROM part WHERE EXISTS (SELECT 1 FROM item WHERE id = 5)",
        "SELECT count(*) FILTER (WHERE id = 5) FROM item",
        "SELECT sum(price) OVER (ORDER BY id = 5) FROM item",
    ],
)
def test_an_equality_elsewhere_fixes_nothing(shelf: Observatory, text: str) -> None:
    assert parts(shelf, text)["item"].column == 0


@pytest.mark.parametrize(
    "inner", ["items JOIN part ON name = 'x'", "(SELECT name FROM base, item z) s JOIN part ON name = 'x'"]
)
def test_a_name_in_a_joins_on_means_the_two_sides_alone(shelf: Observatory, inner: str) -> None:
    assert shelf.catalogue.relation_names["public", "pair"]
    found = parts(shelf, f"SELECT pair.id FROM pair JOIN ({inner}) ON true")
    assert found["pair"].column == 0
    assert (
        parts(shelf, "SELECT pair.id FROM pair JOIN (base JOIN part ON label = 'x') ON true")["part"].column
        == 3
    )


def test_each_table_of_a_join_is_fixed_by_itself(shelf: Observatory) -> None:
    found = parts(shelf, "SELECT name, label FROM item i JOIN part p ON p.id = 7 WHERE i.id = 5")
    assert [(found[name].column, found[name].value) for name in ("item", "part")] == [(1, 5), (1, 7)]


@pytest.mark.parametrize("name", ["era", "era_1", "base", "child"])
def test_partitions_and_heirs_are_read_whole(shelf: Observatory, name: str) -> None:
    for part in parts(shelf, f"SELECT n FROM {name} WHERE id = 1").values():
        assert part == Part(part.relation)


def test_what_is_not_remembered_has_no_parts(shelf: Observatory) -> None:
    assert shelf.statement("SELECT now() FROM item WHERE id = 5").parts == ()
