"""session.formats: the formats at the end of a Bind, for each column."""

from __future__ import annotations

import pytest

from proxy.session.formats import result_formats


@pytest.mark.parametrize(
    ("tail", "formats"),
    [
        (b"", [0, 0]),
        (b"\0\0\0\0\0\0", [0, 0]),
        (b"\0\0\0\0\0\1\0\1", [1, 1]),
        (b"\0\0\0\0\0\2\0\0\0\1", [0, 1]),
        (b"\0\1\0\0\0\0\0\1\0\1", [1, 1]),
        (b"\0\0\0\0\0\3\0\1\0\1\0\1", [0, 0]),
    ],
    ids=["simple", "none", "one for all", "one each", "parameter formats", "wrong count"],
)
def test_result_formats(tail: bytes, formats: list[int]) -> None:
    assert result_formats(tail, 2) == formats
