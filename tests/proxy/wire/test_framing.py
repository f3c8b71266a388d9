"""framing: bytes in, frames out, whatever the cuts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FrameError, MessageTooLarge, OriginProtocolError
from proxy.wire.framing import (
    BACKEND,
    FrameScanner,
    FrameSplitter,
    Segment,
    compose,
    cstring,
    limits,
)

SYNC = b"S\x00\x00\x00\x04"
QUERY = b"Q\x00\x00\x00\x0dselect 1\x00"
ROW = compose(ord("D"), b"\x00\x01\x00\x00\x00\x011")
COPY = compose(ord("d"), b"1\tMercury\n")
DONE = compose(ord("C"), b"SELECT 2\x00")

frames = st.lists(
    st.tuples(st.sampled_from(b"CDTd"), st.binary(max_size=40)).map(lambda f: compose(*f)), max_size=12
)


def scanner(max_frame: int = 64) -> FrameScanner:
    return FrameScanner(limits(max_frame, b"CTZ", b"Dd"), BACKEND)


def kinds(splitter: FrameSplitter, *chunks: bytes) -> str:
    return "".join(chr(frame.kind) for chunk in chunks for frame in splitter.feed(chunk))


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:stop] for start, stop in pairwise(edges)]


def test_two_messages_in_one_chunk() -> None:
    assert kinds(FrameSplitter(64), QUERY + SYNC) == "QS"


@pytest.mark.parametrize("place", range(1, len(QUERY + SYNC)))
def test_any_cut_gives_the_same_frames(place: int) -> None:
    stream = QUERY + SYNC
    assert kinds(FrameSplitter(64), stream[:place], stream[place:]) == "QS"


@pytest.mark.parametrize("length", [-1, 0, 3])
def test_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(FrameError, match=f"invalid message length {length} "):
        FrameSplitter(64).feed(b"Q" + length.to_bytes(4, "big", signed=True))


@pytest.mark.soundness("7.6")
@pytest.mark.parametrize("length", [64, 2**31 - 1])
def test_a_frame_above_the_limit_is_refused_before_its_body_arrives(length: int) -> None:
    with pytest.raises(MessageTooLarge, match="more than 64"):
        FrameSplitter(64).feed(b"Q" + length.to_bytes(4, "big"))


def test_a_frame_of_exactly_the_limit_passes() -> None:
    assert kinds(FrameSplitter(64), compose(ord("Q"), bytes(59))) == "Q"


def test_raw_is_the_message_unchanged_and_body_is_what_follows_its_length() -> None:
    (frame,) = FrameSplitter(64).feed(QUERY)
    assert (frame.raw, frame.body) == (QUERY, b"select 1\x00")


def test_what_a_splitter_holds_can_be_handed_over() -> None:
    splitter = FrameSplitter(64)
    splitter.feed(SYNC + QUERY[:7])
    assert splitter.release() == QUERY[:7]
    assert kinds(splitter, SYNC) == "S"


def test_a_run_of_rows_is_one_segment_with_their_count() -> None:
    assert scanner().scan(ROW + ROW + DONE) == [(ord("D"), ROW + ROW, 2), (ord("C"), DONE, 1)]


def test_a_chunk_of_rows_alone_is_handed_back_without_a_copy() -> None:
    chunk = ROW * 3
    assert scanner().scan(chunk)[0][1] is chunk


def test_streamed_kinds_are_told_apart() -> None:
    assert [segment[0] for segment in scanner().scan(ROW + COPY + ROW)] == list(b"DdD")


def test_a_row_larger_than_any_limit_passes_in_pieces() -> None:
    row = compose(ord("D"), bytes(1000))
    rows = scanner(64)
    assert rows.scan(row[:300]) == [(ord("D"), row[:300], 0)]
    assert rows.outstanding == 705
    assert rows.scan(row[300:600]) == [(ord("D"), row[300:600], 0)]
    assert rows.scan(row[600:] + DONE) == [(ord("D"), row[600:], 1), (ord("C"), DONE, 1)]
    assert rows.outstanding == 0


def test_a_row_that_ends_with_its_chunk_leaves_nothing_outstanding() -> None:
    rows = scanner()
    rows.scan(ROW[:6])
    assert rows.scan(ROW[6:]) == [(ord("D"), ROW[6:], 1)]
    assert rows.scan(DONE) == [(ord("C"), DONE, 1)]


def test_a_header_that_is_cut_is_held_until_it_is_whole() -> None:
    rows = scanner()
    assert rows.scan(ROW + ROW[:4]) == [(ord("D"), ROW, 1)]
    assert rows.scan(ROW[4:]) == [(ord("D"), ROW, 1)]


@pytest.mark.parametrize("length", [-5, 0, 3])
def test_an_impossible_length_inside_a_run_of_rows_is_refused(length: int) -> None:
    with pytest.raises(OriginProtocolError, match="invalid message length"):
        scanner().scan(ROW + b"D" + length.to_bytes(4, "big", signed=True))


def test_a_kind_that_the_side_may_not_send_is_refused_before_its_length_is_believed() -> None:
    with pytest.raises(OriginProtocolError, match="invalid backend message type 81"):
        scanner().scan(b"Q\x7f\xff\xff\xff")


def test_the_fault_is_the_side_s_own() -> None:
    with pytest.raises(OriginProtocolError, match="backend message type 67 has 101 bytes, more than 64"):
        scanner().scan(compose(ord("C"), bytes(96)))


@given(frames, st.lists(st.integers(min_value=0), max_size=8))
def test_segments_joined_are_the_stream_and_their_frames_are_counted(
    messages: list[bytes], places: list[int]
) -> None:
    stream = b"".join(messages)
    rows = scanner(4096)
    segments: list[Segment] = [segment for chunk in cut(stream, places) for segment in rows.scan(chunk)]
    assert b"".join(segment[1] for segment in segments) == stream
    for kind in b"CDTd":
        assert sum(s[2] for s in segments if s[0] == kind) == sum(m[0] == kind for m in messages)
    assert [s[1] for s in segments if s[0] in b"CT"] == [m for m in messages if m[0] in b"CT"]
    assert (rows.outstanding, rows.release()) == (0, b"")


@given(frames, st.lists(st.integers(min_value=0), max_size=8))
def test_frames_that_are_cut_anew_are_whole_after_every_chunk_and_carry_the_same(
    messages: list[bytes], places: list[int]
) -> None:
    anew = FrameScanner(limits(4096, b"CTZ", b"Dd"), BACKEND, anew=True)
    reader = FrameSplitter(1 << 20)
    carried: list[tuple[int, bytes]] = []
    for chunk in cut(b"".join(messages), places):
        for kind, raw, _ in anew.scan(chunk):
            carried += [(kind, frame.body) for frame in reader.feed(raw)]
            assert reader.release() == b""
    for kind in b"CDTd":
        sent = b"".join(message[5:] for message in messages if message[0] == kind)
        assert b"".join(body for what, body in carried if what == kind) == sent


@given(frames, st.lists(st.integers(min_value=0), max_size=8))
def test_any_cuts_give_a_splitter_the_same_frames(messages: list[bytes], places: list[int]) -> None:
    splitter = FrameSplitter(4096)
    chunks = cut(b"".join(messages), places)
    assert [frame.raw for chunk in chunks for frame in splitter.feed(chunk)] == messages


def test_a_large_frame_in_many_chunks_is_held_once_and_given_back_whole() -> None:
    frame = compose(ord("T"), bytes(range(256)) * 400)
    splitter = FrameSplitter(1 << 20)
    chunks = [frame[at : at + 100] for at in range(0, len(frame), 100)]
    given_back = [found.raw for chunk in chunks for found in splitter.feed(chunk)]
    assert given_back == [frame]


def test_a_string_of_the_protocol_cannot_hold_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        cstring("a\0b")
