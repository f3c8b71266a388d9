"""trace: one line for each frame, and no value of a parameter or row in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire import backend, frontend, trace
from proxy.wire.backend import Column
from proxy.wire.framing import compose
from proxy.wire.startup import CancelRequest, GSSENCRequest, SSLRequest, StartupMessage

SECRET = b"Zz-secret-zZ"
BIND_TAIL = b"\0\1\0\0\0\2\0\0\0\x0c" + SECRET + b"\xff\xff\xff\xff\0\0"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (frontend.query(b"select 1"), 'client Query "select 1"'),
        (frontend.query("select 'é\n'".encode()), "client Query \"select 'é\\n'\""),
        (frontend.query(b"\xff"), 'client Query "\\xff"'),
        (frontend.query(b"x" * 300), f'client Query "{"x" * 200}"...(300 bytes)'),
        (frontend.parse(b"s", b"select $1", b"\0\0\0\x17"), 'client Parse "s" "select $1" types=[23]'),
        (
            frontend.bind(b"p", b"s", BIND_TAIL),
            'client Bind portal="p" statement="s" parameters=[text(12), NULL]',
        ),
        (frontend.bind(b"", b"s", b"\0"), 'client Bind portal="" statement="s" malformed'),
        (frontend.describe(frontend.STATEMENT, b"s"), 'client Describe statement="s"'),
        (frontend.close(frontend.PORTAL, b"p"), 'client Close portal="p"'),
        (frontend.execute(b"p", 5), 'client Execute portal="p" max_rows=5'),
        (frontend.SYNC_FRAME, "client Sync"),
        (frontend.copy_fail(b"why"), 'client CopyFail "why"'),
        (frontend.password(SECRET), "client PasswordMessage 13 bytes"),
        (compose(ord("d"), SECRET), "client CopyData 12 bytes"),
        (compose(ord("S"), b"x"), "client Sync unexpected 1 bytes"),
        (compose(ord("Q"), b"x"), "client Query malformed: invalid string in message, 1 bytes"),
        (compose(ord("?"), b"x"), "client message of type 63 1 bytes"),
    ],
)
def test_what_a_client_says_is_one_line(raw: bytes, line: str) -> None:
    assert trace.client_line(raw) == line


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (backend.AUTHENTICATION_OK_FRAME, "server Authentication Ok"),
        (backend.authentication_sasl([b"SCRAM-SHA-256"]), 'server Authentication SASL "SCRAM-SHA-256"'),
        (backend.authentication_md5_password(b"salt"), "server Authentication MD5Password 4 bytes"),
        (compose(ord("R"), b"\0\0\0\7"), "server Authentication code 7"),
        (backend.backend_key_data(17, b"keys"), "server BackendKeyData pid=17"),
        (backend.parameter_status("TimeZone", "UTC"), 'server ParameterStatus TimeZone="UTC"'),
        (backend.READY_IN_TRANSACTION, "server ReadyForQuery T"),
        (backend.row_description([Column("id", 23)]), 'server RowDescription "id":23'),
        (backend.data_row([SECRET]), "server DataRow 18 bytes"),
        (backend.command_complete(b"SELECT 1"), 'server CommandComplete "SELECT 1"'),
        (backend.parameter_description([23, 25]), "server ParameterDescription types=[23, 25]"),
        (
            backend.error_response("ERROR", "23505", "duplicate", detail="Key (id)=(Zz-secret-zZ)"),
            "server ErrorResponse ERROR 23505 M(9) D(23)",
        ),
        (compose(ord("N"), b"\0"), "server NoticeResponse ? ?"),
        (
            compose(ord("A"), b"\0\0\0\7planets\0" + SECRET + b"\0"),
            'server NotificationResponse pid=7 channel="planets" payload(12)',
        ),
        (backend.PARSE_COMPLETE_FRAME, "server ParseComplete"),
    ],
)
def test_what_a_server_says_is_one_line(raw: bytes, line: str) -> None:
    assert trace.server_line(raw) == line


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (SSLRequest(), "client SSLRequest"),
        (GSSENCRequest(), "client GSSENCRequest"),
        (CancelRequest(17, SECRET), "client CancelRequest pid=17"),
        (
            StartupMessage(3, 0, {"user": "ada", "options": "a\nb"}, b""),
            'client StartupMessage 3.0 user="ada" options="a\\nb"',
        ),
    ],
)
def test_the_packets_before_all_frames_are_lines_too(
    packet: SSLRequest | GSSENCRequest | CancelRequest | StartupMessage, line: str
) -> None:
    assert trace.packet_line(packet) == line


@given(st.binary(min_size=1, max_size=1), st.binary(max_size=60))
def test_any_frame_is_one_line_whoever_sent_it(kind: bytes, body: bytes) -> None:
    for line in (trace.client_line(compose(kind[0], body)), trace.server_line(compose(kind[0], body))):
        assert len(line.splitlines()) == 1
        assert line.isprintable()
