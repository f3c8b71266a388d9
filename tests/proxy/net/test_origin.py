"""net.origin: which sessions at the origin are what its URL asks for."""

from __future__ import annotations

import pytest

from proxy.net.origin import suits

PRIMARY = {"in_hot_standby": "off", "default_transaction_read_only": "off"}
READ_ONLY = {**PRIMARY, "default_transaction_read_only": "on"}
STANDBY = {**PRIMARY, "in_hot_standby": "on"}


@pytest.mark.parametrize(
    ("wanted", "primary", "read_only", "standby"),
    [
        ("any", True, True, True),
        ("prefer-standby", True, True, True),
        ("read-write", True, False, False),
        ("primary", True, True, False),
        ("read-only", False, True, True),
        ("standby", False, False, True),
    ],
)
def test_a_session_is_what_the_url_asks_for(
    wanted: str, primary: bool, read_only: bool, standby: bool
) -> None:
    found = tuple(suits(wanted, reported) for reported in (PRIMARY, READ_ONLY, STANDBY))
    assert found == (primary, read_only, standby)


@pytest.mark.parametrize("wanted", ["read-write", "primary", "read-only", "standby"])
def test_what_a_pooler_keeps_back_is_not_taken_for_granted(wanted: str) -> None:
    assert not suits(wanted, {})
