"""Texts that would overflow the stack are told before they are parsed."""

from __future__ import annotations

import pytest

from proxy.sql.memo import Memo
from proxy.sql.nesting import MAX_DEPTH, is_too_deep

_CHAINS = {
    "operators": "SELECT " + "1+" * 45_000 + "1",
    "unions": "SELECT 1 " + "UNION SELECT 1 " * 6_000,
    "joins": "SELECT * FROM a " + "JOIN b ON true " * 6_000,
    "casts": "SELECT 1" + "::int" * 19_000,
    "tests": "SELECT 1" + " IS NULL" * 12_000,
    "within brackets": "SELECT (1, " + "1+" * 45_000 + "1)",
    "within CASE": "SELECT CASE WHEN a AND b THEN " + "1+" * 40_000 + "1 END",
    "unreadable": "SELECT '" + "1" * 3 * MAX_DEPTH,
}


@pytest.mark.parametrize("name", _CHAINS)
def test_a_long_chain_is_too_deep(name: str) -> None:
    assert is_too_deep(_CHAINS[name])
    assert Memo().parse(_CHAINS[name]).failure in {"size", "unparsable"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT * FROM t WHERE id IN (" + "1," * 20_000 + "1)",
        "INSERT INTO t VALUES " + ",".join("(1, 'a', now())" for _ in range(5_000)),
        "SELECT * FROM t WHERE " + " OR ".join("(a = 1 AND b = 2)" for _ in range(4_000)),
        "SELECT " + ", ".join(f"column_{number} + 1" for number in range(3_000)) + " FROM t",
    ],
)
def test_a_long_list_is_not_deep(text: str) -> None:
    assert not is_too_deep(text)
    assert Memo().parse(text).statements
