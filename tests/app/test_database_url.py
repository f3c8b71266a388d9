"""An address that cannot work: which part it is, and nothing of what it holds."""

from __future__ import annotations

import pytest

from app.database_url import fault_of


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://planets:pw@localhost:5432/planets?schema=public",
        "postgres://planets@localhost/planets",
        "postgresql://planets:p%40%2F%23@db.example:6432/planets?sslmode=require&options=-c%20a%3Db",
        "postgresql://planets:pw@[::1]:5432/planets",
        "postgresql://planets:pw@/planets?host=/run/postgresql",
        "postgresql://localhost",
    ],
)
def test_what_can_be_an_address_has_no_fault(url: str) -> None:
    assert fault_of(url) is None


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (None, "it is not set"),
        ("", "it is not set"),
        ("CHANGE_ME", "it does not begin with postgresql://"),
        ('"postgresql://u:secret@h/d"', "it does not begin with postgresql://"),
        ("mysql://u:secret@h/d", "it does not begin with postgresql://"),
        ("postgresql://u:secret@h/d\n", "it holds white space"),
        ("postgresql://u:secret%zz@h/d", "it holds a '%'"),
        ("postgresql://u:sec#ret@h/d", "its user or password holds a character"),
        ("postgresql://u:sec/secret@h/d", "its user or password holds a character"),
        ("postgresql://u:sec@ret@h/d", "its user or password holds a character"),
        ("postgresql://u:sec?secret@h/d", "its port is not a number"),
        ("postgresql://u:secret@h:54x/d", "its port is not a number"),
        ("postgresql://u:secret@h:0/d", "its port is not a number"),
        ("postgresql://u:secret@h:65536/d", "its port is not a number"),
        ("postgresql://u:secret@h:/d", "its port is not a number"),
        ("postgresql://", "it names no host"),
        ("postgresql:///d", "it names no host"),
        ("postgresql://u:secret@[::1/d", "its host is no name"),
    ],
)
def test_a_fault_names_the_part_and_not_the_secret(url: str | None, part: str) -> None:
    fault = fault_of(url)
    assert fault is not None
    assert fault.startswith(part)
    assert "secret" not in fault
