"""net.origin: which sessions at the origin are what its URL asks for, and what is held back from it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import cast

import pytest

from proxy.net.origin import OriginConnection, suits

PRIMARY = {"in_hot_standby": "off", "default_transaction_read_only": "off"}
READ_ONLY = {**PRIMARY, "default_transaction_read_only": "on"}
STANDBY = {**PRIMARY, "in_hot_standby": "on"}


@pytest.mark.parametrize(
    ("wanted", "primary", "read_only", "standby"),
    [
        ("any", True, True, True),
        ("prefer-standby", True, True, True),
        ("read-write", True, False, False),
        ("primary", True, True, False),
        ("read-only", False, True, True),
        ("standby", False, False, True),
    ],
)
def test_a_session_is_what_the_url_asks_for(
    wanted: str, primary: bool, read_only: bool, standby: bool
) -> None:
    found = tuple(suits(wanted, reported) for reported in (PRIMARY, READ_ONLY, STANDBY))
    assert found == (primary, read_only, standby)


@pytest.mark.parametrize("wanted", ["read-write", "primary", "read-only", "standby"])
def test_what_a_pooler_keeps_back_is_not_taken_for_granted(wanted: str) -> None:
    assert not suits(wanted, {})


@pytest.mark.parametrize("lent", [False, True])
def test_a_lost_connection_does_not_hold_itself(lent: bool) -> None:
    connection = OriginConnection()
    connection.keep(lambda _, kept=connection: kept.close(), connection.abort)  # type: ignore[misc]
    connection.rest()
    if lent:
        connection.lend(lambda _: None, lambda: None)
    connection.connection_lost(None)
    seen = weakref.ref(connection)
    gc.disable()
    try:
        del connection
        assert seen() is None
    finally:
        gc.enable()


class Wire:
    """What was written, in order."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def test_what_is_held_back_is_sent_in_its_order_when_the_last_hold_is_over() -> None:
    wire, pressure = Wire(), list[bool]()
    connection = OriginConnection()
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.on_pressure = pressure.append
    connection.send(b"a")
    connection.hold()
    connection.send(b"b")
    connection.hold()
    connection.send(b"c")
    connection.go_on()
    assert (wire.written, pressure) == ([b"a"], [True, True])
    connection.go_on()
    connection.send(b"d")
    assert (wire.written, pressure) == ([b"a", b"bc", b"d"], [True, True, False])


def test_what_is_held_back_goes_with_a_lost_connection() -> None:
    wire = Wire()
    connection = OriginConnection()
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.hold()
    connection.send(b"a")
    connection.connection_lost(None)
    connection.go_on()
    assert wire.written == []


def test_a_cancel_goes_behind_the_statement_that_is_held_back() -> None:
    wire = Wire()
    connection = OriginConnection()
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.when_sent(lambda: wire.write(b"first"))
    connection.hold()
    connection.send(b"statement")
    connection.when_sent(lambda: wire.write(b"cancel"))
    assert wire.written == [b"first"]
    connection.go_on()
    assert wire.written == [b"first", b"statement", b"cancel"]
