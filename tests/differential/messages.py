"""Steps of a script: what one client sends before somebody else may speak, and how people read it."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final

from proxy.wire import frontend
from proxy.wire.framing import FrameSplitter, compose
from proxy.wire.trace import client_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_FRAME: Final = 1 << 24
_COUNT: Final = Struct(">H")
_LENGTH: Final = Struct(">i")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes sent in one go; then the client waits for ``count`` messages, each of a kind in ``until``."""

    frames: bytes
    until: bytes = b"Z"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """What ``client`` (its number) says. ``read``: it may be repeated, for it changes nothing.

    ``ordered``: the rows come in an order that the statement defines; else they are compared as multisets.
    """

    client: int
    parts: tuple[Part, ...]
    read: bool = False
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of Bind; ``oid`` 0 where its type follows from the text. ``code``: 0 text, 1 binary."""

    value: bytes | None
    oid: int = 0
    code: int = 0


def query(client: int, sql: str, *, read: bool = False, ordered: bool = True) -> Step:
    """A step in the simple protocol."""
    return Step(client, (Part(frontend.query(sql.encode())),), read, ordered)


def parse(name: str, sql: str, parameters: Sequence[Parameter] = ()) -> bytes:
    """Parse, with the types of ``parameters``; none are told where no type is known."""
    oids = [parameter.oid for parameter in parameters]
    types = b"".join(_LENGTH.pack(oid) for oid in oids) if any(oids) else b""
    return frontend.parse(name.encode(), sql.encode(), types)


def bind(
    portal: str, statement: str, parameters: Sequence[Parameter] = (), results: Sequence[int] = ()
) -> bytes:
    """Bind; ``results`` are format codes."""
    codes = [parameter.code for parameter in parameters]
    if not any(codes):
        codes = []
    values = b"".join(map(_value, (parameter.value for parameter in parameters)))
    tail = _codes(codes) + _COUNT.pack(len(parameters)) + values + _codes(results)
    return frontend.bind(portal.encode(), statement.encode(), tail)


def describe_portal(portal: str = "") -> bytes:
    """Describe of a portal."""
    return frontend.describe(frontend.PORTAL, portal.encode())


def describe_statement(name: str = "") -> bytes:
    """Describe of a statement."""
    return frontend.describe(frontend.STATEMENT, name.encode())


def close_statement(name: str) -> bytes:
    """Close of a statement."""
    return frontend.close(frontend.STATEMENT, name.encode())


def execute(portal: str = "", max_rows: int = 0) -> bytes:
    """Execute of a portal."""
    return frontend.execute(portal.encode(), max_rows)


def copy_data(data: bytes) -> bytes:
    """CopyData."""
    return compose(frontend.COPY_DATA, data)


def transcript(step: Step) -> list[str]:
    """The step as a person reads it, one message a line, texts in full."""
    return [
        f"client {step.client}: {_told(frame.kind, frame.raw)}"
        for part in step.parts
        for frame in FrameSplitter(_MAX_FRAME).feed(part.frames)
    ]


def _told(kind: int, raw: bytes) -> str:
    if kind == frontend.QUERY:
        return f"Query {frontend.read_query(raw).decode()}"
    if kind == frontend.PARSE:
        name, text, types = frontend.read_parse(raw)
        oids = [int.from_bytes(types[at : at + 4], "big") for at in range(0, len(types), 4)]
        return f'Parse "{name.decode()}" {text.decode()} types={oids}'
    if kind == frontend.BIND:
        portal, statement, tail = frontend.read_bind(raw)
        return f'Bind "{portal.decode()}" "{statement.decode()}" {frontend.bind_parameters(tail)}'
    if kind == frontend.COPY_DATA:
        return f"CopyData {raw[5:]!r}"
    return client_line(raw)


def _value(value: bytes | None) -> bytes:
    return _LENGTH.pack(-1) if value is None else _LENGTH.pack(len(value)) + value


def _codes(codes: Sequence[int]) -> bytes:
    return _COUNT.pack(len(codes)) + b"".join(map(_COUNT.pack, codes))
