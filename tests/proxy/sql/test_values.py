"""values: one form for all that is equal, and nothing said of what is not plain."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.sql import values
from proxy.sql.values import BOOL, INT2, INT4, INT8, TEXT, VARCHAR, Unclear, family, read
from proxy.sql.values import UUID as UUID_OID

INTEGERS = (INT2, INT4, INT8)


@given(st.integers(-(1 << 15), (1 << 15) - 1))
def test_an_integer_is_one_value_in_every_width_and_format(number: int) -> None:
    texts = {read(kind, 0, str(number).encode()) for kind in INTEGERS}
    sizes = ((INT2, 2), (INT4, 4), (INT8, 8))
    binaries = {read(kind, 1, number.to_bytes(size, "big", signed=True)) for kind, size in sizes}
    assert texts == binaries == {number}


@pytest.mark.parametrize(("text", "value"), [(b"-0", 0), (b"007", 7), (b"-007", -7)])
def test_leading_zeros_and_the_sign_of_zero_make_no_other_value(text: bytes, value: int) -> None:
    assert read(INT4, 0, text) == value


@given(st.uuids(), st.booleans())
def test_a_uuid_is_one_value_in_either_case_and_format(one: UUID, upper: bool) -> None:
    text = str(one).upper() if upper else str(one)
    assert read(UUID_OID, 0, text.encode()) == read(UUID_OID, 1, one.bytes) == one.bytes


@given(st.text(st.characters(min_codepoint=1, max_codepoint=127)))
def test_a_string_of_ascii_is_itself(text: str) -> None:
    assert {read(kind, code, text.encode()) for kind in (TEXT, VARCHAR) for code in (0, 1)} == {text.encode()}


def test_a_boolean_is_one_value_in_every_plain_spelling() -> None:
    assert {read(BOOL, 0, b"t"), read(BOOL, 0, b"true"), read(BOOL, 1, b"\1")} == {1}
    assert {read(BOOL, 0, b"f"), read(BOOL, 0, b"false"), read(BOOL, 1, b"\0")} == {0}


def test_null_is_null_whatever_its_type() -> None:
    assert read(INT4, 1, None) is None


@pytest.mark.parametrize(
    ("kind", "code", "raw"),
    [
        (INT4, 0, b" 1"),
        (INT4, 0, b"+1"),
        (INT4, 0, b"0x1F"),
        (INT4, 0, b"1_000"),
        (INT4, 0, b"1.0"),
        (INT4, 0, b""),
        (INT4, 0, b"1\n"),
        (INT4, 0, b"9" * 20),
        (INT4, 1, b"\0\1"),
        (TEXT, 0, "é".encode()),
        (TEXT, 1, b"\xe9"),
        (UUID_OID, 0, b"{0f0e0d0c-0b0a-0908-0706-050403020100}"),
        (UUID_OID, 0, b"0f0e0d0c0b0a09080706050403020100"),
        (UUID_OID, 1, b"\0" * 15),
        (BOOL, 0, b"yes"),
        (BOOL, 0, b"T"),
        (BOOL, 1, b"\2"),
        (1700, 0, b"1"),
        (1042, 0, b"a"),
        (701, 1, b"\0" * 8),
        (0, 0, b"1"),
    ],
)
def test_what_is_not_plainly_one_value_is_unclear(kind: int, code: int, raw: bytes) -> None:
    with pytest.raises(Unclear):
        read(kind, code, raw)


def test_types_that_share_an_equality_are_a_family() -> None:
    assert family(INT2) == {INT2, INT4, INT8}
    assert family(VARCHAR) == {TEXT, VARCHAR}
    assert family(1700) == frozenset()
    assert all(kind in family(kind) for kind in values.KNOWN)
