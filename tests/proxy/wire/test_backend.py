"""backend: what is built is read back, and what the protocol does not allow is the origin's fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import OriginProtocolError
from proxy.wire import backend
from proxy.wire.framing import compose

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


columns = st.builds(
    backend.Column,
    name=texts,
    type_oid=st.integers(0, 2**32 - 1),
    size=st.integers(-2, 64),
    format=st.sampled_from([0, 1]),
    table=st.integers(0, 2**32 - 1),
    attribute=st.integers(-(2**15), 2**15 - 1),
    typmod=st.integers(-1, 99),
)


def test_every_kind_of_a_server_is_scanned() -> None:
    every = {
        value
        for name, value in vars(backend).items()
        if name.isupper() and isinstance(value, int) and value > 31
    } - {backend.IDLE, backend.IN_TRANSACTION, backend.FAILED}
    for kind in every:
        assert backend.scanner(100).scan(compose(kind, b"\0\0")) == [(kind, compose(kind, b"\0\0"), 1)]


@pytest.mark.parametrize("kind", [backend.DATA_ROW, backend.COPY_DATA, backend.FUNCTION_CALL_RESPONSE])
def test_what_may_be_huge_is_streamed(kind: int) -> None:
    assert backend.scanner(100).scan(compose(kind, bytes(500))[:50])[0][2] == 0


def test_a_kind_of_the_client_is_the_origin_s_fault() -> None:
    with pytest.raises(OriginProtocolError):
        backend.scanner(100).scan(compose(ord("Q"), b""))


def test_the_tag_and_the_status_are_peeked() -> None:
    assert backend.command_tag(backend.command_complete(b"SELECT 3")) == b"SELECT 3"
    for status, raw in backend.READY.items():
        assert backend.transaction_status(raw) == status


@pytest.mark.parametrize("maker", [backend.error_response, backend.notice_response])
def test_error_and_notice_fields_are_read_back(maker: Callable[..., bytes]) -> None:
    raw = maker("ERROR", "42P01", "relation does not exist", detail="d", hint="h")
    fields = {"S": "ERROR", "V": "ERROR", "C": "42P01", "M": "relation does not exist", "D": "d", "H": "h"}
    assert backend.error_fields(raw) == fields
    assert backend.sqlstate(raw) == "42P01"


def test_empty_fields_are_left_out() -> None:
    assert set(backend.error_fields(backend.error_response("FATAL", "28P01", "no"))) == set("SVCM")


def test_a_nul_in_a_message_does_not_end_its_field() -> None:
    assert backend.error_fields(backend.error_response("ERROR", "XX000", "a\0b"))["M"] == "a\ufffdb"


def test_error_fields_in_a_foreign_encoding_are_escaped() -> None:
    assert backend.error_fields(compose(ord("E"), b"C42P01\0Mf\xfcr\0\0")) == {"C": "42P01", "M": "f\\xfcr"}


def test_an_error_without_a_code_has_an_empty_sqlstate() -> None:
    assert not backend.sqlstate(compose(ord("E"), b"\0"))


@given(texts, texts)
def test_parameter_status_is_read_back(name: str, value: str) -> None:
    assert backend.read_parameter_status(backend.parameter_status(name, value)) == (name, value)


def test_parameter_status_in_a_foreign_encoding_loses_nothing() -> None:
    raw = compose(ord("S"), b"application_name\0f\xfcr\0")
    assert backend.parameter_status(*backend.read_parameter_status(raw)) == raw


@pytest.mark.parametrize("size", [4, 32, 256])
def test_backend_key_data_is_read_back(size: int) -> None:
    assert backend.read_backend_key_data(backend.backend_key_data(17, bytes(size))) == (17, bytes(size))


def test_a_notification_is_read_and_told_under_another_process_id() -> None:
    raw = compose(ord("A"), b"\0\0\0\7channel\0payload\0")
    assert backend.read_notification(raw) == (7, b"channel", b"payload")
    assert backend.read_notification(backend.with_notification_pid(raw, 99)) == (99, b"channel", b"payload")


@given(st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_parameter_description_is_read_back(types: list[int]) -> None:
    assert backend.read_parameter_description(backend.parameter_description(types)) == tuple(types)


@given(st.lists(columns, max_size=4))
def test_row_description_is_read_back(columns: list[backend.Column]) -> None:
    assert backend.read_row_description(backend.row_description(columns)) == columns


def test_a_data_row_holds_lengths_and_values_and_null() -> None:
    row = backend.data_row([b"1", None, b""])
    assert row == compose(ord("D"), b"\0\3\0\0\0\x011\xff\xff\xff\xff\0\0\0\0")


def test_authentication_is_read_back() -> None:
    raw = backend.authentication_sasl([b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"])
    code, data = backend.read_authentication(raw)
    assert (code, backend.sasl_mechanisms(data)) == (backend.SASL, (b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"))
    assert backend.read_authentication(backend.authentication_sasl_continue(b"r=x")) == (11, b"r=x")
    assert backend.read_authentication(backend.authentication_sasl_final(b"v=x")) == (12, b"v=x")
    assert backend.read_authentication(backend.authentication_md5_password(b"salt")) == (5, b"salt")
    assert backend.read_authentication(backend.AUTHENTICATION_OK_FRAME) == (0, b"")


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (backend.command_tag, b""),
        (backend.command_tag, b"SELECT 3"),
        (backend.transaction_status, b""),
        (backend.transaction_status, b"X"),
        (backend.transaction_status, b"II"),
        (backend.error_fields, b""),
        (backend.error_fields, b"C42P01"),
        (backend.read_parameter_status, b"name\0value"),
        (backend.read_parameter_status, b"name\0"),
        (backend.read_parameter_status, b"name\0value\0more\0"),
        (backend.read_backend_key_data, bytes(7)),
        (backend.read_backend_key_data, bytes(261)),
        (backend.read_notification, b"\0\0"),
        (backend.read_notification, b"\0\0\0\7channel\0"),
        (backend.read_parameter_description, b"\0"),
        (backend.read_parameter_description, b"\0\1\0\0\0"),
        (backend.read_row_description, b"\0\1name"),
        (backend.read_row_description, b"\0\1name\0\0\0\0"),
        (backend.read_row_description, b"\0\0more"),
        (backend.read_authentication, b"\0\0"),
    ],
)
def test_a_body_that_the_protocol_does_not_allow_is_the_origin_s_fault(
    reader: Callable[[bytes], object], body: bytes
) -> None:
    with pytest.raises(OriginProtocolError):
        reader(compose(ord("?"), body))


def test_a_list_of_mechanisms_needs_its_terminator() -> None:
    with pytest.raises(OriginProtocolError):
        backend.sasl_mechanisms(b"SCRAM-SHA-256\0")
