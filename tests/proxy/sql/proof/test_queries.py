"""Queries: what they read, and names at each level."""

from __future__ import annotations

import pytest

from proxy.sql.proof.queries import column_name
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory


@pytest.mark.soundness("2.2")
@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT id FROM planets", {"planets"}),
        ("SELECT id FROM v_deep", {"planets", "moons"}),
        ("SELECT id FROM events", {"events", "events_1"}),
        ("SELECT id FROM ONLY base", {"base", "child"}),
        ("SELECT id FROM planets WHERE id IN (SELECT planet_id FROM moons)", {"planets", "moons"}),
        ("SELECT (SELECT max(id) FROM moons) FROM planets", {"planets", "moons"}),
        ("WITH x AS (SELECT id FROM moons) SELECT 1 FROM x", {"moons"}),
        ("WITH x AS (SELECT id FROM moons) SELECT id FROM planets", {"planets", "moons"}),
        ("WITH moons AS (SELECT id FROM planets) SELECT id FROM moons", {"planets"}),
        ("WITH moons AS (SELECT id FROM moons) SELECT id FROM moons", {"moons"}),
        ("SELECT id FROM planets ORDER BY (SELECT count(*) FROM moons)", {"planets", "moons"}),
        ("SELECT id FROM planets LIMIT (SELECT count(*) FROM moons)", {"planets", "moons"}),
        ("SELECT id FROM planets UNION SELECT id FROM moons", {"planets", "moons"}),
        ("SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM moons)) FROM planets", {"planets", "moons"}),
        (
            "SELECT p.id FROM planets p JOIN moons m ON m.id = (SELECT 1 FROM zoo LIMIT 1)",
            {"planets", "moons", "zoo"},
        ),
        ("SELECT shop.items.id FROM shop.items", {"items"}),
    ],
)
def test_every_table_that_the_answer_rests_on_is_told(sky: Observatory, text: str, tables: set[str]) -> None:
    assert sky.reason(text) == ""
    assert sky.reads(text) == tables


@pytest.mark.soundness("2.2")
@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM (SELECT id FROM moons) AS x(y)",
        "SELECT public.moons.id FROM public.moons m",
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM a, moons",
        "SELECT l.id FROM planets p, (SELECT p.id) l",
        "SELECT a.id FROM (planets a JOIN moons b ON a.id = b.id) j",
        "SELECT other.public.moons.ghost FROM moons",
    ],
)
def test_a_name_that_is_out_of_sight_is_unresolved(sky: Observatory, text: str) -> None:
    assert sky.reason(text) == "unresolved"


def test_a_forward_reference_in_with_recursive_is_not_taken_for_a_table(sky: Observatory) -> None:
    text = "WITH RECURSIVE a AS (SELECT * FROM moons), moons AS (SELECT now() AS id) SELECT * FROM a, planets"
    assert sky.reason(text) != ""


@pytest.mark.parametrize(
    "expression",
    [
        "id", "p.id", "lower(name)", "id::text", "'a'::text", "1", "CASE WHEN true THEN 1 ELSE id END",
        "CASE WHEN true THEN 1 END", "coalesce(id, 1)", "ARRAY[1]", "ARRAY(SELECT 1)", "EXISTS (SELECT 1)",
        "(SELECT 1 AS x)", "(SELECT max(id) FROM moons)", "id + 1", "tags[1]", "name COLLATE \"C\"",
        "1 IN (SELECT 2)", "date '2020-01-01'",
    ],
)  # fmt: skip
def test_columns_are_named_as_the_server_names_them(ground: Origin, expression: str) -> None:
    from pglast import ast, parser  # noqa: PLC0415 - only here

    (raw,) = parser.parse_sql(f"SELECT {expression}")
    assert isinstance(raw.stmt, ast.SelectStmt)
    ours = column_name((raw.stmt.targetList or ())[0].val)
    ground.execute(
        f"DROP VIEW IF EXISTS named; CREATE VIEW named AS SELECT {expression}, 0 AS zz FROM planets p"
    )
    ((real,),) = ground.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'named'::regclass AND attnum = 1; "
    )
    ground.execute("DROP VIEW named")
    assert ours == real


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize(
    "text",
    [
        "SELECT m FROM days ORDER BY m",
        "SELECT DISTINCT ms FROM days",
        "SELECT w FROM days GROUP BY w",
        "SELECT v FROM days UNION SELECT v FROM days",
        "SELECT greatest(m, 'calm') FROM days",
        "SELECT rank() OVER (PARTITION BY v) FROM days",
        "SELECT array_agg(t ORDER BY m) FROM days",
        "SELECT max(m) FROM days",
        "SELECT ms < '{calm}' FROM days",
    ],
)
def test_an_operator_class_made_for_a_type_decides_its_order(trickster: Observatory, text: str) -> None:
    assert trickster.reason(text) == "type"
    assert trickster.reason("SELECT t, m FROM days ORDER BY t") == ""
