"""What SET and its kin do to settings, role and isolation."""

from __future__ import annotations

import pytest

from proxy.sql.analysis import (
    Control,
    DiscardAll,
    Doubt,
    ResetAll,
    ResetSetting,
    SetRole,
    SetSetting,
    StateChange,
    Transaction,
)
from proxy.sql.settings import quote_identifier
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("SET timezone = 'UTC'", SetSetting("timezone", "UTC")),
        ("SET TIME ZONE 'Europe/Berlin'", SetSetting("timezone", "Europe/Berlin")),
        ("SET TIME ZONE INTERVAL '1' HOUR", SetSetting("timezone", None)),
        ("SET TIME ZONE LOCAL", ResetSetting("timezone")),
        ("SET NAMES 'latin1'", SetSetting("client_encoding", "latin1")),
        ("SET Search_Path TO a, \"B c\", 'd'", SetSetting("search_path", 'a, "B c", d')),
        ("SET LOCAL search_path = ''", SetSetting("search_path", '""', local=True)),
        ("SET datestyle = iso, dmy", SetSetting("datestyle", "iso, dmy")),
        ("SET extra_float_digits = -3", SetSetting("extra_float_digits", "-3")),
        ("SET app.tenant = 7", SetSetting("app.tenant", "7")),
        ("SET orrery.cache = off", SetSetting("orrery.cache", "off")),
        ("SET x TO DEFAULT", ResetSetting("x")),
        ("RESET x", ResetSetting("x")),
        ("RESET ALL", ResetAll()),
        ("DISCARD ALL", DiscardAll()),
        ("SET ROLE bob", SetRole("bob")),
        ("SET LOCAL ROLE 'bob'", SetRole("bob", local=True)),
        ("SET ROLE NONE", SetRole(None)),
        ("RESET ROLE", SetRole(None)),
        ("SET SESSION AUTHORIZATION bob", Doubt()),
        ("RESET SESSION AUTHORIZATION", Doubt()),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            SetSetting("default_transaction_isolation", "serializable"),
        ),
        ("SELECT set_config('TimeZone', 'UTC', true)", SetSetting("timezone", "UTC", local=True)),
        ("SELECT pg_catalog.set_config('search_path', '', false)", SetSetting("search_path", "")),
        ("SELECT set_config('orrery.cache', 'off', false)", SetSetting("orrery.cache", "off")),
        ("SELECT set_config('role', $1, true)", SetRole(None, local=True, parameter=1)),
        ("SELECT set_config('app.x', $2::text, false)", SetSetting("app.x", None, parameter=2)),
        ("SELECT set_config('x', NULL, false)", ResetSetting("x")),
        ("SELECT set_config('session_authorization', 'bob', false)", Doubt()),
        ("SELECT set_config($1, 'x', false)", Doubt()),
        ("SELECT set_config('x', 'y', $1)", Doubt()),
        ("SELECT set_config('x', name, false) FROM moons", Doubt()),
        ("SELECT coalesce(set_config('x', 'y', false), 'z')", Doubt()),
        ("SELECT 1 WHERE set_config('x', 'y', false) = 'y'", Doubt()),
    ],
)
def test_a_change_of_state_is_told(sky: Observatory, text: str, change: StateChange) -> None:
    statement = sky.statement(text)
    assert statement.state == (change,)
    assert sky.reach(text) == "nothing"


def test_set_config_calls_keep_their_order(sky: Observatory) -> None:
    text = "SELECT set_config('role', 'web', true), set_config('request.claims', '{}', true)"
    assert sky.statement(text).state == (
        SetRole("web", local=True),
        SetSetting("request.claims", "{}", local=True),
    )


@pytest.mark.soundness("4.1")
@pytest.mark.parametrize(
    ("text", "transaction"),
    [
        (
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            Transaction(Control.SET_TRANSACTION, "read committed"),
        ),
        ("SET transaction_isolation = 'serializable'", Transaction(Control.SET_TRANSACTION, "serializable")),
        ("SET TRANSACTION SNAPSHOT '1'", Transaction(Control.SET_TRANSACTION)),
        ("SET TRANSACTION READ ONLY", Transaction(Control.SET_TRANSACTION)),
    ],
)
def test_isolation_is_told_in_every_spelling(sky: Observatory, text: str, transaction: Transaction) -> None:
    assert sky.statement(text).transaction == transaction


def test_discard_all_releases_locks(sky: Observatory) -> None:
    assert sky.statement("DISCARD ALL").releases_locks
    assert sky.statement("DISCARD PLANS").state == ()


@pytest.mark.parametrize("path", ['a, "B c", select', '"$user", public', '"Ä", x1, "1x", values, name'])
def test_the_value_of_a_list_is_the_one_that_postgresql_stores(
    sky: Observatory, ground: Origin, path: str
) -> None:
    names = [part.strip().strip('"') for part in path.split(",")]
    statement = f"SET search_path = {', '.join(quote_identifier(name) for name in names)}"
    (change,) = sky.statement(statement).state
    assert isinstance(change, SetSetting)
    rows = ground.execute(f"{statement}; SHOW search_path")
    assert rows == [(change.value,)]
