"""Runs answered from the bytes as they came: the same answers as the long way gives, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FrameError
from proxy.session.port import ROOM
from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.proxy.session.world import OTHER_READ, READ, SYNC, WRITE, Conversation, World, rerun, run

KEPT: Final = "T D:0 C:SELECT 1"
PLAIN_RERUN: Final = frontend.bind(b"", b"s") + frontend.execute(b"")


def a_client() -> Conversation:
    """One whose every read of READ is remembered; ``s`` is READ, prepared."""
    client = World().client()
    client.remember()
    client.ask(frontend.parse(b"s", READ), SYNC)
    for _ in range(2):
        client.ask(run(READ), SYNC)
        client.ask(rerun(b"s"), SYNC)
        client.ask(PLAIN_RERUN, SYNC)
    client.heard()
    return client


@pytest.mark.parametrize(
    ("packet", "reply"),
    [
        (rerun(b"s") + SYNC, f"2 {KEPT} Z:I"),
        (PLAIN_RERUN + SYNC, "2 D:0 C:SELECT 1 Z:I"),
        (run(READ) + SYNC, f"1 2 {KEPT} Z:I"),
        (frontend.query(READ), f"{KEPT} Z:I"),
    ],
    ids=["prepared", "not described", "parsed", "simple"],
)
def test_a_pipeline_of_hits_is_answered_with_one_write(packet: bytes, reply: str) -> None:
    client = a_client()
    hits, writes = client.world.counters.hit, len(client.port.writes)
    client.say(packet * 5)
    assert client.told() == " ".join([reply] * 5)
    assert len(client.port.writes) == writes + 1
    assert client.world.counters.hit == hits + 5
    assert not client.heard()


def test_what_is_not_remembered_is_left_in_its_place() -> None:
    client = a_client()
    packet = rerun(b"s") + SYNC + frontend.query(OTHER_READ) + rerun(b"s") + SYNC
    assert client.ask(packet) == f"2 {KEPT} Z:I {KEPT} Z:I 2 {KEPT} Z:I"
    assert client.heard()[0] == OTHER_READ.decode()


def test_nothing_is_answered_while_a_write_is_on_its_way() -> None:
    client = a_client()
    client.say(frontend.query(WRITE), rerun(b"s"), SYNC)
    assert client.told() == ""
    client.settle()
    assert client.told() == f"C:UPDATE 1 Z:I 2 {KEPT.replace('D:0', 'D:1')} Z:I"


def test_nothing_is_answered_behind_a_frame_that_is_not_whole() -> None:
    client = a_client()
    packet = frontend.query(READ)
    hits = client.world.counters.hit
    client.say(packet[:3])
    client.say(packet[3:] + packet)
    assert client.world.counters.hit == hits + 2
    assert client.told() == f"{KEPT} Z:I {KEPT} Z:I"


def test_a_bind_behind_a_parse_without_sync_is_no_run_of_its_own() -> None:
    client = a_client()
    client.say(frontend.parse(b"", OTHER_READ))
    client.say(rerun(b"s"), SYNC)
    assert client.told() == ""


def test_the_unnamed_statement_is_the_one_parsed_last() -> None:
    client = a_client()
    client.ask(run(OTHER_READ), SYNC)
    client.ask(run(READ), SYNC)
    client.heard()
    hits = client.world.counters.hit
    client.ask(rerun(b""), SYNC)
    assert client.world.counters.hit == hits + 1
    assert not client.heard()


def test_a_query_ends_the_unnamed_statement() -> None:
    client = a_client()
    client.say(run(READ), SYNC, frontend.query(READ), rerun(b""), SYNC)
    client.settle()
    assert client.told().endswith("E:26000 Z:I")


@pytest.mark.parametrize(
    "raw",
    [
        compose(frontend.QUERY, READ),
        compose(frontend.QUERY, READ + b"\0\0"),
        compose(frontend.PARSE, b"\0" + READ + b"\0\0\1") + rerun(b"") + SYNC,
        compose(frontend.PARSE, b"\0" + READ + b"\0") + rerun(b"") + SYNC,
        compose(frontend.BIND, b"\0") + rerun(b"s")[len(frontend.bind(b"", b"s")) :] + SYNC,
    ],
)
def test_a_malformed_message_goes_to_the_origin_though_its_like_is_remembered(raw: bytes) -> None:
    client = a_client()
    hits = client.world.counters.hit
    assert client.ask(raw) == "E:08P01 Z:I"
    assert client.world.counters.hit == hits
    assert raw in b"".join(client.origin.writes)


def test_a_frame_of_an_impossible_length_is_refused_though_its_like_is_remembered() -> None:
    client = a_client()
    hits = client.world.counters.hit
    with pytest.raises(FrameError):
        client.say(b"B\xff\xff\xff\xee" + rerun(b"s") + SYNC)
    assert client.world.counters.hit == hits


def test_parameter_types_that_look_like_the_end_of_a_text_are_not_taken_for_it() -> None:
    client = a_client()
    hits = client.world.counters.hit
    client.ask(frontend.parse(b"", READ, b"\0\0\0\x17") + rerun(b"") + SYNC)
    assert client.world.counters.hit == hits


BATCHES: Final = (
    (frontend.query(READ),),
    (frontend.query(OTHER_READ),),
    (frontend.query(WRITE),),
    (frontend.query(b"BEGIN"),),
    (frontend.query(b"COMMIT"),),
    (frontend.parse(b"", READ), SYNC),
    (frontend.parse(b"", READ), frontend.bind(b"", b""), frontend.execute(b""), SYNC),
    (frontend.bind(b"", b"s"), frontend.execute(b""), SYNC),
    (frontend.bind(b"", b"s"), frontend.describe(frontend.PORTAL, b""), frontend.execute(b""), SYNC),
    (frontend.bind(b"", b""), frontend.describe(frontend.PORTAL, b""), frontend.execute(b""), SYNC),
    (frontend.bind(b"", b"s"), frontend.execute(b"", 1), SYNC),
    (frontend.bind(b"p", b"s"), frontend.execute(b"p"), SYNC),
    (frontend.parse(b"", OTHER_READ), frontend.bind(b"", b""), frontend.execute(b""), SYNC),
)


@given(st.lists(st.sampled_from(BATCHES), max_size=8), st.lists(st.integers(0, 600), max_size=6))
def test_however_the_stream_is_cut_the_client_gets_the_same(
    batches: list[tuple[bytes, ...]], cuts: list[int]
) -> None:
    frames = [frame for batch in batches for frame in batch]
    stream = b"".join(frames)
    alone, cut = a_client(), a_client()
    for frame in frames:
        alone.say(frame)
    for start, stop in pairwise(sorted({0, len(stream), *(at for at in cuts if at < len(stream))})):
        cut.say(stream[start:stop])
    for client in (alone, cut):
        client.settle()
    assert cut.told() == alone.told()
    assert cut.heard() == alone.heard()
    assert cut.world.counters.hit == alone.world.counters.hit


def test_no_more_is_answered_than_the_client_reads() -> None:
    client = a_client()
    session, port = client.session, client.port
    take = port.to_client

    def take_and_be_full(data: bytes) -> None:
        take(data)
        session.client_is_full = True

    port.to_client = take_and_be_full  # type: ignore[method-assign]
    hits = client.world.counters.hit
    client.say(frontend.query(READ) * 500)
    answered = client.world.counters.hit - hits
    assert 0 < answered < 100
    assert client.waits_for(ROOM)
    while client.waits_for(ROOM):
        session.client_is_full = False
        session.room_again()
    assert client.world.counters.hit == hits + 500
    assert client.told() == " ".join([f"{KEPT} Z:I"] * 500)
