"""A frame as one line of text, for humans and transcripts: who speaks, the message's name, what is in it.

What may hold a value of a parameter or row shows as a length only: Bind, passwords, rows, COPY data, the
words of an error (they quote values), the payload of a notification. SQL texts and names are shown, escaped
so that a line stays a line: whoever writes a trace to a log decides whether they belong there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.errors import OrreryError
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER
from proxy.wire.startup import CancelRequest, GSSENCRequest, Packet, SSLRequest

# Bytes of a text that are shown; of a longer one its size is told.
SHOWN: Final = 200

Describer = Callable[[bytes], str]


def client_line(raw: bytes) -> str:
    """The line of a frame that a client sent."""
    return "client " + _line(raw, _CLIENT)


def server_line(raw: bytes) -> str:
    """The line of a frame that a server sent."""
    return "server " + _line(raw, _SERVER)


def packet_line(packet: Packet) -> str:
    """The line of a packet that came before all frames."""
    if isinstance(packet, SSLRequest | GSSENCRequest):
        return f"client {type(packet).__name__}"
    if isinstance(packet, CancelRequest):
        return f"client CancelRequest pid={packet.pid}"
    settings = [
        f"{name}={_quote(value.encode('utf-8', 'surrogateescape'))}"
        for name, value in packet.parameters.items()
    ]
    return " ".join([f"client StartupMessage {packet.major}.{packet.minor}", *settings])


def _line(raw: bytes, table: dict[int, tuple[str, Describer]]) -> str:
    name, describe = table.get(raw[0], (f"message of type {raw[0]}", _size))
    try:
        told = describe(raw)
    except OrreryError as fault:
        told = f"malformed: {fault}, {_size(raw)}"
    return f"{name} {told}".rstrip()


def _nothing(raw: bytes) -> str:
    return "" if len(raw) == HEADER else f"unexpected {_size(raw)}"


def _size(raw: bytes) -> str:
    return f"{len(raw) - HEADER} bytes"


def _quote(text: bytes) -> str:
    shown = text[:SHOWN].decode("utf-8", "backslashreplace")
    escaped = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in shown
    )
    more = f"...({len(text)} bytes)" if len(text) > SHOWN else ""
    return f'"{escaped}"{more}'


def _query(raw: bytes) -> str:
    return _quote(frontend.read_query(raw))


def _parse(raw: bytes) -> str:
    name, text, types = frontend.read_parse(raw)
    oids = [int.from_bytes(types[at : at + 4], "big") for at in range(0, len(types), 4)]
    return f"{_quote(name)} {_quote(text)} types={oids}"


def _bind(raw: bytes) -> str:
    portal, statement, tail = frontend.read_bind(raw)
    names = f"portal={_quote(portal)} statement={_quote(statement)}"
    if not frontend.bind_is_well_formed(tail):
        return f"{names} malformed"
    return f"{names} parameters=[{', '.join(map(_parameter, frontend.bind_parameters(tail)))}]"


def _parameter(parameter: tuple[int, bytes | None]) -> str:
    code, value = parameter
    return "NULL" if value is None else f"{('text', 'binary')[code]}({len(value)})"


def _execute(raw: bytes) -> str:
    portal, max_rows = frontend.read_execute(raw)
    return f"portal={_quote(portal)} max_rows={max_rows}"


def _target(reader: Callable[[bytes], tuple[int, bytes]]) -> Describer:
    def describe(raw: bytes) -> str:
        which, name = reader(raw)
        return f"{'statement' if which == frontend.STATEMENT else 'portal'}={_quote(name)}"

    return describe


def _authentication(raw: bytes) -> str:
    code, data = backend.read_authentication(raw)
    if code == backend.SASL:
        return f"SASL {' '.join(map(_quote, backend.sasl_mechanisms(data)))}"
    name = _AUTHENTICATIONS.get(code, f"code {code}")
    return f"{name} {len(data)} bytes" if data else name


def _key_data(raw: bytes) -> str:
    return f"pid={backend.read_backend_key_data(raw)[0]}"


def _fields(raw: bytes) -> str:
    fields = backend.error_fields(raw)
    lengths = [f"{code}({len(fields[code])})" for code in "MDH" if code in fields]
    return " ".join([fields.get("S", "?"), fields.get("C", "?"), *lengths])


def _notification(raw: bytes) -> str:
    pid, channel, payload = backend.read_notification(raw)
    return f"pid={pid} channel={_quote(channel)} payload({len(payload)})"


def _parameter_status(raw: bytes) -> str:
    name, value = backend.read_parameter_status(raw)
    return f"{name}={_quote(value.encode('utf-8', 'surrogateescape'))}"


def _columns(raw: bytes) -> str:
    return ", ".join(
        f"{_quote(column.name.encode('utf-8', 'surrogateescape'))}:{column.type_oid}"
        for column in backend.read_row_description(raw)
    )


_AUTHENTICATIONS: Final = {
    backend.AUTHENTICATION_OK: "Ok",
    backend.CLEARTEXT_PASSWORD: "CleartextPassword",
    backend.MD5_PASSWORD: "MD5Password",
    backend.SASL_CONTINUE: "SASLContinue",
    backend.SASL_FINAL: "SASLFinal",
}

_CLIENT: Final[dict[int, tuple[str, Describer]]] = {
    frontend.BIND: ("Bind", _bind),
    frontend.CLOSE: ("Close", _target(frontend.read_close)),
    frontend.COPY_DATA: ("CopyData", _size),
    frontend.COPY_DONE: ("CopyDone", _nothing),
    frontend.COPY_FAIL: ("CopyFail", _query),
    frontend.DESCRIBE: ("Describe", _target(frontend.read_describe)),
    frontend.EXECUTE: ("Execute", _execute),
    frontend.FLUSH: ("Flush", _nothing),
    frontend.FUNCTION_CALL: ("FunctionCall", _size),
    frontend.PARSE: ("Parse", _parse),
    frontend.PASSWORD: ("PasswordMessage", _size),
    frontend.QUERY: ("Query", _query),
    frontend.SYNC: ("Sync", _nothing),
    frontend.TERMINATE: ("Terminate", _nothing),
}

_SERVER: Final[dict[int, tuple[str, Describer]]] = {
    backend.AUTHENTICATION: ("Authentication", _authentication),
    backend.BACKEND_KEY_DATA: ("BackendKeyData", _key_data),
    backend.BIND_COMPLETE: ("BindComplete", _nothing),
    backend.CLOSE_COMPLETE: ("CloseComplete", _nothing),
    backend.COMMAND_COMPLETE: ("CommandComplete", lambda raw: _quote(backend.command_tag(raw))),
    backend.COPY_BOTH_RESPONSE: ("CopyBothResponse", _size),
    backend.COPY_DATA: ("CopyData", _size),
    backend.COPY_DONE: ("CopyDone", _nothing),
    backend.COPY_IN_RESPONSE: ("CopyInResponse", _size),
    backend.COPY_OUT_RESPONSE: ("CopyOutResponse", _size),
    backend.DATA_ROW: ("DataRow", _size),
    backend.EMPTY_QUERY_RESPONSE: ("EmptyQueryResponse", _nothing),
    backend.ERROR_RESPONSE: ("ErrorResponse", _fields),
    backend.FUNCTION_CALL_RESPONSE: ("FunctionCallResponse", _size),
    backend.NEGOTIATE_PROTOCOL_VERSION: ("NegotiateProtocolVersion", _size),
    backend.NO_DATA: ("NoData", _nothing),
    backend.NOTICE_RESPONSE: ("NoticeResponse", _fields),
    backend.NOTIFICATION_RESPONSE: ("NotificationResponse", _notification),
    backend.PARAMETER_DESCRIPTION: (
        "ParameterDescription",
        lambda raw: f"types={list(backend.read_parameter_description(raw))}",
    ),
    backend.PARAMETER_STATUS: ("ParameterStatus", _parameter_status),
    backend.PARSE_COMPLETE: ("ParseComplete", _nothing),
    backend.PORTAL_SUSPENDED: ("PortalSuspended", _nothing),
    backend.READY_FOR_QUERY: ("ReadyForQuery", lambda raw: chr(backend.transaction_status(raw))),
    backend.ROW_DESCRIPTION: ("RowDescription", _columns),
}
