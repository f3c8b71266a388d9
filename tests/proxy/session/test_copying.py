"""session.copying: which Sync ends a COPY, and what the origin runs behind it."""

from __future__ import annotations

import pytest

from proxy.errors import OriginFault
from proxy.wire import backend, frontend
from proxy.wire.framing import FrameSplitter, compose
from tests.proxy.session.world import (
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    World,
    run,
)

QUERY = frontend.query


def test_data_of_a_copy_goes_straight_on_and_is_ignored_without_one() -> None:
    client = World().client()
    client.say(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME)
    assert client.heard() == []
    assert client.ask(QUERY(b"COPY planet FROM STDIN")) == "G"
    assert client.ask(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME) == "C:COPY 1 Z:I"


def test_a_copy_that_ends_by_copyfail_drops_nothing() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    assert client.ask(frontend.copy_fail(b"no")) == "E:57014 Z:I"
    assert client.hits()


def test_a_copy_suspends_what_it_reaches_and_drops_it_at_its_end() -> None:
    world = World()
    client, reader = world.client(), world.client()
    reader.remember()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    assert not reader.hits()
    client.ask(frontend.COPY_DONE_FRAME)
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_sync_that_came_before_the_copy_began_is_ignored_and_the_next_one_ends_it() -> None:
    world = World()
    client, reader = world.client(), world.client()
    reader.remember()
    assert client.ask(run(b"COPY planet FROM STDIN"), SYNC) == "1 2 n G"
    assert client.ask(b"d\0\0\0\5x", frontend.COPY_DONE_FRAME) == "C:COPY 1"
    assert not reader.hits()
    assert client.ask(SYNC) == "Z:I"
    assert reader.query(READ) == "T D:1 C:SELECT 1 Z:I"
    assert client.query(READ) == "T D:1 C:SELECT 1 Z:I"


def test_a_sync_in_the_middle_of_a_copy_is_ignored_whatever_asked_for_it() -> None:
    for ask in (QUERY(b"COPY planet FROM STDIN"), run(b"COPY planet FROM STDIN") + SYNC):
        client = World().client()
        client.attach()
        client.ask(ask, SYNC)
        assert client.ask(b"d\0\0\0\5x", SYNC) == ""
        client.ask(frontend.COPY_DONE_FRAME, SYNC)
        assert client.query(b"SHOW orrery.last").startswith("T D:write")


def test_a_command_of_ours_during_a_copy_breaks_it_as_any_query_does() -> None:
    client = World().client()
    client.attach()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    client.say(QUERY(b"SHOW orrery.last"))
    assert client.heard() == ["COPY planet FROM STDIN", "C", "S"]


@pytest.mark.parametrize("ask", [QUERY(b"COPY planet FROM STDIN"), run(b"COPY planet FROM STDIN") + FLUSH])
def test_a_command_of_ours_behind_what_begins_a_copy_breaks_it_too(ask: bytes) -> None:
    client = World().client()
    client.attach()
    client.say(ask, frontend.parse(b"", b"SET orrery.cache = on"), SYNC)
    assert client.heard()[-2:] == ["C", "S"]


def test_what_comes_behind_the_end_of_a_copy_that_swallowed_its_sync_is_run() -> None:
    client = World().client()
    client.attach()
    copied = (run(b"COPY planet FROM STDIN"), SYNC, SYNC, frontend.COPY_DONE_FRAME)
    assert client.ask(*copied, QUERY(READ), QUERY(OTHER_READ)) == (
        "1 2 n G C:COPY 1 T D:1 C:SELECT 1 Z:I T D:1 C:SELECT 1 Z:I"
    )
    assert client.session.is_idle
    assert client.ask(*copied, run(READ), SYNC) == "1 2 n G C:COPY 1 1 2 T D:2 C:SELECT 1 Z:I"
    assert client.session.is_idle


def test_the_data_of_a_copy_may_come_in_one_packet_with_what_asks_for_it() -> None:
    client = World().client()
    data = b"d\0\0\0\5x" + frontend.COPY_DONE_FRAME
    assert client.ask(run(b"COPY planet FROM STDIN"), data, SYNC, QUERY(READ)) == (
        "1 2 n G C:COPY 1 Z:I T D:1 C:SELECT 1 Z:I"
    )
    assert client.session.is_idle


@pytest.mark.parametrize("stray", [b"d\0\0\0\5x", frontend.COPY_DONE_FRAME, frontend.copy_fail(b"none")])
def test_data_that_came_before_a_copy_was_asked_for_is_no_part_of_it(stray: bytes) -> None:
    client = World().client()
    assert client.ask(run(READ), stray, QUERY(b"COPY planet FROM STDIN")) == "1 2 T D:0 C:SELECT 1 G"
    assert client.ask(b"d\0\0\0\5x", SYNC) == ""
    assert client.ask(frontend.copy_fail(b"enough"), SYNC) == "E:57014 Z:I Z:I"
    assert client.session.is_idle


def test_data_in_two_packets_never_leaves_the_origin_in_the_middle_of_a_message() -> None:
    client = World().client()
    client.ask(QUERY(b"COPY planet FROM STDIN"))
    data = compose(frontend.COPY_DATA, bytes(1000))
    client.say(data[:500])
    reader = FrameSplitter(1 << 20)
    assert sum(len(frame.body) for frame in reader.feed(client.origin.writes[-1])) == 495
    assert reader.release() == b""
    client.say(data[500:])
    assert client.ask(frontend.COPY_DONE_FRAME) == "C:COPY 1 Z:I"


def test_each_copy_of_one_batch_has_the_end_that_was_sent_behind_it() -> None:
    client = World().client()
    client.attach()
    copy, data = run(b"COPY planet FROM STDIN"), b"d\0\0\0\5x" + frontend.COPY_DONE_FRAME
    assert client.ask(copy, data, copy, data, SYNC) == "1 2 n G C:COPY 1 1 2 n G C:COPY 1 Z:I"
    assert client.session.is_idle


def test_an_origin_that_wants_data_for_a_question_of_ours_ends_no_suspension() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.session.state.doubt = True
    client.session.uplink.probe_if_in_doubt()
    client.say(QUERY(WRITE))
    client.session.resume(0.0)
    with pytest.raises(OriginFault):
        client.session.origin_received(b"G\0\0\0\7\0\0\0" + backend.READY_IDLE * 2, 0.0)
    client.session.origin_lost(0.0)
    assert len(client.port.doubts) == world.memory.suspended == 1
