"""``--local-ping``: what drivers send to see whether a
connection lives, answered while the origin surely does.
"""

from __future__ import annotations

from typing import Final

from proxy.session.formats import result_formats
from proxy.wire import backend
from proxy.wire.backend import Column

_INT4: Final = 23
_MAX_BYTES: Final = 64  # a ping is short; longer texts are not looked at


def is_ping(text: bytes) -> bool:
    """``SELECT 1``, or nothing at all."""
    if len(text) > _MAX_BYTES:
        return False
    return text.strip(b" \t\r\n\f\v;").lower() in (b"", b"select 1")


def answer(text: bytes, tail: bytes, *, described: bool) -> bytes:
    """The frames that PostgreSQL would answer to a ping, without Parse/BindComplete and ReadyForQuery.

    ``tail``: of Bind, b"" for a simple query; ``described``: a row description was asked for.
    """
    if b"1" not in text:
        return (backend.NO_DATA_FRAME if described and tail else b"") + backend.EMPTY_QUERY_RESPONSE_FRAME
    code = result_formats(tail, 1)[0]
    row = b"\0\0\0\1" if code else b"1"
    shape = backend.row_description([Column("?column?", _INT4, 4, code)]) if described else b""
    return shape + backend.data_row([row]) + backend.command_complete(b"SELECT 1")
