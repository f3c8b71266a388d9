"""Items of FROM: which columns they offer, with which types."""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

import pytest

from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    "text",
    [
        "SELECT e.value ->> 'a' FROM planets p, jsonb_array_elements(p.info) e",
        "SELECT e ->> 'a' FROM planets p, jsonb_array_elements(p.info) AS e",
        "SELECT n.v + 1 FROM planets p, generate_series(1, p.id) AS n(v)",
        "SELECT n + 1, p.id FROM planets p, generate_series(1, 3) n",
        "SELECT u.tag || 'x', u.n FROM planets, unnest(tags) WITH ORDINALITY AS u(tag, n)",
        "SELECT a.x, a.y FROM moons, ROWS FROM (generate_series(1, 2), unnest('{a}'::text[])) AS a(x, y)",
        "SELECT u.id, upper(u.nm) FROM moons JOIN unnest($1::int[], $2::text[]) AS u(id, nm) ON u.id = moons.id",
        "SELECT k.key, upper(k.value) FROM planets, jsonb_each_text(info) k",
        "SELECT r.a FROM planets, ts_parse('default', name) AS r(a, b)",
        "SELECT j.id, j.name FROM (planets JOIN moons USING (id)) AS j(id, name)",
        "SELECT v.a, v.b FROM moons, (VALUES (1, 'x'), (2, NULL)) AS v(a, b) WHERE v.a = moons.id",
        "SELECT l.n FROM planets p LEFT JOIN LATERAL (SELECT count(*) AS n FROM moons WHERE planet_id = p.id) l ON true",
    ],
)
def test_columns_of_every_kind_of_item_are_known(sky: Observatory, text: str) -> None:
    assert sky.reason(text) in {"", "stable"}
    assert sky.reach(text) == "nothing"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT * FROM moons, json_to_recordset('[]') AS x(d date)", "stable"),
        ("SELECT e.value::date FROM planets, jsonb_array_elements_text(info) e", "date"),
        ("SELECT u.tag::date FROM planets, unnest(tags) AS u(tag)", "date"),
        ("SELECT * FROM moons, tick(1)", "function"),
        ("SELECT * FROM moons TABLESAMPLE mine (1)", "sample"),
        ("SELECT * FROM v_writer CROSS JOIN moons", "function"),
        ("SELECT m.id FROM moons m JOIN planets p ON tick(m.id) = p.id", "function"),
    ],
)
def test_what_an_item_evaluates_counts(sky: Observatory, text: str, reason: str) -> None:
    assert sky.reason(text) == reason


def test_a_sampling_method_of_a_users_is_unseen_code(sky: Observatory) -> None:
    assert sky.reach("SELECT * FROM moons TABLESAMPLE mine (1)") == "unknown"
    assert sky.reach("SELECT * FROM moons TABLESAMPLE BERNOULLI (1)") == "nothing"


def test_a_sub_select_without_lateral_sees_nothing_of_its_neighbours(sky: Observatory) -> None:
    assert sky.reason("SELECT l.id FROM planets p, (SELECT p.id) l") == "unresolved"
    assert sky.reason("SELECT l.id FROM planets p, LATERAL (SELECT p.id) l") == ""


def test_system_relations_are_read_without_knowing_their_columns(sky: Observatory) -> None:
    text = "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database()"
    assert sky.reason(text) == "system"
    assert sky.reach(text) == "nothing"
