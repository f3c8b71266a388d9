"""What INSERT, UPDATE and DELETE are proven to do to rows, and which statements prove nothing."""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

import pytest

from proxy.sql.rows import Parameter, RowChange, Value
from tests.proxy.sql.observatory import Observatory

Confined = dict[int, tuple[Value, ...]]
INT4 = 23


def change(shelf: Observatory, text: str, types: tuple[int, ...] = ()) -> RowChange | None:
    """The only row change of the statement."""
    reach = shelf.statement(text, types).reach
    assert reach.proven
    assert {one.relation for one in reach.changes} <= reach.tables
    return next(iter(reach.changes), None)


def confined(shelf: Observatory, text: str, types: tuple[int, ...] = ()) -> Confined:
    found = change(shelf, text, types)
    assert found is not None
    return dict(found.confined)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("DELETE FROM part WHERE id = 5", {1: (5,)}),
        ("DELETE FROM part AS p WHERE p.id = 5 AND label = 'x'", {1: (5,), 3: (b"x",)}),
        ("DELETE FROM part USING item WHERE item_id = item.id AND part.id = 5", {1: (5,)}),
        ("DELETE FROM part WHERE id = 5 OR id = 6", {}),
        ("DELETE FROM part", {}),
        ("UPDATE part SET label = 'x' WHERE id = $1", {1: (Parameter(1, INT4),)}),
        ("UPDATE part SET id = 6 WHERE id = 5", {1: (5, 6)}),
        ("UPDATE part SET id = $2 WHERE id = $1", {1: (Parameter(1, INT4), Parameter(2, INT4))}),
        ("UPDATE part SET id = id + 1 WHERE id = 5", {}),
        ("UPDATE part SET id = DEFAULT WHERE id = 5", {}),
        ("UPDATE part SET id = 6", {}),
        ("UPDATE part SET (id, label) = (6, 'x') WHERE id = 5", {}),
        ("UPDATE part SET label = 'x' FROM item WHERE item_id = item.id AND part.id = 5", {1: (5,)}),
        ("UPDATE part SET label = 'x' WHERE id = 5 RETURNING *", {1: (5,)}),
        ("UPDATE item SET short = 'abcd' WHERE short = 'x'", {}),
        ("UPDATE item SET id = 6 WHERE made = 6", {}),
        ("INSERT INTO part (id, label) VALUES (1, 'x')", {1: (1,), 3: (b"x",)}),
        ("INSERT INTO part VALUES (1, 2)", {1: (1,), 2: (2,)}),
        ("INSERT INTO part (label, id) VALUES ('x', 1), ('y', $1)", {3: (b"x", b"y"), 1: (1, Parameter(1, INT4))}),
        ("INSERT INTO part (id, label) VALUES (1, 'x'), (2, lower('Y'))", {1: (1, 2)}),
        ("INSERT INTO part (id) VALUES (2.6)", {}),
        ("INSERT INTO part (id) VALUES ('2.6'::numeric)", {}),
        ("INSERT INTO part (id) VALUES (DEFAULT)", {}),
        ("INSERT INTO part (label) VALUES (5)", {}),
        ("INSERT INTO part (item_id) VALUES (NULL)", {2: (None,)}),
        ("INSERT INTO item (id, short, name, padded, price, dom) VALUES (1, 'abc ', 'abc ', 'x', 2, 3)", {1: (1,), 4: (b"abc ",)}),
        ("INSERT INTO part (id) VALUES (1) ON CONFLICT DO NOTHING", {1: (1,)}),
    ],
)  # fmt: skip
def test_a_write_is_confined_by_what_both_images_of_its_rows_agree_to(
    shelf: Observatory, text: str, known: Confined
) -> None:
    assert confined(shelf, text) == known


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("UPDATE part SET label = 'x'", {3}),
        ("UPDATE part SET (item_id, label) = (SELECT 1, 'x')", {2, 3}),
        ("UPDATE item SET name = 'x'", {4, 13}),  # 13 is generated
        ("UPDATE plain_tree SET up = 1", {2}),
        ("INSERT INTO part (label) VALUES ('x')", None),
        ("DELETE FROM part", None),
    ],
)
def test_an_update_changes_what_it_sets_and_what_is_made_of_it(
    shelf: Observatory, text: str, changed: set[int] | None
) -> None:
    found = change(shelf, text)
    assert found is not None
    assert found.changed == changed


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO part (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2",
        "INSERT INTO part (id) OVERRIDING USER VALUE VALUES (1)",
        "INSERT INTO part (id) OVERRIDING SYSTEM VALUE VALUES (1)",
        "INSERT INTO part (id) SELECT 1",
        "INSERT INTO part (id) VALUES (1) LIMIT 1",
        "INSERT INTO part (id) VALUES (1), (2.6) ORDER BY 1",
        "INSERT INTO part DEFAULT VALUES",
        "WITH w AS (SELECT 1) INSERT INTO part (id) VALUES (1)",
        "WITH w AS (DELETE FROM part WHERE id = 1) UPDATE part SET label = 'x' WHERE id = 2",
        "WITH w AS (DELETE FROM part WHERE id = 1 RETURNING id) SELECT id FROM w",
        "MERGE INTO part USING item ON item_id = item.id WHEN MATCHED THEN DELETE",
        "COPY part FROM STDIN",
        "TRUNCATE part",
        "EXPLAIN ANALYZE DELETE FROM part WHERE id = 1",
        "DELETE FROM tree WHERE id = 1",  # cascades into itself
        "DELETE FROM egg WHERE id = 1",  # the hen lays it aside ...
        "UPDATE hen SET id = 1 WHERE id = 2",  # ... and each may change the other
        "UPDATE same SET n = 1 WHERE id = 1",
        "DELETE FROM era WHERE id = 1",
        "DELETE FROM era_1 WHERE id = 1",
        "DELETE FROM base WHERE id = 1",
        "DELETE FROM child WHERE id = 1",
        "UPDATE items SET name = 'x' WHERE id = 1",
    ],
)  # fmt: skip
def test_nothing_is_proven_of_these(shelf: Observatory, text: str) -> None:
    assert change(shelf, text) is None


def test_a_rule_leaves_nothing_proven(shelf: Observatory) -> None:
    assert not shelf.statement("DELETE FROM ruled WHERE id = 1").reach.changes


def test_a_trigger_counts_for_its_own_events_alone(shelf: Observatory) -> None:
    assert confined(shelf, "DELETE FROM same WHERE id = 1") == {1: (1,)}


def test_many_rows_of_one_insert_are_not_told_apart(shelf: Observatory) -> None:
    rows = ", ".join(f"({number}, 7)" for number in range(65))
    assert confined(shelf, f"INSERT INTO part (id, item_id) VALUES {rows}") == {2: (7,)}


def test_several_statements_of_one_text_keep_their_rows_apart(shelf: Observatory) -> None:
    reach = shelf.analysis("DELETE FROM part WHERE id = 1; DELETE FROM part WHERE id = 2").reach
    assert {one.confined for one in reach.changes} == {((1, (1,)),), ((1, (2,)),)}
    both = shelf.analysis("DELETE FROM part WHERE id = 1; TRUNCATE part").reach
    assert not both.changes


@pytest.mark.parametrize("text", ["PREPARE s (int) AS DELETE FROM part WHERE id = $1"])
def test_a_statement_behind_a_name_keeps_no_parameters(shelf: Observatory, text: str) -> None:
    named = shelf.statement(text).named
    assert named is not None
    assert named.inner is not None
    assert not named.inner.reach.changes
