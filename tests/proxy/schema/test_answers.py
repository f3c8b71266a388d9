"""Tests of the border between JSON and rows."""

from __future__ import annotations

from proxy.schema.answers import decode


def test_rows_come_as_the_origin_wrote_them() -> None:
    rows = decode(
        '{"server_version": 160014, "relations": [[1, 2, "planet", "r", "p", 10, false, null, true]]}'
    )
    assert rows["server_version"] == 160014
    (row,) = rows["relations"]
    assert [*row] == [1, 2, "planet", "r", "p", 10, False, None, True]
