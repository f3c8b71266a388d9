"""startup: the packets before all frames, with PostgreSQL's limits and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import AuthorizationRefused, FrameError, UnsupportedFeature
from proxy.wire import startup
from proxy.wire.startup import CancelRequest, GSSENCRequest, SSLRequest, StartupMessage

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


def packet(code: int, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + code.to_bytes(4, "big") + body


def login(body: bytes, minor: int = 0, major: int = 3) -> StartupMessage:
    found = startup.read_packet(packet((major << 16) + minor, body))
    assert found is not None
    assert isinstance(found[0], StartupMessage)
    return found[0]


@given(st.dictionaries(words.filter(bool), words, max_size=5))
def test_a_startup_message_is_read_back_in_its_order(parameters: dict[str, str]) -> None:
    parameters = {**parameters, "user": "ada"}
    raw = startup.startup_message(parameters)
    assert startup.read_packet(raw + b"more") == (StartupMessage(3, 0, parameters, raw), len(raw))
    message = login(raw[8:])
    assert list(message.parameters) == list(parameters)


@pytest.mark.parametrize("request_packet", [startup.SSL_REQUEST, startup.GSSENC_REQUEST])
def test_requests_for_encryption_are_recognised(request_packet: bytes) -> None:
    found = startup.read_packet(request_packet)
    expected = SSLRequest() if request_packet is startup.SSL_REQUEST else GSSENCRequest()
    assert found == (expected, 8)


@pytest.mark.parametrize("size", [4, 32, 256])
def test_a_cancel_request_is_read_back(size: int) -> None:
    raw = startup.cancel_request(17, b"k" * size)
    assert startup.read_packet(raw) == (CancelRequest(17, b"k" * size), len(raw))


@pytest.mark.parametrize("size", [0, 3, 257])
def test_a_cancel_request_with_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(FrameError, match="invalid length of query cancel packet"):
        startup.read_packet(startup.cancel_request(17, bytes(size)))


@pytest.mark.parametrize("kept", range(16))
def test_an_incomplete_packet_is_waited_for(kept: int) -> None:
    assert startup.read_packet(startup.startup_message({"user": "ada"})[:kept]) is None


@pytest.mark.parametrize("length", [0, 7, startup.MAX_PACKET + 1, 2**32 - 1])
def test_a_wrong_length_is_refused_before_the_rest_arrives(length: int) -> None:
    with pytest.raises(FrameError, match="invalid length of startup packet"):
        startup.read_packet(length.to_bytes(4, "big"))


def test_what_speaks_another_language_is_refused_by_its_length() -> None:
    with pytest.raises(FrameError, match="invalid length of startup packet"):
        startup.read_packet(b"GET / HTTP/1.1\r\n")


def test_a_packet_of_the_greatest_length_passes() -> None:
    filler = startup.MAX_PACKET - len(startup.startup_message({"user": "ada", "options": ""}))
    raw = startup.startup_message({"user": "ada", "options": "x" * filler})
    assert len(raw) == startup.MAX_PACKET
    assert startup.read_packet(raw) is not None
    with pytest.raises(ValueError, match="more than"):
        startup.startup_message({"user": "ada", "options": "x" * (filler + 1)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"user\0ada",
        b"user\0ada\0",
        b"user\0ada\0\0x",
        b"user\0ada\0\0\0",
        b"user\0ada\0application_name\0\0",
        b"user\0ada\0application_name",
        b"\0user\0ada\0\0",
    ],
)
def test_a_layout_that_postgresql_refuses_is_refused_in_its_words(body: bytes) -> None:
    with pytest.raises(FrameError, match="invalid startup packet layout: expected terminator as last byte"):
        login(body)


@pytest.mark.parametrize("body", [b"\0", b"database\0ada\0\0", b"user\0\0\0"])
def test_a_login_of_nobody_is_refused(body: bytes) -> None:
    with pytest.raises(AuthorizationRefused, match="no PostgreSQL user name specified in startup packet"):
        login(body)


@pytest.mark.parametrize("major", [1, 2, 4, 1234])
def test_another_major_version_is_refused(major: int) -> None:
    with pytest.raises(UnsupportedFeature, match=rf"protocol {major}\.1: server supports 3\.0 to 3\.0"):
        login(b"user\0ada\0\0", minor=1, major=major)


def test_of_equal_names_the_last_counts() -> None:
    assert login(b"user\0ada\0user\0eve\0\0").parameters == {"user": "eve"}


def test_a_name_in_a_foreign_encoding_loses_nothing() -> None:
    message = login(b"user\0f\xfcr\0\0")
    assert startup.startup_message(message.parameters) == message.raw


def test_a_name_with_a_nul_is_never_sent() -> None:
    with pytest.raises(ValueError, match="NUL"):
        startup.startup_message({"user": "a\0b"})


def test_a_later_minor_version_is_read_and_its_protocol_options_are_named() -> None:
    message = login(b"user\0ada\0_pq_.x\0y\0_pq_.a\0y\0\0", minor=2)
    assert (message.major, message.minor, message.unrecognised()) == (3, 2, ["_pq_.x", "_pq_.a"])


def test_the_negotiation_is_the_one_that_a_postgresql_of_protocol_3_0_sends() -> None:
    # Recorded from PostgreSQL 15.
    answer = b"v\x00\x00\x00\x1a\x00\x03\x00\x00\x00\x00\x00\x02_pq_.x\x00_pq_.a\x00"
    assert startup.negotiate_protocol_version(["_pq_.x", "_pq_.a"]) == answer
