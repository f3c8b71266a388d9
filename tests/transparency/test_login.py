"""Logins: who is let in, who is refused, and every word of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from tests.postgres import PASSWORD, SUPERUSER
from tests.transparency.guest import Guest, startup, told

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

DATABASE: Final = "{database}"
_VERSION_3_2: Final = (3 << 16) + 2


def logins(
    sides: Sides,
    parameters: Mapping[str, str],
    password: str = PASSWORD,
    version: int = 3 << 16,
) -> tuple[list[str], list[str]]:
    """What each side says to one login; ``{database}`` stands for its own database."""
    heard = []
    for url in (sides.direct, sides.proxied):
        parts = urlsplit(url)
        database = parts.path.lstrip("/")
        assert parts.port is not None
        own = {name: value.replace(DATABASE, database) for name, value in parameters.items()}
        with Guest(parts.port) as guest:
            guest.log_in(startup(own, version), own.get("user", ""), password)
            heard.append([line.replace(database, DATABASE) for line in told(guest.heard)])
    return heard[0], heard[1]


def expect_equal(
    sides: Sides, parameters: Mapping[str, str], password: str = PASSWORD, version: int = 3 << 16
) -> list[str]:
    """The same login twice on both sides: the second needs no connection to the origin."""
    for _ in range(2):
        direct, proxied = logins(sides, parameters, password, version)
        assert proxied == direct
    return direct


USER: Final = {"user": SUPERUSER, "database": DATABASE}


@pytest.mark.parametrize(
    "further",
    [
        {},
        {"application_name": "seen"},
        {"application_name": "with\ttab and é"},
        {"application_name": "x" * 100},
        {"client_encoding": "LATIN1"},
        {"client_encoding": "'utf-8'"},
        {"DateStyle": "German"},
        {"datestyle": "SQL, DMY", "TimeZone": "Asia/Tokyo"},
        {"options": "-c timezone=Asia/Tokyo -c datestyle=German"},
        {"options": "--intervalstyle=iso_8601"},
        {"options": "-c default_transaction_read_only=on"},
        {"options": "-c standard_conforming_strings=off"},
        {"options": "-c role=reader"},
        {"options": "-c app.user=7"},
        {"options": "-c search_path=lab"},
        {"options": ""},
        {"extra_float_digits": "3", "geqo": "off"},
        {"replication": "false"},
    ],
    ids=str,
)
def test_what_a_login_is_told_of_its_settings(sides: Sides, further: Mapping[str, str]) -> None:
    expect_equal(sides, {**USER, **further})


@pytest.mark.parametrize(
    "further",
    [
        {"options": "-c nosuch=1"},
        {"nosuch": "1"},
        {"is_superuser": "off"},
        {"options": "-c\\ timezone=Asia/Tokyo"},
        {"options": "-c timezone=No/Where"},
        {"options": "-c work_mem=lots"},
        {"options": "-c"},
        {"options": "-x"},
        {"options": "nonsense"},
        {"options": "-c max_connections=5"},
        {"options": "-c fsync=off"},
        {"options": "-c role=nobody_at_all"},
        {"options": "-c session_authorization=nobody_at_all"},
        {"client_encoding": "nosuch"},
        {"client_encoding": "MULE_INTERNAL"},
        {"database": "nowhere"},
        {"database": "x" * 100},
        {"database": "postgres\N{COMET}"},
    ],
    ids=str,
)
def test_a_login_with_wrong_parameters_is_refused_in_the_same_words(
    sides: Sides, further: Mapping[str, str]
) -> None:
    refused = expect_equal(sides, {**USER, **further})
    assert refused[-1].startswith("error")


@pytest.mark.parametrize("version", [_VERSION_3_2, (3 << 16) + 9999, (4 << 16), 0])
def test_other_versions_of_the_protocol(sides: Sides, version: int) -> None:
    expect_equal(sides, USER, version=version)


def test_options_of_the_protocol_that_nobody_knows(sides: Sides) -> None:
    expect_equal(sides, USER | {"_pq_.nosuch": "1", "_pq_.other": ""})
    expect_equal(sides, USER | {"_pq_.nosuch": "1"}, version=_VERSION_3_2)


@pytest.mark.parametrize("parameters", [{"database": DATABASE}, {"user": "", "database": DATABASE}])
def test_a_login_without_a_user(sides: Sides, parameters: Mapping[str, str]) -> None:
    expect_equal(sides, parameters)


def test_a_login_without_a_database_means_that_of_the_users_name(sides: Sides) -> None:
    expect_equal(sides, {"user": SUPERUSER})


@pytest.mark.parametrize(("user", "password"), [(SUPERUSER, "wrong"), ("nobody_at_all", "x")])
def test_who_cannot_prove_a_password_is_refused(sides: Sides, user: str, password: str) -> None:
    direct, proxied = logins(sides, {"user": user, "database": DATABASE}, password)
    assert without_salt(proxied) == without_salt(direct)


def test_a_password_whose_time_is_over_is_refused_like_a_wrong_one(sides: Sides, role: str) -> None:
    with sides.pairs(1) as (pair,):
        sides.tell(pair.proxied, "ALTER ROLE guest VALID UNTIL '2000-01-01'")
    direct, proxied = logins(sides, {"user": role, "database": DATABASE})
    assert without_salt(proxied) == without_salt(direct)


def without_salt(lines: list[str]) -> list[str]:
    """A salt that no role has is made up, by each side its own."""
    return [line for line in lines if not line.startswith("SASL continue")]


@pytest.fixture
def role(sides: Sides) -> Generator[str]:
    """A role of the test's own; both databases are of one server."""
    with sides.pairs(1) as (pair,):
        sides.tell(pair.proxied, f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
        yield "guest"
        for voice in pair:
            sides.tell(voice, "DROP OWNED BY guest")
        sides.tell(pair.proxied, "DROP ROLE guest")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER ROLE guest NOLOGIN",
        "ALTER ROLE guest PASSWORD 'another'",
        "ALTER ROLE guest CONNECTION LIMIT 0",
        "REVOKE CONNECT ON DATABASE {database} FROM PUBLIC",
        "ALTER DATABASE {database} CONNECTION LIMIT 0",
    ],
)
def test_a_role_that_may_not_log_in_is_refused_in_the_same_words(
    sides: Sides, role: str, change: str
) -> None:
    login = {"user": role, "database": DATABASE}
    expect_equal(sides, login)
    with sides.pairs(1) as (pair,):
        sides.tell_both(pair, change)
        try:
            refused = expect_equal(sides, login)
            assert refused[-1].startswith("error")
        finally:
            sides.tell_both(pair, "GRANT CONNECT ON DATABASE {database} TO PUBLIC")
            sides.tell_both(pair, "ALTER DATABASE {database} CONNECTION LIMIT -1")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER ROLE guest SET timezone = 'Asia/Tokyo'",
        "ALTER ROLE guest IN DATABASE {database} SET datestyle = 'German'",
        "ALTER DATABASE {database} SET intervalstyle = 'iso_8601'",
        "ALTER ROLE guest SET default_transaction_read_only = on",
        "ALTER ROLE guest SET role = 'nobody_at_all'",
        "ALTER ROLE guest SET default_text_search_config = 'nosuch'",
        "ALTER ROLE guest SET default_tablespace = 'nosuch'",
    ],
)
def test_settings_of_a_role_and_of_a_database(sides: Sides, role: str, change: str) -> None:
    login = {"user": role, "database": DATABASE}
    expect_equal(sides, login)
    with sides.pairs(1) as (pair,):
        sides.tell_both(pair, change)
        try:
            expect_equal(sides, login)
        finally:
            sides.tell_both(pair, "ALTER ROLE guest RESET ALL")
            sides.tell_both(pair, "ALTER ROLE guest IN DATABASE {database} RESET ALL")
            sides.tell_both(pair, "ALTER DATABASE {database} RESET ALL")
