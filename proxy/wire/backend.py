"""What a server says: kinds, peeks into the origin's frames, and the messages that we compose ourselves.

Peeks take one whole frame of their own kind, header included, and raise ``OriginProtocolError`` for a body
that the protocol does not allow. Rows are never taken apart here: they pass as they came.
Source: PostgreSQL docs, protocol-message-formats; protocol-error-fields.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from proxy.errors import OriginProtocolError
from proxy.wire.framing import BACKEND, HEAD, HEADER, FrameScanner, compose, cstring, limits

AUTHENTICATION: Final = ord("R")
BACKEND_KEY_DATA: Final = ord("K")
BIND_COMPLETE: Final = ord("2")
CLOSE_COMPLETE: Final = ord("3")
COMMAND_COMPLETE: Final = ord("C")
COPY_BOTH_RESPONSE: Final = ord("W")
COPY_DATA: Final = ord("d")
COPY_DONE: Final = ord("c")
COPY_IN_RESPONSE: Final = ord("G")
COPY_OUT_RESPONSE: Final = ord("H")
DATA_ROW: Final = ord("D")
EMPTY_QUERY_RESPONSE: Final = ord("I")
ERROR_RESPONSE: Final = ord("E")
FUNCTION_CALL_RESPONSE: Final = ord("V")
NEGOTIATE_PROTOCOL_VERSION: Final = ord("v")
NO_DATA: Final = ord("n")
NOTICE_RESPONSE: Final = ord("N")
NOTIFICATION_RESPONSE: Final = ord("A")
PARAMETER_DESCRIPTION: Final = ord("t")
PARAMETER_STATUS: Final = ord("S")
PARSE_COMPLETE: Final = ord("1")
PORTAL_SUSPENDED: Final = ord("s")
READY_FOR_QUERY: Final = ord("Z")
ROW_DESCRIPTION: Final = ord("T")

# Transaction status of ReadyForQuery.
IDLE: Final = ord("I")
IN_TRANSACTION: Final = ord("T")
FAILED: Final = ord("E")

# What an Authentication message asks for.
AUTHENTICATION_OK: Final = 0
CLEARTEXT_PASSWORD: Final = 3
MD5_PASSWORD: Final = 5
SASL: Final = 10
SASL_CONTINUE: Final = 11
SASL_FINAL: Final = 12

AUTHENTICATION_OK_FRAME: Final = compose(AUTHENTICATION, b"\0\0\0\0")
BIND_COMPLETE_FRAME: Final = compose(BIND_COMPLETE, b"")
CLOSE_COMPLETE_FRAME: Final = compose(CLOSE_COMPLETE, b"")
EMPTY_QUERY_RESPONSE_FRAME: Final = compose(EMPTY_QUERY_RESPONSE, b"")
NO_DATA_FRAME: Final = compose(NO_DATA, b"")
PARSE_COMPLETE_FRAME: Final = compose(PARSE_COMPLETE, b"")
PORTAL_SUSPENDED_FRAME: Final = compose(PORTAL_SUSPENDED, b"")
READY_IDLE: Final = compose(READY_FOR_QUERY, b"I")
READY_IN_TRANSACTION: Final = compose(READY_FOR_QUERY, b"T")
READY_FAILED: Final = compose(READY_FOR_QUERY, b"E")
READY: Final = {IDLE: READY_IDLE, IN_TRANSACTION: READY_IN_TRANSACTION, FAILED: READY_FAILED}

# A large object read by FunctionCall may be as big as a row.
_STREAMED_KINDS: Final = bytes((DATA_ROW, COPY_DATA, FUNCTION_CALL_RESPONSE))
_WHOLE_KINDS: Final = b"123ACEGHIKNRSTWZcnstv"
_NUL: Final = b"\0"
_COUNT: Final = Struct(">H")
_INT32: Final = Struct(">i")
_COLUMN: Final = Struct(">IhIhih")


class Column(NamedTuple):
    """One column of RowDescription. ``size``: bytes, negative if variable; ``format``: 0 text, 1 binary."""

    name: str
    type_oid: int
    size: int = -1
    format: int = 0
    table: int = 0
    attribute: int = 0
    typmod: int = -1


class Notification(NamedTuple):
    """Of NotificationResponse. Channel and payload stay bytes: their encoding is the client's."""

    pid: int
    channel: bytes
    payload: bytes


def scanner(max_frame: int) -> FrameScanner:
    """Follow what the origin says: rows, CopyData and function results are streamed, others whole.

    ``max_frame`` (bytes) bounds those that are given back whole.
    """
    return FrameScanner(limits(max_frame, _WHOLE_KINDS, _STREAMED_KINDS), BACKEND)


def is_whole_answer(data: bytes, acknowledged: bytes, ready: bytes) -> bool:
    """Is this the answer to one statement that went well, and nothing else?

    [RowDescription or NoData] DataRow ... CommandComplete, each whole, behind what it has to begin with, such
    as BindComplete, and before this ReadyForQuery. Of what a frame says nothing is looked at but its kind and
    its end.
    """
    size = len(data) - len(ready)
    at = len(acknowledged)
    if not data.endswith(ready) or not data.startswith(acknowledged):
        return False
    if at < size and data[at] in (ROW_DESCRIPTION, NO_DATA):
        at = _next(data, at)
    while at < size and data[at] == DATA_ROW:
        at = _next(data, at)
    if at >= size or data[at] != COMMAND_COMPLETE or size - at <= HEADER:
        return False
    return _next(data, at) == size and not data[size - 1]


def _next(data: bytes, at: int) -> int:
    """Where the next frame begins; beyond the end where this one has no length that a frame can have."""
    if at + HEADER > len(data):
        return len(data)
    length = HEAD(data, at)[1]
    return at + 1 + length if length >= HEADER - 1 else len(data)


def command_tag(raw: bytes) -> bytes:
    """The tag of CommandComplete, such as ``SELECT 3``."""
    if raw[-1] or len(raw) == HEADER:
        raise OriginProtocolError("command tag without terminator")
    return raw[HEADER:-1]


def transaction_status(raw: bytes) -> int:
    """``IDLE``, ``IN_TRANSACTION`` or ``FAILED``, from ReadyForQuery."""
    if len(raw) != HEADER + 1 or raw[HEADER] not in READY:
        raise OriginProtocolError("transaction status is none of I, T and E")
    return raw[HEADER]


def error_fields(raw: bytes) -> dict[str, str]:
    """The fields of ErrorResponse or NoticeResponse by their one-letter code; what is no UTF-8 is escaped."""
    if raw[-1] or len(raw) == HEADER:
        raise OriginProtocolError("error fields without terminator")
    return {
        chr(field[0]): field[1:].decode("utf-8", "backslashreplace")
        for field in raw[HEADER:-1].split(_NUL)
        if field
    }


def sqlstate(raw: bytes) -> str:
    """The SQLSTATE of ErrorResponse or NoticeResponse; empty where it has none."""
    return error_fields(raw).get("C", "")


def read_parameter_status(raw: bytes) -> tuple[str, str]:
    """Name and value of ParameterStatus; bytes that are no UTF-8 become lone surrogates: nothing is lost."""
    name, value = _strings(raw, HEADER, 2)
    return name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")


def read_backend_key_data(raw: bytes) -> tuple[int, bytes]:
    """Process id and secret key (4 bytes, in protocol 3.2 up to 256) of BackendKeyData."""
    if not HEADER + 8 <= len(raw) <= HEADER + 4 + 256:
        raise OriginProtocolError("length of BackendKeyData is out of range")
    return _int32(raw, HEADER), raw[HEADER + 4 :]


def read_notification(raw: bytes) -> Notification:
    """What NotificationResponse carries."""
    pid = _int32(raw, HEADER)
    channel, payload = _strings(raw, HEADER + 4, 2)
    return Notification(pid, channel, payload)


def with_notification_pid(raw: bytes, pid: int) -> bytes:
    """The same NotificationResponse, told as sent by ``pid``."""
    return raw[:HEADER] + _INT32.pack(pid) + raw[HEADER + 4 :]


def read_parameter_description(raw: bytes) -> tuple[int, ...]:
    """Type oids of a prepared statement's parameters."""
    if len(raw) != HEADER + 2 + 4 * int.from_bytes(raw[HEADER : HEADER + 2], "big"):
        raise OriginProtocolError("length of ParameterDescription does not fit its count")
    return tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(HEADER + 2, len(raw), 4))


def read_row_description(raw: bytes) -> list[Column]:
    """The columns of RowDescription; bytes of names that are no UTF-8 become lone surrogates."""
    columns: list[Column] = []
    at = HEADER + 2
    try:
        for _ in range(int.from_bytes(raw[HEADER:at], "big")):
            end = raw.index(0, at)
            table, attribute, type_oid, size, typmod, code = _COLUMN.unpack_from(raw, end + 1)
            name = raw[at:end].decode("utf-8", "surrogateescape")
            columns.append(Column(name, type_oid, size, code, table, attribute, typmod))
            at = end + 1 + _COLUMN.size
    except (ValueError, struct.error):
        raise OriginProtocolError("row description ends early") from None
    _expect_end(raw, at)
    return columns


def read_authentication(raw: bytes) -> tuple[int, bytes]:
    """What the origin asks for (``SASL`` ...) and the data with it: salt, mechanisms or SASL message."""
    return _int32(raw, HEADER), raw[HEADER + 4 :]


def sasl_mechanisms(data: bytes) -> tuple[bytes, ...]:
    """The mechanism names in the data of an Authentication message that asks for ``SASL``."""
    if not data.endswith(_NUL + _NUL):
        raise OriginProtocolError("list of SASL mechanisms without terminator")
    return tuple(data[:-2].split(_NUL))


def authentication_md5_password(salt: bytes) -> bytes:
    """AuthenticationMD5Password. ``salt`` has 4 bytes."""
    return _authentication(MD5_PASSWORD, salt)


def authentication_sasl(mechanisms: Sequence[bytes]) -> bytes:
    """AuthenticationSASL: ``mechanisms`` in the server's order of preference."""
    return _authentication(SASL, _NUL.join((*mechanisms, _NUL)))


def authentication_sasl_continue(data: bytes) -> bytes:
    """AuthenticationSASLContinue."""
    return _authentication(SASL_CONTINUE, data)


def authentication_sasl_final(data: bytes) -> bytes:
    """AuthenticationSASLFinal."""
    return _authentication(SASL_FINAL, data)


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return compose(PARAMETER_STATUS, cstring(name) + cstring(value))


def backend_key_data(pid: int, secret: bytes) -> bytes:
    """BackendKeyData. ``secret`` has 4 bytes before protocol 3.2."""
    return compose(BACKEND_KEY_DATA, _INT32.pack(pid) + secret)


def error_response(severity: str, code: str, message: str, detail: str = "", hint: str = "") -> bytes:
    """ErrorResponse. ``severity``: ERROR, FATAL or PANIC; ``code``: SQLSTATE; empty fields are left out."""
    return compose(ERROR_RESPONSE, _fields(severity, code, message, detail, hint))


def notice_response(severity: str, code: str, message: str, detail: str = "", hint: str = "") -> bytes:
    """NoticeResponse. ``severity`` is WARNING, NOTICE, DEBUG, INFO or LOG."""
    return compose(NOTICE_RESPONSE, _fields(severity, code, message, detail, hint))


def command_complete(tag: bytes) -> bytes:
    """CommandComplete."""
    return compose(COMMAND_COMPLETE, tag + _NUL)


def row_description(columns: Sequence[Column]) -> bytes:
    """RowDescription."""
    return compose(ROW_DESCRIPTION, _COUNT.pack(len(columns)) + b"".join(map(_column, columns)))


def data_row(values: Sequence[bytes | None]) -> bytes:
    """DataRow. None is NULL."""
    return compose(DATA_ROW, _COUNT.pack(len(values)) + b"".join(map(_value, values)))


def parameter_description(types: Sequence[int]) -> bytes:
    """ParameterDescription: the type oid of each parameter."""
    return compose(
        PARAMETER_DESCRIPTION, _COUNT.pack(len(types)) + b"".join(oid.to_bytes(4, "big") for oid in types)
    )


def _authentication(code: int, data: bytes) -> bytes:
    return compose(AUTHENTICATION, _INT32.pack(code) + data)


def _fields(severity: str, code: str, message: str, detail: str, hint: str) -> bytes:
    pairs = (("S", severity), ("V", severity), ("C", code), ("M", message), ("D", detail), ("H", hint))
    # A message may quote what a peer sent; a NUL in it must not end the field.
    return b"".join(cstring(field + text.replace("\0", "\ufffd")) for field, text in pairs if text) + _NUL


def _column(column: Column) -> bytes:
    name, type_oid, size, code, table, attribute, typmod = column
    return cstring(name) + _COLUMN.pack(table, attribute, type_oid, size, typmod, code)


def _value(value: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if value is None else _INT32.pack(len(value)) + value


def _int32(raw: bytes, at: int) -> int:
    if len(raw) < at + 4:
        raise OriginProtocolError("message ends early")
    value: int = _INT32.unpack_from(raw, at)[0]
    return value


def _strings(raw: bytes, start: int, count: int) -> list[bytes]:
    """The ``count`` Strings that fill ``raw`` from ``start`` on."""
    strings = raw[start:].split(_NUL)
    if len(strings) != count + 1 or strings[-1]:
        raise OriginProtocolError(f"message does not hold {count} strings")
    return strings[:count]


def _expect_end(raw: bytes, end: int) -> None:
    if end != len(raw):
        raise OriginProtocolError("message is longer or shorter than its content")
