"""The text forms of option values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from proxy.option_types import Address, Bytes, ListenAddress, OptionalAddress, Patterns, Switch


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("17", 17), ("128MiB", 128 << 20), ("1 GiB", 1 << 30), ("2kib", 2048), ("9B", 9)],
)
def test_sizes_are_bytes_or_carry_a_binary_unit(text: str, size: int) -> None:
    assert TypeAdapter[int](Bytes).validate_python(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1MB", "-1", "1.5MiB", "1e6", "1 M", "1MiB2", "9" * 5000])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="expected a number of bytes"):
        TypeAdapter[int](Bytes).validate_python(text)


def test_addresses_are_read_and_printed_alike() -> None:
    reader = TypeAdapter[Address](ListenAddress)
    for text, address in [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:6432", ("::1", 6432)),
        ("db:1", ("db", 1)),
    ]:
        assert reader.validate_python(text) == address
        assert str(reader.validate_python(text)) == text


@pytest.mark.parametrize("text", ["", "6432", ":6432", "h:", "h:70000", "::1:6432", "h:six", "h:-1", "h:+1"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        TypeAdapter[Address](ListenAddress).validate_python(text)


def test_an_address_may_be_off_where_the_option_says_so() -> None:
    assert TypeAdapter[Address | None](OptionalAddress).validate_python("off") is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("db", False),
    ],
)
def test_only_loopback_is_loopback(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback


def test_switches_are_on_or_off() -> None:
    assert [TypeAdapter[bool](Switch).validate_python(text) for text in ("on", "OFF", "true", "0")] == [
        True,
        False,
        True,
        False,
    ]
    with pytest.raises(ValidationError, match="on or off"):
        TypeAdapter[bool](Switch).validate_python("maybe")


def test_patterns_name_a_schema_and_a_table() -> None:
    reader = TypeAdapter[tuple[str, ...]](Patterns)
    assert reader.validate_python("a.b, c.*") == ("a.b", "c.*")
    assert reader.validate_python(["a.b"]) == ("a.b",)
    with pytest.raises(ValidationError, match=r"schema\.table"):
        reader.validate_python("orders")


@given(st.text())
def test_any_text_is_read_or_refused_without_being_repeated(text: str) -> None:
    for kind in (Bytes, ListenAddress, Switch, Patterns):
        try:
            TypeAdapter[object](kind).validate_python(text)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            assert message.startswith("Value error, expected")
