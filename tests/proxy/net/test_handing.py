"""Connections one way, signs of life the other."""

from __future__ import annotations

import socket
from collections.abc import Generator

import pytest

from proxy.net.handing import Sign, Told, Voice, hand, say, take

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def control() -> Generator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def test_a_connection_arrives_and_works(control: Pair) -> None:
    ours, theirs = control
    client, accepted = socket.socketpair()
    with client:
        assert hand(ours, accepted)
        assert hand(ours, accepted)
        accepted.close()
        first, second = take(theirs)
        with first, second:
            first.send(b"hello")
            assert client.recv(10) == b"hello"


def test_nothing_is_given_to_one_who_is_gone(control: Pair) -> None:
    ours, theirs = control
    theirs.close()
    with socket.socket() as connection:
        assert not hand(ours, connection)


def test_a_worker_notices_that_nobody_is_left(control: Pair) -> None:
    ours, theirs = control
    ours.close()
    with pytest.raises(EOFError):
        list(take(theirs))


def test_signs_of_life_arrive_one_by_one(control: Pair) -> None:
    ours, theirs = control
    voice = Voice()
    assert list(voice.listen(ours)) == []
    say(theirs, Told.READY, 0)
    say(theirs, Told.FAILED, 3, "no such file")
    assert list(voice.listen(ours)) == [Sign(Told.READY, 0, ""), Sign(Told.FAILED, 3, "no such file")]
    assert not voice.is_over
    theirs.close()
    assert list(voice.listen(ours)) == []
    assert voice.is_over
