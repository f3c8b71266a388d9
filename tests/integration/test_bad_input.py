"""Whatever one client sends, it hurts nobody else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from proxy.wire import backend, frontend, startup
from tests.integration.place import NAMES, PLANETS, Place, ask, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.conftest import StartProxy
    from tests.postgres import Database

pytestmark = pytest.mark.postgres

QUERY = frontend.query(NAMES.encode())


@pytest.fixture(autouse=True)
def bystander(place: Place) -> Generator[None]:
    """Somebody else, who must notice nothing."""
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        yield
        assert len(ask(connection, NAMES)) == 3


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\xff" * 64,
        b"\x00\x00\x00\x09\x00\x03\x00\x00\x00",
        b"\x7f\xff\xff\xff\x00\x03\x00\x00",
        b"\x00\x00\x00\x10\x00\x02\x00\x00user\x00a\x00\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        startup.SSL_REQUEST + b"injected",
    ],
)
def test_garbage_instead_of_a_login_ends_in_an_error(place: Place, garbage: bytes) -> None:
    with RawClient(place.proxy.port) as client:
        client.send(garbage)
        assert client.until_closed() in {b"E", b""}


def test_gss_and_ssl_requests_are_refused_politely(place: Place) -> None:
    with RawClient(place.proxy.port) as client:
        client.send(startup.GSSENC_REQUEST)
        assert client.socket.recv(1) == b"N"
        client.send(startup.SSL_REQUEST)
        assert client.socket.recv(1) == b"N"
        client.send(startup.startup_message({"user": "postgres"}))
        assert client.frame().kind == ord("R")


@pytest.mark.soundness("7.3")
@pytest.mark.parametrize(
    "broken",
    [
        b"Q\x00\x00\x00\x03",
        b"Q\x7f\xff\xff\xff",
        b"Q\xff\xff\xff\xff",
        b"?\x00\x00\x00\x04",
        b"B\x00\x00\x00\x04",
        b"P\x00\x00\x00\x08abcd",
        b"Q\x00\x00\x00\x06ab",
        b"E\x00\x00\x00\x05x",
        b"D\x00\x00\x00\x06?\x00",
        b"p\x00\x00\x00\x09hush\x00",
    ],
)
def test_a_broken_message_ends_that_session_or_is_an_error_in_it(place: Place, broken: bytes) -> None:
    with RawClient.logged_in(place) as client:
        client.send(QUERY)
        client.until_ready()
        client.send(broken)
        client.send(frontend.SYNC_FRAME)
        assert client.frame().kind == ord("E")


@pytest.mark.soundness("7.3")
def test_a_client_that_stops_in_mid_message_is_only_waited_for(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        client.send(QUERY[:7])
        with place.connect() as connection:
            remember(connection)
        client.send(QUERY[7:])
        assert bytes(frame.kind for frame in client.until_ready()) == b"TDDDCZ"


def test_a_message_one_byte_at_a_time_is_one_message(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        for byte in QUERY:
            client.send(bytes((byte,)))
        assert bytes(frame.kind for frame in client.until_ready()) == b"TDDDCZ"


def test_a_bind_of_an_unknown_statement_is_the_origins_error(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        client.send(frontend.bind(b"", b"nowhere") + frontend.execute(b"") + frontend.SYNC_FRAME)
        assert bytes(frame.kind for frame in client.until_ready()) == b"EZ"


def test_a_sync_alone_and_many_of_them_are_each_answered(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        client.send(frontend.SYNC_FRAME * 5)
        for _ in range(5):
            assert [frame.kind for frame in client.until_ready()] == [ord("Z")]


def test_a_startup_packet_that_would_be_too_long_at_the_origin_is_refused(place: Place) -> None:
    with RawClient(place.proxy.port) as client:
        client.send(startup.startup_message({"user": "u" * 9_000}))
        assert client.until_closed() == b"E"


@pytest.mark.parametrize("user", ["\udcff", "u" * 9_000, "a\nb"])
def test_a_strange_user_is_a_user_that_nobody_knows(place: Place, user: str) -> None:
    with RawClient(place.proxy.port) as client:
        client.send(startup.startup_message({"user": user, "database": "d"}))
        assert client.frame().kind == ord("R")
        client.send(frontend.password(b"x"))
        assert client.until_closed() == b"E"


def test_a_fault_behind_the_first_statement_is_told_once_its_origin_is_there(place: Place) -> None:
    with RawClient.logged_in(place) as client:
        client.send(QUERY + b"S\0\0\0\5x")
        assert ord("E") in client.until_closed()


@pytest.mark.soundness("7.6")
def test_a_login_that_never_ends_is_ended(database: Database, start_proxy: StartProxy) -> None:
    proxy = start_proxy("--login-seconds", "0.5")
    assert database.name
    with RawClient(proxy.port) as silent, RawClient(proxy.port) as slow:
        slow.send(startup.startup_message({"user": "postgres"}))
        assert slow.frame().kind == ord("R")
        error = slow.frame()
        assert backend.sqlstate(error.raw) == "57014"
        assert slow.until_closed() == b""
        assert silent.until_closed() == b""
    until(lambda: proxy.figure("clients", "open") == 0, "both are gone")


@pytest.mark.soundness("7.6")
def test_a_flood_before_the_login_is_not_hoarded(place: Place) -> None:
    before = place.proxy.resident_bytes()
    with RawClient(place.proxy.port) as client:
        client.socket.settimeout(2.0)
        client.send(startup.startup_message({"user": "postgres"}))
        deadline = time.monotonic() + 3.0
        try:
            for _ in range(100):
                client.send(b"p\x00\x00\x00\x10" + bytes(1 << 20))
                assert time.monotonic() < deadline
        except (OSError, AssertionError):
            pass
        assert place.proxy.resident_bytes() - before < 30 << 20


@pytest.mark.soundness("7.6")
def test_a_message_over_the_limit_is_refused(database: Database, start_proxy: StartProxy) -> None:
    place = Place(start_proxy("--max-message-bytes", "1MiB"), database)
    with RawClient.logged_in(place) as client:
        client.send(b"Q" + (2 << 20).to_bytes(4, "big"))
        assert client.until_closed() == b"E"
