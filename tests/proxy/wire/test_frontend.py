"""frontend: what is built is read back, and what PostgreSQL would refuse is refused in its words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FrameError, MessageTooLarge
from proxy.wire import frontend
from proxy.wire.framing import compose

names = st.binary(max_size=12).map(lambda name: name.replace(b"\0", b"_"))
oids = st.lists(st.binary(min_size=4, max_size=4), max_size=4).map(b"".join)


def bind_tail(formats: list[int], values: list[bytes | None], results: list[int]) -> bytes:
    def codes(numbers: list[int]) -> bytes:
        return len(numbers).to_bytes(2, "big") + b"".join(n.to_bytes(2, "big") for n in numbers)

    def value(content: bytes | None) -> bytes:
        return b"\xff\xff\xff\xff" if content is None else len(content).to_bytes(4, "big") + content

    return codes(formats) + len(values).to_bytes(2, "big") + b"".join(map(value, values)) + codes(results)


@given(names)
def test_query_is_read_back(text: bytes) -> None:
    assert frontend.read_query(frontend.query(text)) == text


@given(names, names, oids)
def test_parse_is_read_back(name: bytes, text: bytes, types: bytes) -> None:
    assert frontend.read_parse(frontend.parse(name, text, types)) == (name, text, types)


@given(names, names, st.binary(max_size=30))
def test_bind_is_read_back_with_its_tail_untouched(portal: bytes, statement: bytes, tail: bytes) -> None:
    assert frontend.read_bind(frontend.bind(portal, statement, tail)) == (portal, statement, tail)


@given(names, st.integers(-(2**31), 2**31 - 1))
def test_execute_is_read_back(portal: bytes, max_rows: int) -> None:
    assert frontend.read_execute(frontend.execute(portal, max_rows)) == (portal, max_rows)


@given(st.sampled_from([frontend.STATEMENT, frontend.PORTAL]), names)
def test_describe_and_close_are_read_back(which: int, name: bytes) -> None:
    assert frontend.read_describe(frontend.describe(which, name)) == (which, name)
    assert frontend.read_close(frontend.close(which, name)) == (which, name)


def test_login_messages_are_read_back() -> None:
    assert frontend.read_password(frontend.password(b"md5abc")) == b"md5abc"
    initial = frontend.sasl_initial_response(b"SCRAM-SHA-256", b"n,,n=,r=x")
    assert frontend.read_sasl_initial_response(initial) == (b"SCRAM-SHA-256", b"n,,n=,r=x")
    assert frontend.sasl_response(b"c=biws") == compose(ord("p"), b"c=biws")


def test_a_sasl_initial_response_may_come_without_a_first_message() -> None:
    raw = compose(ord("p"), b"SCRAM-SHA-256\0\xff\xff\xff\xff")
    assert frontend.read_sasl_initial_response(raw) == (b"SCRAM-SHA-256", b"")


@pytest.mark.parametrize(
    ("reader", "body", "words"),
    [
        (frontend.read_query, b"select 1", "invalid string in message"),
        (frontend.read_query, b"", "invalid string in message"),
        (frontend.read_query, b"select 1\0x", "invalid message format"),
        (frontend.read_parse, b"name", "invalid string in message"),
        (frontend.read_parse, b"\0text", "invalid string in message"),
        (frontend.read_parse, b"\0text\0", "insufficient data left in message"),
        (frontend.read_parse, b"\0text\0\0\1\0\0\0", "insufficient data left in message"),
        (frontend.read_parse, b"\0text\0\0\0x", "invalid message format"),
        (frontend.read_bind, b"portal\0statement", "invalid string in message"),
        (frontend.read_execute, b"\0\0\0\0", "insufficient data left in message"),
        (frontend.read_execute, b"\0\0\0\0\0\0", "invalid message format"),
        (frontend.read_describe, b"", "no data left in message"),
        (frontend.read_describe, b"Xname\0", "invalid DESCRIBE message subtype 88"),
        (frontend.read_describe, b"\0name\0", "invalid DESCRIBE message subtype 0"),
        (frontend.read_close, b"Xname\0", "invalid CLOSE message subtype 88"),
        (frontend.read_close, b"Sname", "invalid string in message"),
        (frontend.read_sasl_initial_response, b"SCRAM\0\0\0\0\2x", "insufficient data left in message"),
        (frontend.read_sasl_initial_response, b"SCRAM\0\0\0", "insufficient data left in message"),
        (frontend.read_sasl_initial_response, b"SCRAM\0\0\0\0\1xy", "invalid message format"),
    ],
)
def test_a_body_that_postgresql_refuses_is_refused_in_its_words(
    reader: Callable[[bytes], object], body: bytes, words: str
) -> None:
    with pytest.raises(FrameError, match=words):
        reader(compose(ord("?"), body))


@given(
    st.lists(st.none() | st.binary(max_size=9), max_size=5).flatmap(
        lambda values: st.tuples(
            st.just(values),
            st.sampled_from(sorted({0, 1, len(values)})).flatmap(
                lambda count: st.lists(st.sampled_from([0, 1]), min_size=count, max_size=count)
            ),
        )
    ),
    st.lists(st.sampled_from([0, 1]), max_size=4),
)
def test_a_bind_that_follows_the_rules_is_well_formed_and_its_parameters_are_read(
    parameters: tuple[list[bytes | None], list[int]], results: list[int]
) -> None:
    values, formats = parameters
    tail = bind_tail(formats, values, results)
    assert frontend.bind_is_well_formed(tail)
    codes = formats if len(formats) == len(values) else (formats or [0]) * len(values)
    assert frontend.bind_parameters(tail) == list(zip(codes, values, strict=True))
    assert not any(frontend.bind_is_well_formed(tail[:stop]) for stop in range(len(tail)))
    assert not frontend.bind_is_well_formed(tail + b"\0")


@pytest.mark.parametrize(
    "tail",
    [
        bind_tail([0, 0], [b"1"], []),
        bind_tail([0, 1], [b"1", b"2", b"3"], []),
        bind_tail([2], [b"1"], []),
        bind_tail([], [b"1"], [2]),
        b"\0\0\0\1\xff\xff\xff\xfe\0\0",
        b"\0\0\0\1\x7f\xff\xff\xff\0\0",
    ],
    ids=["two formats", "two formats for three", "format 2", "result format 2", "length -2", "length beyond"],
)
def test_a_bind_that_breaks_a_rule_is_not_well_formed(tail: bytes) -> None:
    assert not frontend.bind_is_well_formed(tail)


def test_the_default_bind_has_no_parameters() -> None:
    _, _, tail = frontend.read_bind(frontend.bind(b"", b""))
    assert frontend.bind_is_well_formed(tail)
    assert frontend.bind_parameters(tail) == []


def test_what_a_client_says_is_scanned_and_copy_data_streams() -> None:
    data = compose(frontend.COPY_DATA, bytes(200))
    scanner = frontend.scanner(100)
    assert scanner.scan(data) == [(frontend.COPY_DATA, data, 1)]
    assert scanner.scan(frontend.SYNC_FRAME) == [(frontend.SYNC, frontend.SYNC_FRAME, 1)]


def test_a_message_that_carries_at_most_a_name_is_held_to_postgresql_s_small_limit() -> None:
    frontend.scanner(1 << 20).scan(frontend.query(bytes(20_000)))
    with pytest.raises(MessageTooLarge):
        frontend.scanner(1 << 20).scan(frontend.close(frontend.STATEMENT, b"x" * 20_000))


@pytest.mark.parametrize("kind", b"pRZ\x00\xff")
def test_a_client_that_is_logged_in_may_send_no_other_kind(kind: int) -> None:
    with pytest.raises(FrameError, match=f"invalid frontend message type {kind}"):
        frontend.scanner(100).scan(compose(kind, b""))


def test_a_copy_can_be_failed_with_a_reason() -> None:
    assert frontend.copy_fail(b"why") == compose(frontend.COPY_FAIL, b"why\0")


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_parameters_given_as_text_are_read_back(values: list[bytes]) -> None:
    tail = frontend.bind_texts(values)
    assert frontend.bind_is_well_formed(tail)
    assert frontend.bind_parameters(tail) == [(0, value) for value in values]


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5), st.integers(0, 4), st.binary(max_size=9))
def test_one_parameter_is_replaced_and_the_others_stay(values: list[bytes], place: int, value: bytes) -> None:
    place %= len(values)
    changed = frontend.with_parameter(frontend.bind_texts(values), place + 1, value)
    assert changed == frontend.bind_texts([*values[:place], value, *values[place + 1 :]])
