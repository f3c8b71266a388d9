"""The reader of our own statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.sql.commands import MAX_BYTES, Command, Purge, Refused, ResetCache, SetCache, Show, Why, read


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b"SHOW orrery.last", Show("last")),
        (b"  show ORRERY.Status ;  ", Show("status")),
        (b"/* psql */ SHOW orrery.stats -- x", Show("stats")),
        (b"SHOW orrery.queries;", Show("queries")),
        (b"SHOW orrery.why 'SELECT ''a'''", Why("SELECT 'a'")),
        (b"SHOW orrery.why $q$SELECT 'a'$q$;", Why("SELECT 'a'")),
        (b"SET orrery.cache = off", SetCache(on=False)),
        (b"SET SESSION orrery.cache TO 'on';", SetCache(on=True)),
        (b"set local orrery.cache=OFF", SetCache(on=False, local=True)),
        (b"SET orrery.cache TO DEFAULT", ResetCache()),
        (b"RESET orrery.cache", ResetCache()),
        (b"ORRERY PURGE", Purge()),
        (b"orrery purge table planets;", Purge(("planets",))),
        (b'ORRERY PURGE TABLE Public . "My ""Planet"""', Purge(("public", 'My "Planet"'))),
    ],
)
def test_what_is_ours_is_read(text: bytes, command: Command) -> None:
    assert read(text) == command


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SELECT 1",
        b"SHOW search_path",
        b"SET search_path = orrery",
        b"SHOW orrery",
        b"SET orrerys.cache = on",
        b"RESET ALL",
        b"ORRERYS PURGE",
        b"SHOW " + b" " * MAX_BYTES + b"orrery.last",
        b"-- SHOW orrery.last",
        b"/* /* */ SHOW orrery.last",
    ],
)
def test_what_is_not_ours_is_left_alone(text: bytes) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [
        (b"SHOW orrery.nonsense", "42704"),
        (b"SET orrery.nonsense = 1", "42704"),
        (b"SET orrery.cache = maybe", "22023"),
        (b"SET orrery.cache", "42601"),
        (b"SHOW orrery.last; SELECT 1", "42601"),
        (b"SHOW orrery.why", "42704"),
        (b"ORRERY PURGE EVERYTHING", "42601"),
        (b"ORRERY", "42601"),
    ],
)
def test_what_is_ours_and_senseless_is_refused_in_postgresqls_words(text: bytes, sqlstate: str) -> None:
    refused = read(text)
    assert isinstance(refused, Refused)
    assert refused.sqlstate == sqlstate


def test_an_unknown_topic_is_named_as_postgresql_names_it() -> None:
    assert read(b"SHOW orrery.nonsense") == Refused(
        'unrecognized configuration parameter "orrery.nonsense"', "42704"
    )


@pytest.mark.parametrize(
    "begin", [b"SHOW orrery.last", b"SHOW orrery.why 'a'", b"SET orrery.cache = on", b"ORRERY PURGE TABLE a"]
)
@pytest.mark.parametrize("blank", [b" ", b"--\n", b"/**/"])
def test_a_long_run_of_blanks_is_read_once(begin: bytes, blank: bytes) -> None:
    """Tried again from each of its bytes, it would take a quarter of an hour."""
    assert isinstance(read(begin + blank * (99_000 // len(blank)) + b"!"), Refused)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_an_exception(text: bytes) -> None:
    read(text)
    read(b"SHOW orrery." + text)
    read(b"ORRERY PURGE TABLE " + text)
