"""Templates show a statement and none of its values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.sql.template import MAX_CHARACTERS, template


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select  *\nfrom t -- note\nwhere a = 'x' and b=3", "select * from t where a = $1 and b = $2"),
        ("SELECT $1, 2.5, B'1', E'\\n', U&'x', $$secret$$", "SELECT $1, $2, $3, $4, $5, $6"),
        ('SELECT a.b, f(x)[1] /* é */ FROM "tü"', 'SELECT a.b, f (x) [$1] FROM "tü"'),
        ("", ""),
    ],
)
def test_values_and_comments_vanish(text: str, shown: str) -> None:
    assert template(text) == shown


def test_like_statements_share_a_template() -> None:
    assert template("SELECT 1 FROM t WHERE n='a'") == template("SELECT  22 FROM t WHERE n = 'bb' -- x")


def test_an_unreadable_text_shows_its_length_alone() -> None:
    assert template("SELECT 'secret") == "(unreadable statement of 14 characters)"


def test_a_huge_text_shows_its_length_alone_and_a_long_one_is_cut() -> None:
    assert template("SELECT " + "a, " * 20_000) == "(statement of 60007 characters)"
    assert len(template("SELECT " + "column_name, " * 1_000 + "x")) == MAX_CHARACTERS


@pytest.mark.soundness("7.4")
@given(st.text(alphabet="abc'\"\\$ é-/*1.", max_size=30))
def test_a_value_never_shows(value: str) -> None:
    quoted = value.replace("'", "''")
    shown = template(f"SELECT 1 WHERE x = 'secret{quoted}'")
    assert "secret" not in shown
