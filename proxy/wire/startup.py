"""The packets without a kind byte: StartupMessage, SSLRequest, GSSENCRequest and CancelRequest.

Whoever opens a connection begins with one of them. Rules and wording are those of PostgreSQL's postmaster.c,
ProcessStartupPacket. Source: PostgreSQL docs, protocol-message-formats; protocol-flow, "Start-up".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

from proxy.errors import AuthorizationRefused, FrameError, UnsupportedFeature
from proxy.wire.backend import NEGOTIATE_PROTOCOL_VERSION
from proxy.wire.framing import compose, cstring

# MAX_STARTUP_PACKET_LENGTH of PostgreSQL's pqcomm.h (bytes), which does not count the length itself.
MAX_PACKET: Final = 10_000 + 4
# A protocol option rather than a setting; a server names those that it does not know in its answer.
PROTOCOL_OPTION: Final = "_pq_."

_CANCEL: Final = 80877102
_SSL: Final = 80877103
_GSSENC: Final = 80877104
_VERSION_3_0: Final = 3 << 16
_HEAD: Final = Struct(">II")
_MAX_SECRET: Final = 256

SSL_REQUEST: Final = _HEAD.pack(8, _SSL)
GSSENC_REQUEST: Final = _HEAD.pack(8, _GSSENC)


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """Who wants to log in, where, with which settings.

    ``parameters`` stand in the client's order, of equal names the last counts; bytes that are no UTF-8 are
    lone surrogates. "user" is always there.
    """

    major: int
    minor: int
    parameters: dict[str, str]
    raw: bytes

    def unrecognised(self) -> list[str]:
        """The protocol options asked for. None exists in protocol 3.0: a server has to name them all."""
        return [name for name in self.parameters if name.startswith(PROTOCOL_OPTION)]


@dataclass(frozen=True, slots=True)
class SSLRequest:
    """May we go on under TLS? Answered by one byte, S or N."""


@dataclass(frozen=True, slots=True)
class GSSENCRequest:
    """May we go on under GSSAPI encryption? Answered by one byte, G or N."""


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel what the process with this id runs, if ``secret`` (4 to 256 bytes) is its. Never answered."""

    pid: int
    secret: bytes


Packet = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


def read_packet(buffer: bytes) -> tuple[Packet, int] | None:
    """The packet that ``buffer`` begins with, and how many bytes it takes; None while it is incomplete.

    The length is checked as soon as it is there, so that nobody makes us hold more than ``MAX_PACKET`` bytes.
    Raises ``FrameError`` for a wrong length or layout, ``UnsupportedFeature`` for another major version than
    3, ``AuthorizationRefused`` where no user is named. A server that meets a wrong *length* says nothing: it
    just closes the connection.
    """
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[:4], "big")
    if not 8 <= length <= MAX_PACKET:
        raise FrameError("invalid length of startup packet")
    if len(buffer) < length:
        return None
    return _packet(bytes(buffer[:length])), length


def startup_message(parameters: Mapping[str, str]) -> bytes:
    """StartupMessage of protocol 3.0. ``ValueError`` where a name or value holds a NUL or is too long."""
    pairs = b"".join(cstring(name) + cstring(value) for name, value in parameters.items())
    length = 8 + len(pairs) + 1
    if length > MAX_PACKET:
        raise ValueError(f"startup packet of {length} bytes, more than {MAX_PACKET}")
    return _HEAD.pack(length, _VERSION_3_0) + pairs + b"\0"


def cancel_request(pid: int, secret: bytes) -> bytes:
    """CancelRequest, with what BackendKeyData told."""
    return _HEAD.pack(12 + len(secret), _CANCEL) + pid.to_bytes(4, "big", signed=True) + secret


def negotiate_protocol_version(unrecognised: Sequence[str]) -> bytes:
    """NegotiateProtocolVersion: we speak 3.0 and know none of these options.

    Sent before the first Authentication message to a client that asked for a later minor version or for any
    protocol option. PostgreSQL sends the whole version here, where its documentation speaks of the minor one.
    """
    options = b"".join(map(cstring, unrecognised))
    return compose(NEGOTIATE_PROTOCOL_VERSION, _HEAD.pack(_VERSION_3_0, len(unrecognised)) + options)


def _packet(raw: bytes) -> Packet:
    code = int.from_bytes(raw[4:8], "big")
    if code == _CANCEL:
        return _cancel(raw)
    if code == _SSL:
        return SSLRequest()
    if code == _GSSENC:
        return GSSENCRequest()
    major, minor = code >> 16, code & 0xFFFF
    if major != 3:
        raise UnsupportedFeature(f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0")
    parameters = _parameters(raw)
    if not parameters.get("user"):
        raise AuthorizationRefused("no PostgreSQL user name specified in startup packet")
    return StartupMessage(major, minor, parameters, raw)


def _cancel(raw: bytes) -> CancelRequest:
    if not 4 <= len(raw) - 12 <= _MAX_SECRET:
        raise FrameError("invalid length of query cancel packet")
    return CancelRequest(int.from_bytes(raw[8:12], "big", signed=True), raw[12:])


def _parameters(raw: bytes) -> dict[str, str]:
    """Pairs of Strings up to an empty name, which must be the packet's last byte."""
    words = [word.decode("utf-8", "surrogateescape") for word in raw[8:].split(b"\0")]
    names, values = words[:-2:2], words[1:-2:2]
    if words[-2:] != ["", ""] or len(names) != len(values) or not all(names):
        raise FrameError("invalid startup packet layout: expected terminator as last byte")
    return dict(zip(names, values, strict=True))
