"""Equalities: each disguise of a value that counts, and each that must not."""

from __future__ import annotations

import pytest

from proxy.sql.rows import Parameter, Part, Value
from tests.proxy.sql.observatory import Observatory

INT4, INT8, TEXT, UUID = 23, 20, 25, 2950
ONE = "0f0e0d0c-0b0a-0908-0706-050403020100"
NOBODY = (0, None)


def fixed(shelf: Observatory, where: str, types: tuple[int, ...] = ()) -> tuple[int, Value]:
    """The column of ``item`` that the condition fixes, 0 for none, and the value."""
    statement = shelf.statement(f"SELECT id FROM item WHERE {where}", types)
    assert statement.reason == "", where
    (part,) = statement.parts
    assert isinstance(part, Part)
    return part.column, part.value


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("id = 5", (1, 5)),
        ("5 = id", (1, 5)),
        ("id = -5", (1, -5)),
        ("id = 0", (1, 0)),
        ("id = '5'", (1, 5)),
        ("id = 5000000000", (1, 5_000_000_000)),
        ("id = 5::int2", (1, 5)),
        ("id = '5'::int8", (1, 5)),
        ("id = CAST('5' AS integer)", (1, 5)),
        ("item.id = 5", (1, 5)),
        ("public.item.id = 5", (1, 5)),
        ("id OPERATOR(pg_catalog.=) 5", (1, 5)),
        ("id = 5 AND name = 'x'", (1, 5)),
        ("(name = 'x' AND (price > 1 AND id = 5))", (1, 5)),
        ("big = 5", (2, 5)),
        ("tiny = 5", (3, 5)),
        ("name = 'Mars'", (4, b"Mars")),
        ("name = 'Mars'::varchar", (4, b"Mars")),
        ("code = 'x'", (5, b"x")),
        ("short = 'longer'", (6, b"longer")),
        (f"uid = '{ONE.upper()}'", (8, bytes(range(15, -1, -1)))),
        ("done = true", (9, 1)),
        ("done = 'f'", (9, 0)),
        ("id = NULL", (1, None)),
    ],
)
def test_an_equality_with_a_constant_fixes_its_column(
    shelf: Observatory, where: str, value: tuple[int, Value]
) -> None:
    assert fixed(shelf, where) == value


@pytest.mark.parametrize(
    "where",
    [
        "id = 5 OR name = 'x'",
        "NOT id = 5",
        "(id = 5) IS NOT TRUE",
        "id IN (5, 6)",
        "id BETWEEN 5 AND 5",
        "id IS NOT DISTINCT FROM 5",
        "id <> 5",
        "id >= 5",
        "(id, 1) = (5, 1)",
        "id = ANY (ARRAY[5])",
        "id + 0 = 5",
        "id::int8 = 5",
        "id::text = '5'",
        "id = 5.0",
        "id = 2 + 3",
        "id = '5'::numeric",
        "id = 5::float8",
        "id = ' 5'",
        "id = tiny",
        "name = 'é'",
        "name = 'x' COLLATE \"C\"",
        "name COLLATE \"C\" = 'x'",
        "name = 'x'::char(3)",
        "name = 'xyz'::varchar(2)",
        "name = 'x'::name",
        "padded = 'x'",
        "price = 2.5",
        "price = 2",
        "ratio = 1",
        "dom = 5",
        "made = 6",
        "done",
        "done IS TRUE",
        "CASE WHEN id = 5 THEN true ELSE false END",
        "COALESCE(id = 5, false)",
        "true = (id = 5)",
    ],
)
def test_nothing_else_fixes_a_column(shelf: Observatory, where: str) -> None:
    assert fixed(shelf, where) == NOBODY


@pytest.mark.parametrize(
    ("where", "types", "value"),
    [
        ("id = $1", (), (1, Parameter(1, INT4))),
        ("id = $1", (0,), (1, Parameter(1, INT4))),
        ("id = $1", (705,), (1, Parameter(1, INT4))),
        ("id = $1", (INT8,), (1, Parameter(1, INT8))),
        ("id = $1::int8", (), (1, Parameter(1, INT8))),
        ("id = $1::int8", (21,), (1, Parameter(1, 21))),
        ("name = $1", (), (4, Parameter(1, TEXT))),
        ("name = $1", (1043,), (4, Parameter(1, 1043))),
        ("code = $1", (), (5, Parameter(1, TEXT))),
        ("uid = $1::uuid", (), (8, Parameter(1, UUID))),
        ("$2 = id AND name > $1", (), (1, Parameter(2, INT4))),
        ("id = $1 AND big = $1", (INT4,), (1, Parameter(1, INT4))),
    ],
)
def test_a_parameter_has_the_type_of_its_place_or_of_parse(
    shelf: Observatory, where: str, types: tuple[int, ...], value: tuple[int, Value]
) -> None:
    assert fixed(shelf, where, types) == value


@pytest.mark.parametrize(
    ("where", "types"),
    [
        ("id = $1 AND big = $1", ()),  # the first place that PostgreSQL comes to decides, and which is that?
        ("id = $1", (1700,)),
        ("name = $1::varchar(2)", ()),
        ("name = $1::varchar", (INT4,)),
        ("name = $1", (1042,)),
        ("price = $1", ()),
        ("padded = $1", ()),
    ],
)
def test_a_parameter_of_another_type_or_of_none_that_is_sure_fixes_nothing(
    shelf: Observatory, where: str, types: tuple[int, ...]
) -> None:
    assert fixed(shelf, where, types) == NOBODY


@pytest.mark.parametrize(
    ("path", "operator", "confines"),
    [
        (("pg_catalog", "odd", "public"), "=", True),  # PostgreSQL's own hides it
        (("odd", "pg_catalog", "public"), "=", False),
        (("odd", "pg_catalog", "public"), "OPERATOR(pg_catalog.=)", True),
        (("pg_catalog", "public"), "OPERATOR(odd.=)", False),
    ],
)
def test_an_operator_of_a_users_confines_nothing(
    shelf: Observatory, path: tuple[str, ...], operator: str, confines: bool
) -> None:
    reach = shelf.at(path=path).statement(f"DELETE FROM part WHERE id {operator} 5").reach
    assert any(change.confined for change in reach.changes) is confines


def test_a_key_that_the_database_makes_goes_first(shelf: Observatory) -> None:
    (part,) = shelf.statement("SELECT label FROM part WHERE item_id = 3 AND id = 5").parts
    assert (part.column, part.value) == (1, 5)
