"""session.ping: what counts as a ping, and PostgreSQL's own bytes in answer."""

from __future__ import annotations

import pytest

from proxy.session import ping
from proxy.session.shared import SessionOptions
from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import BINARY_RESULT, SYNC, Conversation, World, run


def with_ping() -> Conversation:
    world = World(SessionOptions(local_ping=True))
    world.shared.ping_until = world.clock.now + 1.0
    return world.client()


@pytest.mark.parametrize("text", [b"SELECT 1", b"select 1;", b" SELECT 1 ; ", b"", b";", b"\n"])
def test_pings(text: bytes) -> None:
    assert ping.is_ping(text)


@pytest.mark.parametrize("text", [b"SELECT 2", b"SELECT 1, 1", b"SELECT '1'", b"-- hello", b" " * 100])
def test_no_pings(text: bytes) -> None:
    assert not ping.is_ping(text)


def test_a_ping_is_answered_here() -> None:
    client = with_ping()
    assert client.query(b"SELECT 1", b"") == "T D:1 C:SELECT 1 Z:I I Z:I"
    assert client.ask(run(b"SELECT 1"), SYNC) == "1 2 T D:1 C:SELECT 1 Z:I"
    assert client.ask(run(b""), SYNC) == "1 2 n I Z:I"
    assert client.ask(run(b"SELECT 1", tail=BINARY_RESULT), SYNC) == "1 2 T D:\0\0\0\1 C:SELECT 1 Z:I"
    assert client.port.asked == []


def test_a_ping_goes_to_the_origin_that_was_not_heard_of_for_a_second() -> None:
    client = with_ping()
    client.world.clock.pass_(1.0)
    client.query(b"SELECT 1")
    assert client.heard() == ["SELECT 1"]


def test_a_ping_goes_to_the_origin_unless_it_is_told_otherwise() -> None:
    world = World()
    world.shared.ping_until = world.clock.now + 1.0
    client = world.client()
    client.query(b"SELECT 1")
    assert client.heard() == ["SELECT 1"]


def test_in_a_failed_transaction_a_ping_fails_as_any_statement_does() -> None:
    client = with_ping()
    client.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    client.query(b"BEGIN", b"SELECT 1/0")
    assert client.ask(frontend.query(b"SELECT 1")) == "E:25P02 Z:E"
