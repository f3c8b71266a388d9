"""Expressions: operators, casts and rows, and whatever grammar has no rule."""

from __future__ import annotations

import pytest

from tests.proxy.sql.observatory import Observatory


@pytest.mark.soundness("2.4")
def test_a_users_operator_of_the_same_types_counts_only_when_it_stands_first(trickster: Observatory) -> None:
    text = "SELECT name FROM planets WHERE id = 1"
    assert trickster.reason(text) == ""
    assert trickster.at(path=("public", "pg_catalog")).reason(text) == "operator"
    assert trickster.at(path=("public", "pg_catalog")).reach(text) == "unknown"


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM planets WHERE label = 'x'",
        "SELECT id FROM planets WHERE label IN ('x', 'y')",
        "SELECT id FROM planets WHERE label = ANY('{x}')",
        "SELECT nullif(label, 'x') FROM planets",
        "SELECT CASE label WHEN 'x' THEN 1 END FROM planets",
        "SELECT id FROM planets WHERE label IS DISTINCT FROM 'x'",
        "SELECT a.id FROM planets a JOIN planets b USING (label)",
        "SELECT * FROM (SELECT label FROM planets) a NATURAL JOIN (SELECT label FROM planets) b",
        "SELECT id FROM planets WHERE label IN (SELECT label FROM planets)",
        "SELECT id FROM planets WHERE (label, id) = ('x', 1)",
    ],
)
def test_every_form_of_equality_uses_the_operator_that_fits_best(trickster: Observatory, text: str) -> None:
    assert trickster.reason(text) == "operator"


def test_an_operator_named_with_its_schema_is_that_one(trickster: Observatory) -> None:
    assert trickster.reason("SELECT id FROM planets WHERE id OPERATOR(pg_catalog.=) 1") == ""
    assert trickster.reason("SELECT id FROM planets WHERE id OPERATOR(public.=) 1") == "operator"


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT id::coin FROM planets", "cast"),
        ("SELECT t FROM beach WHERE s", "cast"),
        ("SELECT left(s, 1) FROM beach", "cast"),
        ("SELECT s || t FROM beach", "cast"),
        ("SELECT coalesce(t, s) FROM beach", "cast"),
        ("SELECT t FROM beach UNION SELECT s FROM beach", "cast"),
        ("SELECT s FROM spans", "type"),
        ("SELECT id FROM spans WHERE s && '[1,2]'", "type"),
        ("SELECT id FROM spans", ""),
        ("SELECT l FROM v_lower", "function"),
    ],
)
def test_users_casts_ranges_and_views_over_functions_deny(
    trickster: Observatory, text: str, reason: str
) -> None:
    assert trickster.reason(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "SELECT xmlelement(name a, id) FROM moons",
        "SELECT xmlparse(document '<a/>'), id FROM moons",
        "SELECT * FROM zoo, XMLTABLE('/a' PASSING x COLUMNS d date PATH '.')",
    ],
)
def test_grammar_without_a_rule_is_denied_but_proven_where_it_can_be_looked_through(
    sky: Observatory, text: str
) -> None:
    assert sky.reason(text) in {"unsupported", "date"}
    assert sky.reach(text) == "nothing"
    assert sky.reach(text.replace("SELECT ", "SELECT xmlelement(name b, writer()), ")) == "unknown"
    assert sky.reach(text.replace("SELECT ", "SELECT xmlelement(name b, pg_advisory_lock(1)), ")) == "unknown"


@pytest.mark.soundness("2.1")
@pytest.mark.parametrize(
    "text", ["SELECT JSON_SCALAR(id) FROM moons", "SELECT JSON_VALUE(info, '$.a') FROM planets"]
)
def test_a_keyword_younger_than_the_server_is_a_users_function_there(sky: Observatory, text: str) -> None:
    assert sky.reason(text) == "version"
    assert sky.reach(text) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM planets WHERE name = 'now' OR name LIKE '%today%'",
        "SELECT concat(name, 'now') FROM planets",
        'SELECT id FROM planets WHERE info @> \'{"a": "now"}\'',
        "SELECT id FROM planets WHERE tags @> ARRAY['now']",
        "SELECT interval '1 day' + created_at, 'now'::text FROM planets",
        "SELECT to_timestamp('now', 'YYYY'), id FROM planets",
    ],
)
def test_a_moving_word_where_no_date_is_read_does_no_harm(sky: Observatory, text: str) -> None:
    assert sky.reason(text) == ""
