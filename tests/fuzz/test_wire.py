"""wire: any bytes from a client or an origin give an answer or a clean protocol error; nothing is hoarded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ClientFault, OriginProtocolError, OrreryError
from proxy.wire import backend, frontend, startup, trace
from proxy.wire.framing import FrameScanner, compose

Reader = Callable[[bytes], object]

LIMIT = 256
CLIENT_READERS: list[Reader] = [
    frontend.read_query,
    frontend.read_parse,
    frontend.read_bind,
    frontend.read_describe,
    frontend.read_close,
    frontend.read_execute,
    frontend.read_password,
    frontend.read_sasl_initial_response,
    frontend.bind_is_well_formed,
]
SERVER_READERS: list[Reader] = [
    backend.command_tag,
    backend.transaction_status,
    backend.error_fields,
    backend.sqlstate,
    backend.read_parameter_status,
    backend.read_backend_key_data,
    backend.read_notification,
    backend.read_parameter_description,
    backend.read_row_description,
    backend.read_authentication,
]

# Bytes that a reader would take for a beginning are likelier to reach its depths.
counts = st.integers(0, 4).map(lambda count: count.to_bytes(2, "big"))
lengths = st.integers(-2, 12).map(lambda length: length.to_bytes(4, "big", signed=True))
words = st.sampled_from([b"", b"\0", b"S", b"P", b"name\0", b"\0\0", b"\0\1", b"\xff", b"I"])
bodies = st.lists(counts | lengths | words | st.binary(max_size=6), max_size=10).map(b"".join)
kinds = st.sampled_from(b"123ABCDEFGHIKNPQRSTVWXZcdfnpstv") | st.integers(0, 255)
frames = st.builds(compose, kinds, bodies)
streams = st.lists(frames | st.binary(max_size=8), max_size=8)


@pytest.mark.parametrize("reader", CLIENT_READERS)
@given(body=bodies)
def test_a_reader_of_the_client_answers_or_blames_the_client(reader: Reader, body: bytes) -> None:
    try:
        reader(compose(ord("?"), body))
    except ClientFault:
        return


@pytest.mark.parametrize("reader", SERVER_READERS)
@given(body=bodies)
def test_a_reader_of_the_origin_answers_or_blames_the_origin(reader: Reader, body: bytes) -> None:
    try:
        reader(compose(ord("?"), body))
    except OriginProtocolError:
        return


@given(
    data=st.lists(lengths | words | st.just(b"\0\3\0\0") | st.binary(max_size=6), max_size=8).map(b"".join)
)
def test_any_first_packet_is_read_or_waited_for_or_refused(data: bytes) -> None:
    length = 4 + len(data)
    for packet in (data, length.to_bytes(4, "big") + data):
        try:
            found = startup.read_packet(packet)
        except ClientFault:
            continue
        assert found is None or trace.packet_line(found[0]).isprintable()


@pytest.mark.parametrize("make", [frontend.scanner, backend.scanner])
@given(chunks=streams)
def test_any_stream_comes_out_as_it_went_in_or_is_refused(
    make: Callable[[int], FrameScanner], chunks: list[bytes]
) -> None:
    scanner = make(LIMIT)
    given_back = b""
    for chunk in chunks:
        try:
            segments = scanner.scan(chunk)
        except OrreryError:
            return
        given_back += b"".join(raw for _, raw, _ in segments)
    held = scanner.release()
    assert given_back + held == b"".join(chunks)
    assert len(held) < LIMIT
