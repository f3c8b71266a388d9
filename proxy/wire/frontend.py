"""What a client says: kinds, readers that peek no further than they must, builders for the origin.

Readers take one whole frame of their own kind, header included, and raise ``FrameError`` (08P01) in
PostgreSQL's words where its own reader would refuse the body. Names and texts stay bytes: their encoding is
the client's.
Source: PostgreSQL docs, protocol-message-formats; wording from its pqformat.c and postgres.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

from proxy.errors import MalformedMessage
from proxy.wire.framing import HEADER, FrameScanner, compose, limits

BIND: Final = ord("B")
CLOSE: Final = ord("C")
COPY_DATA: Final = ord("d")
COPY_DONE: Final = ord("c")
COPY_FAIL: Final = ord("f")
DESCRIBE: Final = ord("D")
EXECUTE: Final = ord("E")
FLUSH: Final = ord("H")
FUNCTION_CALL: Final = ord("F")
PARSE: Final = ord("P")
PASSWORD: Final = ord(
    "p"
)  # also SASLInitialResponse, SASLResponse and GSSResponse: the dialogue tells them apart
QUERY: Final = ord("Q")
SYNC: Final = ord("S")
TERMINATE: Final = ord("X")

# What Describe and Close speak of.
STATEMENT: Final[int] = ord("S")
PORTAL: Final[int] = ord("P")

SYNC_FRAME: Final = compose(SYNC, b"")
FLUSH_FRAME: Final = compose(FLUSH, b"")
TERMINATE_FRAME: Final = compose(TERMINATE, b"")
COPY_DONE_FRAME: Final = compose(COPY_DONE, b"")

# Bytes of the largest frame with at most a name in it: PQ_SMALL_MESSAGE_LIMIT of PostgreSQL's libpq.h + kind.
SMALL_MESSAGE: Final = 10_000 + 1
# Bytes of the largest frame in a login: PG_MAX_AUTH_TOKEN_LENGTH of PostgreSQL's auth.h + kind.
AUTHENTICATION_MESSAGE: Final = 65_535 + 1

_LARGE_KINDS: Final = bytes((BIND, FUNCTION_CALL, PARSE, QUERY))
_SMALL_KINDS: Final = bytes((CLOSE, COPY_DONE, COPY_FAIL, DESCRIBE, EXECUTE, FLUSH, SYNC, TERMINATE))
_NUL: Final = b"\0"
_COUNT: Final = Struct(">H")
_LENGTH: Final = Struct(">i")


def scanner(max_frame: int) -> FrameScanner:
    """Follow what a client says after its login: CopyData streams, the rest is whole, to ``max_frame``.

    CopyData is cut anew: where its boundaries are means nothing to the origin, and a COPY may fail, or its
    client end, in the middle of one. Source: PostgreSQL docs, protocol-flow, "COPY Operations".
    """
    table = limits(max_frame, _LARGE_KINDS, bytes((COPY_DATA,)))
    for kind in _SMALL_KINDS:
        table[kind] = min(SMALL_MESSAGE, max_frame)
    return FrameScanner(table, anew=True)


def read_query(raw: bytes) -> bytes:
    """The text of Query, without its NUL."""
    end = raw.find(_NUL, HEADER)
    if end != len(raw) - 1:
        raise MalformedMessage("invalid string in message" if end < 0 else "invalid message format")
    return raw[HEADER:end]


def read_parse(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Statement name, text, and the parameter type oids of Parse (four bytes each, as they travelled)."""
    name, text, rest = _two_strings(raw)
    _expect_length(rest, 2)
    _expect_end(rest, 2 + 4 * int.from_bytes(rest[:2], "big"))
    return name, text, rest[2:]


def read_bind(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Portal name, statement name, and all that follows them in Bind: formats, parameters, result formats.

    The rest is not looked at: ``bind_is_well_formed`` does, for whom it matters.
    """
    return _two_strings(raw)


def bind_is_well_formed(tail: bytes) -> bool:
    """Would PostgreSQL read all of ``tail`` (from ``read_bind``) and nothing beyond it?

    True also means: every format code is 0 or 1, and there are none, one, or one for each parameter. Whether
    the count of parameters fits the statement is not known here.
    """
    try:
        bind_parameters(tail)
    except MalformedMessage:
        return False
    return True


def bind_parameters(tail: bytes) -> list[tuple[int, bytes | None]]:
    """Format code (0 text, 1 binary) and bytes of each parameter; None is NULL. Raises ``MalformedMessage``
    unless ``bind_is_well_formed``.
    """
    codes, at = _read_formats(tail, 0)
    count, at = _read_count(tail, at)
    if len(codes) not in (0, 1, count):
        raise MalformedMessage("bind message has a wrong number of parameter formats")
    size = len(tail)
    parameters: list[tuple[int, bytes | None]] = []
    for number in range(count):
        start = at + 4
        _expect_length(tail, start)
        (length,) = _LENGTH.unpack_from(tail, at)
        at = start + max(length, 0)
        if length < -1 or at > size:
            raise MalformedMessage("insufficient data left in message")
        code = codes[number if len(codes) > 1 else 0] if codes else 0
        parameters.append((code, None if length < 0 else tail[start:at]))
    _, at = _read_formats(tail, at)
    _expect_end(tail, at)
    return parameters


def read_describe(raw: bytes) -> tuple[int, bytes]:
    """``STATEMENT`` or ``PORTAL``, and its name."""
    return _read_target(raw, "DESCRIBE")


def read_close(raw: bytes) -> tuple[int, bytes]:
    """``STATEMENT`` or ``PORTAL``, and its name."""
    return _read_target(raw, "CLOSE")


def read_execute(raw: bytes) -> tuple[bytes, int]:
    """Portal name, and the most rows that are wanted; zero or less: all of them."""
    portal, rest = _one_string(raw)
    _expect_end(rest, 4)
    return portal, int.from_bytes(rest, "big", signed=True)


def read_password(raw: bytes) -> bytes:
    """The password (clear text or md5 form) of PasswordMessage, without its NUL."""
    return read_query(raw)


def read_sasl_initial_response(raw: bytes) -> tuple[bytes, bytes]:
    """Mechanism name, and the client's first message (empty where it sent none)."""
    mechanism, rest = _one_string(raw)
    _expect_length(rest, 4)
    _expect_end(rest, 4 + max(int.from_bytes(rest[:4], "big", signed=True), 0))
    return mechanism, rest[4:]


def query(text: bytes) -> bytes:
    """Query. ``text`` holds no NUL."""
    return compose(QUERY, text + _NUL)


def parse(name: bytes, text: bytes, types: bytes = b"") -> bytes:
    """Parse. ``types``: parameter type oids, four bytes each."""
    return compose(PARSE, name + b"\0" + text + b"\0" + _COUNT.pack(len(types) // 4) + types)


def bind(portal: bytes, statement: bytes, tail: bytes = b"\0\0\0\0\0\0") -> bytes:
    """Bind. ``tail`` is as ``read_bind`` gives it; by default: no parameters, results as text."""
    return compose(BIND, portal + b"\0" + statement + b"\0" + tail)


def with_parameter(tail: bytes, number: int, value: bytes) -> bytes:
    """A well-formed ``tail`` with another value, in the same format, for parameter ``number`` (from 1)."""
    _, at = _read_formats(tail, 0)
    at += 2
    for _ in range(number - 1):
        at += 4 + max(_LENGTH.unpack_from(tail, at)[0], 0)
    rest = at + 4 + max(_LENGTH.unpack_from(tail, at)[0], 0)
    return tail[:at] + _LENGTH.pack(len(value)) + value + tail[rest:]


def bind_texts(values: Sequence[bytes | None]) -> bytes:
    """The tail of Bind for these parameters, all as text (None: NULL), with results as text."""
    sized = b"".join(
        _LENGTH.pack(-1) if value is None else _LENGTH.pack(len(value)) + value for value in values
    )
    return b"\0\0" + _COUNT.pack(len(values)) + sized + b"\0\0"


def describe(which: int, name: bytes) -> bytes:
    """Describe a ``STATEMENT`` or ``PORTAL``."""
    return compose(DESCRIBE, bytes((which,)) + name + b"\0")


def execute(portal: bytes, max_rows: int = 0) -> bytes:
    """Execute. ``max_rows`` 0: all of them."""
    return compose(EXECUTE, portal + b"\0" + _LENGTH.pack(max_rows))


def close(which: int, name: bytes) -> bytes:
    """Close a ``STATEMENT`` or ``PORTAL``."""
    return compose(CLOSE, bytes((which,)) + name + b"\0")


def copy_fail(reason: bytes) -> bytes:
    """CopyFail: the origin ends the COPY with an error that carries ``reason``."""
    return compose(COPY_FAIL, reason + b"\0")


def password(secret: bytes) -> bytes:
    """PasswordMessage. ``secret`` holds no NUL."""
    return compose(PASSWORD, secret + b"\0")


def sasl_initial_response(mechanism: bytes, data: bytes) -> bytes:
    """SASLInitialResponse: the chosen mechanism with the client's first message."""
    return compose(PASSWORD, mechanism + b"\0" + _LENGTH.pack(len(data)) + data)


def sasl_response(data: bytes) -> bytes:
    """SASLResponse: any later message of the client in that dialogue."""
    return compose(PASSWORD, data)


def _one_string(raw: bytes, start: int = HEADER) -> tuple[bytes, bytes]:
    """The String at ``start``, and what follows it."""
    try:
        first, rest = raw[start:].split(_NUL, 1)
    except ValueError:
        raise MalformedMessage("invalid string in message") from None
    return first, rest


def _two_strings(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """The two Strings that a message begins with, and what follows them."""
    try:
        first, second, rest = raw[HEADER:].split(_NUL, 2)
    except ValueError:
        raise MalformedMessage("invalid string in message") from None
    return first, second, rest


def _expect_length(rest: bytes, least: int) -> None:
    if len(rest) < least:
        raise MalformedMessage("insufficient data left in message")


def _expect_end(rest: bytes, end: int) -> None:
    if end != len(rest):
        raise MalformedMessage(
            "insufficient data left in message" if end > len(rest) else "invalid message format"
        )


def _read_target(raw: bytes, message: str) -> tuple[int, bytes]:
    if len(raw) == HEADER:
        raise MalformedMessage("no data left in message")
    name, rest = _one_string(raw, HEADER + 1)
    _expect_end(rest, 0)
    which = raw[HEADER]
    if which not in (STATEMENT, PORTAL):
        raise MalformedMessage(f"invalid {message} message subtype {which}")
    return which, name


def _read_count(tail: bytes, at: int) -> tuple[int, int]:
    _expect_length(tail, at + 2)
    count: int = _COUNT.unpack_from(tail, at)[0]
    return count, at + 2


def _read_formats(tail: bytes, at: int) -> tuple[bytes, int]:
    """The format codes that stand at ``at``, a byte each, and where they end."""
    count, at = _read_count(tail, at)
    if not count:
        return b"", at
    end = at + 2 * count
    codes = tail[at + 1 : end : 2]
    if len(codes) != count or any(tail[at:end:2]) or max(codes) > 1:
        raise MalformedMessage("unsupported format code")
    return codes, end
