"""Values in canonical form: what PostgreSQL's ``=`` takes for equal has one form here.

The reverse is not needed, and what is not plainly one value is ``Unclear``: only spellings that every version
reads alike are taken. Source: PostgreSQL docs, datatype-numeric, datatype-uuid, datatype-boolean; utils/adt,
the input and receive functions of each type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from proxy.sql.rows import Canonical

BOOL, INT8, INT2, INT4, TEXT, VARCHAR, UUID = 16, 20, 21, 23, 25, 1043, 2950

# Types that share one = : the integers by operators across them, varchar by being compared as text.
_INTEGERS: Final = frozenset({INT2, INT4, INT8})
_STRINGS: Final = frozenset({TEXT, VARCHAR})
FAMILIES: Final = (_INTEGERS, _STRINGS, frozenset({UUID}), frozenset({BOOL}))
KNOWN: Final = frozenset().union(*FAMILIES)

_INTEGER: Final = re.compile(rb"-?[0-9]{1,19}")
_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOOLEANS: Final = {b"t": 1, b"true": 1, b"f": 0, b"false": 0}
_TEXT_FORMAT: Final = 0


class Unclear(ValueError):
    """Nobody here can tell which value this is."""


def family(type_oid: int) -> frozenset[int]:
    """The types whose values are equal to some of this one's; empty for a type that this module leaves."""
    return next((kinds for kinds in FAMILIES if type_oid in kinds), frozenset())


def read(type_oid: int, code: int, raw: bytes | None) -> Canonical:
    """The value that Bind brings for a parameter of this type, in format ``code`` (0 text, 1 binary)."""
    if raw is None:
        return None
    readers = _TEXTS if code == _TEXT_FORMAT else _BINARIES
    reader = readers.get(type_oid)
    if reader is None:
        raise Unclear
    return reader(raw)


def _integer(text: bytes) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unclear
    return int(text)


def _big_endian(size: int) -> Callable[[bytes], int]:
    def reader(raw: bytes) -> int:
        if len(raw) != size:
            raise Unclear
        return int.from_bytes(raw, "big", signed=True)

    return reader


def _string(raw: bytes) -> bytes:
    # In ASCII every encoding that a client may speak says the same. A server's may fold other characters.
    if not raw.isascii():
        raise Unclear
    return raw


def _uuid_text(text: bytes) -> bytes:
    if not _UUID.fullmatch(text):
        raise Unclear
    return bytes.fromhex(text.decode().replace("-", ""))


def _uuid_bytes(raw: bytes) -> bytes:
    if len(raw) != 16:
        raise Unclear
    return raw


def _boolean_text(text: bytes) -> int:
    if text not in _BOOLEANS:
        raise Unclear
    return _BOOLEANS[text]


def _boolean_byte(raw: bytes) -> int:
    if raw not in (b"\0", b"\1"):
        raise Unclear
    return raw[0]


_Readers = dict[int, Callable[[bytes], Canonical]]
_TEXTS: Final[_Readers] = {
    INT2: _integer,
    INT4: _integer,
    INT8: _integer,
    TEXT: _string,
    VARCHAR: _string,
    UUID: _uuid_text,
    BOOL: _boolean_text,
}
_BINARIES: Final[_Readers] = {
    INT2: _big_endian(2),
    INT4: _big_endian(4),
    INT8: _big_endian(8),
    TEXT: _string,
    VARCHAR: _string,
    UUID: _uuid_bytes,
    BOOL: _boolean_byte,
}
