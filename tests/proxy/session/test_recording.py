"""session.recording: a whole answer is kept, anything else is not."""

from __future__ import annotations

import pytest

from proxy.cache.entry import Slot
from proxy.cache.fills import Ticket
from proxy.cache.ttl import Pace, TtlRule
from proxy.session.recording import Recording


def recording(limit: int = 100) -> Recording:
    return Recording(Ticket(Slot(1, (), Pace(TtlRule())), b"", 0, 0.0), None, limit)


def test_a_complete_answer_is_its_frames_in_order() -> None:
    made = recording()
    made.add(b"one")
    made.add(b"two")
    made.complete = True
    assert made.payload() == b"onetwo"


def test_an_answer_that_is_not_complete_is_nothing() -> None:
    made = recording()
    made.add(b"one")
    assert made.payload() == b""


@pytest.mark.parametrize(("size", "kept"), [(100, True), (101, False)])
def test_an_answer_beyond_the_limit_is_forgotten(size: int, kept: bool) -> None:
    made = recording(100)
    made.add(bytes(50))
    made.add(bytes(size - 50))
    made.complete = True
    assert (len(made.payload()), made.refusal) == ((100, "") if kept else (0, "size"))


def test_what_comes_after_the_limit_is_not_kept_either() -> None:
    made = recording(3)
    made.add(b"four")
    made.add(b"x")
    made.complete = True
    assert made.payload() == b""


def test_the_first_reason_stays() -> None:
    made = recording()
    made.spoil("notice")
    made.spoil("error")
    made.complete = True
    assert (made.refusal, made.payload()) == ("notice", b"")
