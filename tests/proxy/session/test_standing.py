"""session.standing: what a connection holds, and what makes it another session's."""

from __future__ import annotations

import pytest

from proxy.session.probe import Learnt
from proxy.session.standing import Standing, can_be_carried
from proxy.session.virtual import Virtual
from proxy.wire import frontend
from proxy.wire.framing import FrameSplitter
from tests.proxy.session.world import learnt

NOBODY: frozenset[str] = frozenset()
ME, OTHER = object(), object()


def standing(max_statements: int = 2) -> Standing:
    return Standing(Learnt(learnt()), {"TimeZone": "UTC"}, max_statements)


def assigned(frames: bytes) -> list[tuple[bytes | None, bytes | None]]:
    """Names and values that these messages set."""
    for frame in FrameSplitter(1 << 20).feed(frames):
        if frame.kind == frontend.BIND:
            _, name, tail = frontend.read_bind(frame.raw)
            if name == b"orrery_settings":
                values = [value for _, value in frontend.bind_parameters(tail)]
                return list(zip(values[::2], values[1::2], strict=True))
    return []


@pytest.mark.parametrize(
    ("name", "value", "sure"),
    [
        ("application_name", "x", True),
        ("app.user", "7", True),
        ("app.user", None, False),
        ("app.user", "\u00e9", False),
        ("statement_timeout", "0", True),
        ("statement_timeout", "5000", True),
        ("statement_timeout", "5s", False),
        ("statement_timeout", "50", False),
        ("statement_timeout", "9" * 5000, False),
        ("temp_tablespaces", "x", False),
        ("session_replication_role", "replica", False),
    ],
)
def test_only_what_surely_works_again_is_carried(name: str, value: str | None, sure: bool) -> None:
    assert can_be_carried({name: value}) is sure


def test_only_what_differs_is_sent_and_what_others_set_is_reset() -> None:
    place = standing()
    place.carried({"application_name": "a", "work_mem": "1MB"}, NOBODY, ME)
    assert place.carry({"application_name": "a", "work_mem": "1MB"}, NOBODY, ME) == b""
    frames = place.carry({"application_name": "b"}, NOBODY, OTHER)
    assert sorted(assigned(frames)) == [(b"application_name", b"b"), (b"work_mem", None)]
    assert frames.endswith(frontend.SYNC_FRAME)


def test_a_setting_that_was_only_ever_set_locally_is_empty_there_as_here() -> None:
    place = standing()
    assert assigned(place.carry({}, frozenset(("app.user",)), ME)) == [(b"app.user", None)]
    place.carried({}, frozenset(("app.user",)), ME)
    assert place.carry({}, frozenset(("app.user",)), ME) == b""
    assert place.customs == {"app.user"}


def test_sequences_are_forgotten_for_a_stranger_alone() -> None:
    place = standing()
    place.counted_for = ME
    assert place.carry({}, NOBODY, ME) == b""
    assert b"DISCARD SEQUENCES" in place.carry({}, NOBODY, OTHER)
    place.carried({}, NOBODY, OTHER)
    assert place.carry({}, NOBODY, OTHER) == b""


def test_the_statement_unused_for_longest_makes_room_unless_it_is_in_use() -> None:
    place = standing()
    one, two, three = (Virtual(b"v%d" % n, b"SELECT 1", b"") for n in range(3))
    for virtual in (one, two, three):
        place.prepared(virtual)
    assert place.knows(two)
    assert place.make_room({one}) == []
    assert place.make_room(()) == [one.close_frame]
    assert not place.knows(one)
    assert place.knows(three)


def test_what_is_not_relied_on_or_deallocated_is_not_known() -> None:
    place = standing()
    one, two = Virtual(b"1", b"", b""), Virtual(b"2", b"", b"")
    place.prepared(one)
    place.prepared(two)
    place.forget(one)
    assert (place.knows(one), place.knows(two)) == (False, True)
    place.deallocated()
    assert not place.knows(two)
