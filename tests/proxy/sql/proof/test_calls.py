"""Function calls: names that users have taken, calls in other clothes, effects on the session."""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

import pytest

from tests.proxy.sql.observatory import Observatory


@pytest.mark.soundness("2.4")
def test_pg_catalogs_function_stands_first_unless_the_path_says_else(trickster: Observatory) -> None:
    text = "SELECT lower(name) FROM planets"
    assert trickster.reason(text) == ""
    assert trickster.at(path=("public", "pg_catalog")).reason(text) == "function"


@pytest.mark.soundness("2.4")
def test_a_users_function_that_fits_better_is_chosen_before_pg_catalogs(trickster: Observatory) -> None:
    assert trickster.reason("SELECT lower(label) FROM planets") == "function"
    assert trickster.reason("SELECT pg_catalog.lower(label) FROM planets") == ""
    assert trickster.reach("SELECT lower(label) FROM planets") == "unknown"


@pytest.mark.soundness("2.4")
def test_an_aggregate_of_a_users_making_is_denied_whatever_it_is_made_of(trickster: Observatory) -> None:
    assert trickster.reason("SELECT total(id) FROM planets") == "function"


@pytest.mark.soundness("2.4")
def test_a_call_may_be_a_column_in_other_clothes(trickster: Observatory) -> None:
    # moving.length is a text column: length(m) reads it, and may hold 'now'.
    assert trickster.reason("SELECT length(m)::pg_catalog.date FROM moving m") == "unresolved"
    assert trickster.reason("SELECT pg_catalog.date(m) FROM moving m") != ""


@pytest.mark.soundness("2.5")
def test_a_call_by_a_types_name_is_a_cast(trickster: Observatory, sky: Observatory) -> None:
    assert trickster.reason("SELECT date(at) FROM planets") == ""
    assert sky.reason("SELECT int4(mass), text(id), date(seen_at) FROM planets") == ""
    assert sky.reason("SELECT date(name) FROM planets") == "date"
    assert sky.reason("SELECT timestamptz('now'), id FROM planets") == "date"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT make_interval(days => 3, hours => id) FROM planets", ""),
        (
            "SELECT make_timestamptz(year => 2020, month => 1, mday => 1, hour => 0, min => 0, sec => 0), id FROM moons",
            "",
        ),
        ("SELECT tick(id => 3) FROM planets", "function"),
        ("SELECT concat(VARIADIC tags) FROM planets", ""),
        ("SELECT count(*) FILTER (WHERE tick(id) > 1) FROM planets", "function"),
        ("SELECT string_agg(name, ',' ORDER BY tick(id)) FROM planets", "function"),
        ("SELECT sum(id) OVER (PARTITION BY tick(id)) FROM planets", "function"),
        ("SELECT sum(id) OVER w FROM planets WINDOW w AS (ORDER BY now())", "time"),
        ("SELECT count(DISTINCT raw) FROM planets", "type"),
        ("SELECT array_position(ARRAY[raw], raw) FROM planets", "type"),
        ("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY tick(id)) FROM planets", "function"),
    ],
)
def test_every_part_of_a_call_is_looked_at(sky: Observatory, text: str, reason: str) -> None:
    assert sky.reason(text) == reason


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize("name", ["rank", "dense_rank", "percent_rank", "cume_dist"])
def test_a_hypothetical_row_is_of_the_types_that_it_is_ranked_among(sky: Observatory, name: str) -> None:
    text = f"SELECT {name}(%s) WITHIN GROUP (ORDER BY seen_at, name) FROM planets"
    assert sky.reason(text % "'today', 'x'") == "date"
    assert sky.reason(text % "'2020-01-01', 'now'") == ""
    assert sky.statement(text % "$1, $2").date_parameters == (1,)


@pytest.mark.soundness("2.4")
def test_whether_a_row_belongs_to_a_partition_may_be_a_users_to_say(sky: Observatory) -> None:
    text = "SELECT satisfies_hash_partition(16400, 2, 0, id) FROM planets"
    assert sky.reason(text) == "function"
    assert sky.reach(text) == "unknown"
