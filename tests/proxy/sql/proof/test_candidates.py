"""Which function or operator a call means; the server itself is asked what it made of each."""

from __future__ import annotations

import pytest

from proxy.sql.proof import oids
from proxy.sql.proof.candidates import NOBODY, PREFIX, can_coerce, choose_function, choose_operator
from proxy.sql.proof.knowledge import Knowledge
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory

PATH = ("pg_catalog", "public")


@pytest.fixture(scope="module")
def knowledge(sky: Observatory) -> Knowledge:
    return Knowledge(sky.catalogue)


@pytest.mark.parametrize(
    ("call", "name", "arguments"),
    [
        ("lower('a')", "lower", (oids.UNKNOWN,)),
        ("lower('a'::text)", "lower", (oids.TEXT,)),
        ("lower('a'::varchar)", "lower", (oids.VARCHAR,)),
        ("date_trunc('day', now())", "date_trunc", (oids.UNKNOWN, oids.TIMESTAMPTZ)),
        ("date_trunc('day', now()::timestamp)", "date_trunc", (oids.UNKNOWN, oids.TIMESTAMP)),
        ("date_trunc('day', now()::date)", "date_trunc", (oids.UNKNOWN, oids.DATE)),
        ("abs(1)", "abs", (oids.INT4,)),
        ("abs(1::int2)", "abs", (21,)),
        ("sum(1)", "sum", (oids.INT4,)),
        ("max('a'::text)", "max", (oids.TEXT,)),
        ("round(1.5, 1)", "round", (oids.NUMERIC, oids.INT4)),
        ("concat('a', 1)", "concat", (oids.UNKNOWN, oids.INT4)),
        ("array_append(ARRAY[1], 2)", "array_append", (1007, oids.INT4)),
        ("unnest(ARRAY['a'::text])", "unnest", (1009,)),
        ("array_agg(1)", "array_agg", (oids.INT4,)),
        ("to_char(now(), 'YYYY')", "to_char", (oids.TIMESTAMPTZ, oids.UNKNOWN)),
        ("coalesce(length('x'), 1)", "length", (oids.UNKNOWN,)),
        ("jsonb_build_object('a', 1)", "jsonb_build_object", (oids.UNKNOWN, oids.INT4)),
    ],
)
def test_the_result_has_the_type_that_the_server_gives_it(
    knowledge: Knowledge, ground: Origin, call: str, name: str, arguments: tuple[int, ...]
) -> None:
    choice = choose_function(knowledge, None, name, arguments, PATH)
    ((real,),) = ground.execute(f"SELECT pg_typeof({call})::oid::int8")
    assert choice.result == real
    assert choice.denial == ""


@pytest.mark.parametrize(
    ("expression", "name", "left", "right"),
    [
        ("1 = '1'", "=", oids.INT4, oids.UNKNOWN),
        ("'a'::varchar = 'b'", "=", oids.VARCHAR, oids.UNKNOWN),
        ("1 + 1.5", "+", oids.INT4, oids.NUMERIC),
        ("1::int8 + 1", "+", oids.INT8, oids.INT4),
        ("now() - now()", "-", oids.TIMESTAMPTZ, oids.TIMESTAMPTZ),
        ("now()::date - now()::date", "-", oids.DATE, oids.DATE),
        ("now() - interval '1 day'", "-", oids.TIMESTAMPTZ, oids.INTERVAL),
        ("now()::date - 3", "-", oids.DATE, oids.INT4),
        ("'{}'::jsonb -> 'a'", "->", oids.JSONB, oids.UNKNOWN),
        ("'a' || 'b'", "||", oids.UNKNOWN, oids.UNKNOWN),
        ("'a'::text || 1", "||", oids.TEXT, oids.INT4),
        ("- 1", "-", PREFIX, oids.INT4),
        ("'a@b'::email = 'x'", "=", oids.TEXT, oids.UNKNOWN),
    ],
)
def test_an_operators_result_has_the_type_that_the_server_gives_it(
    knowledge: Knowledge, ground: Origin, expression: str, name: str, left: int, right: int
) -> None:
    choice = choose_operator(knowledge, None, name, left, right, PATH)
    ((real,),) = ground.execute(f"SELECT pg_typeof({expression})::oid::int8")
    assert choice.result == real
    assert choice.denial == ""


@pytest.mark.soundness("2.4")
def test_where_the_choice_is_open_all_candidates_must_pass(knowledge: Knowledge) -> None:
    assert choose_function(knowledge, None, "age", (oids.UNTYPED,), PATH).denial == "time"
    assert choose_function(knowledge, None, "age", (oids.UNTYPED, oids.UNTYPED), PATH).denial == ""


def test_a_name_that_nobody_bears_is_unproven(knowledge: Knowledge) -> None:
    assert choose_function(knowledge, None, "nobody", (), PATH) is NOBODY
    assert not choose_operator(knowledge, None, "<=>?", oids.INT4, oids.INT4, PATH).writes_nothing


def test_a_users_function_is_a_candidate_only_along_the_path(knowledge: Knowledge) -> None:
    assert choose_function(knowledge, None, "tick", (oids.INT4,), PATH).denial == "function"
    assert choose_function(knowledge, None, "tick", (oids.INT4,), ("pg_catalog",)) is NOBODY


@pytest.mark.parametrize(
    ("source", "target", "possible"),
    [
        (oids.INT4, oids.INT8, True),
        (oids.INT8, oids.INT4, False),
        (oids.VARCHAR, oids.TEXT, True),
        (oids.TEXT, oids.DATE, False),
        (oids.UNKNOWN, oids.DATE, True),
        (1007, oids.ANYARRAY, True),
        (oids.INT4, oids.ANYARRAY, False),
        (1007, oids.ANYNONARRAY, False),
        (1007, 1016, True),
        (3904, oids.ANYRANGE, True),
        (oids.RECORD, oids.TEXT, False),
        (oids.UNTYPED, oids.INT4, True),
    ],
)
def test_what_postgresql_coerces_unasked(
    knowledge: Knowledge, source: int, target: int, possible: bool
) -> None:
    assert can_coerce(knowledge, source, target) is possible
