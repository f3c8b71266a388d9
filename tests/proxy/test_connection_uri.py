"""Reading a postgresql:// URL."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import connection_uri
from proxy.errors import ConfigurationError

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def test_every_part_is_read_and_decoded() -> None:
    scheme, parameters = connection_uri.read(
        "postgres://ann%40x:p%2Fw@db.example:6000/my%20db?sslmode=require&a=b+c"
    )
    assert scheme == "postgres"
    assert parameters == {
        "user": "ann@x",
        "password": "p/w",
        "host": "db.example",
        "port": "6000",
        "dbname": "my db",
        "sslmode": "require",
        "a": "b+c",
    }


def test_a_question_mark_in_the_password_is_ordinary() -> None:
    assert connection_uri.read("postgresql://u:a?b@h/d")[1]["password"] == "a?b"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert connection_uri.read("postgresql://[::1]:5433/d")[1] == {
        "host": "::1",
        "port": "5433",
        "dbname": "d",
    }


def test_a_url_may_be_almost_empty() -> None:
    assert connection_uri.read("postgresql://")[1] == {}
    assert connection_uri.read("postgresql:///d?host=/run/postgresql")[1] == {
        "dbname": "d",
        "host": "/run/postgresql",
    }


def test_a_parameter_wins_over_the_same_part_of_the_authority() -> None:
    assert connection_uri.read("postgresql://u@h/d?user=v")[1]["user"] == "v"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u:secret@h/d",
        "u:secret@h/d",
        "postgresql://u:secret@x@h/d",
        "postgresql://u:secret%2@h/d",
        "postgresql://u:secret%zz@h/d",
        "postgresql://u:secret%00@h/d",
        "postgresql://u:secret%ff@h/d",
        "postgresql://u:secret\udcff@h/d",
        "postgresql://u:secret%41\udcff@h/d",
        "postgresql://u:secret%+1@h/d",
        "postgresql://u:secret@[::1/d",
        "postgresql://u:secret@h/d?sslmode",
        "postgresql://u:secret@h/d?=x",
    ],
)
def test_what_cannot_be_read_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connection_uri.read(text)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


@given(_TEXT, _TEXT, _TEXT)
def test_what_was_quoted_comes_back(user: str, password: str, database: str) -> None:
    text = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h/{quote(database, safe='')}"
    parameters = connection_uri.read(text)[1]
    assert (parameters["user"], parameters["password"], parameters["dbname"]) == (user, password, database)


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else_is_raised(text: str) -> None:
    with suppress(ConfigurationError):
        assert connection_uri.read("postgresql://" + text)[0] == "postgresql"
