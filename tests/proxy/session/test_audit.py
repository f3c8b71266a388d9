"""session.audit: what is asked for again, as whom, and what the comparison may say."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import pytest

from proxy.cache import tags
from proxy.session import audit, probe
from proxy.session.audit import DIFFERENT, EXCUSED, FRESH, Reply, Request, Sample
from proxy.sql.determinacy import Determinacy
from proxy.wire import backend, frontend
from proxy.wire.backend import Column
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from tests.doubles.origin import Refusal, ScriptedOrigin
from tests.proxy.session import sky
from tests.proxy.session.world import READ, SYNC, TEXT_RESULT, Conversation, World, learnt, run

FLOAT_OID = 701


class Checked:
    """A client whose second answer of ``frames`` came from memory, and an origin for the auditor."""

    def __init__(self, *frames: bytes, **values: str) -> None:
        self.world = World()
        self.client: Conversation = self.world.client(**values)
        self.world.shared.audit_at = 1
        self.client.ask(*frames)
        self.client.ask(*frames)
        ((shape, entry),) = self.client.port.audited
        ticket = self.world.memory.ticket_of(entry)
        self.sample = Sample(shape, entry, ticket, self.client.session.state.scope(), self.world.clock.now)
        self.origin = ScriptedOrigin(self.world.data)
        self.origin.learnt = learnt(values)

    def ask(self, known: list[str] | None = None) -> Reply:
        return play(audit.question(self.sample, self.request, probe.Learnt(known or learnt())), self.origin)

    @property
    def request(self) -> Request:
        found = audit.request(self.sample)
        assert found is not None
        return found

    def judge(self, reply: Reply) -> str:
        return audit.judge(self.sample, self.request, reply)

    def verdict(self) -> str:
        return self.judge(self.ask())


def play(dialogue: Generator[bytes, Frame, Reply], origin: ScriptedOrigin) -> Reply:
    """Both sides, to the end."""
    splitter = FrameSplitter(1 << 20, BACKEND)
    say = next(dialogue)
    while True:
        origin.send(say)
        for frame in splitter.feed(origin.answer()):
            try:
                say = dialogue.send(frame)
            except StopIteration as end:
                reply: Reply = end.value
                return reply


def texts(origin: ScriptedOrigin) -> list[str]:
    parsed = (frontend.read_parse(f.raw)[1].decode() for f in origin.heard if f.kind == frontend.PARSE)
    return ["probe" if text == probe.TEXT else text for text in parsed]


QUERY = (frontend.query(READ),)
EXTENDED = (run(READ), SYNC)
UNDESCRIBED = (frontend.parse(b"", READ), frontend.bind(b"", b""), frontend.execute(b""), SYNC)


@pytest.mark.parametrize("frames", [QUERY, EXTENDED, UNDESCRIBED])
def test_an_equal_answer_is_fresh(frames: tuple[bytes, ...]) -> None:
    assert Checked(*frames).verdict() == FRESH


@pytest.mark.parametrize("frames", [QUERY, EXTENDED, UNDESCRIBED])
def test_other_rows_with_no_write_in_flight_are_a_difference(frames: tuple[bytes, ...]) -> None:
    checked = Checked(*frames)
    checked.world.data.number += 1
    assert checked.verdict() == DIFFERENT


def test_an_altered_answer_is_a_difference() -> None:
    checked = Checked(*QUERY)
    checked.sample.entry.payload = checked.sample.entry.payload.replace(b"0", b"7", 1)
    assert checked.verdict() == DIFFERENT


def test_a_write_that_has_ended_meanwhile_is_an_excuse() -> None:
    checked = Checked(*QUERY)
    reply = checked.ask()
    checked.world.memory.drop(tags.relations_of(sky.DATABASE, [sky.PLANET]), "own_write")
    assert checked.judge(reply) == EXCUSED


def test_a_write_on_its_way_is_an_excuse_and_one_elsewhere_is_none() -> None:
    checked = Checked(*QUERY)
    checked.world.data.number += 1
    reply = checked.ask()
    checked.world.memory.suspend(tags.relations_of(sky.DATABASE, [sky.STAR]))
    assert checked.judge(reply) == DIFFERENT
    checked.world.memory.suspend(tags.relations_of(sky.DATABASE, [sky.PLANET]))
    assert checked.judge(reply) == EXCUSED


def test_it_is_asked_in_a_read_only_transaction_that_is_rolled_back() -> None:
    checked = Checked(*QUERY)
    checked.ask()
    first, settings, *rest = texts(checked.origin)
    assert first == "BEGIN READ ONLY"
    assert settings.startswith("SELECT pg_catalog.set_config($1, $2, true)")
    assert rest == ["probe", READ.decode(), "ROLLBACK"]
    assert checked.origin.status == ord("I")


def test_settings_and_role_are_brought_in_line_first_and_compared_afterwards() -> None:
    checked = Checked(*QUERY, timezone="Asia/Tokyo")
    reply = checked.ask(learnt({"timezone": "UTC"}, role="bob"))
    binds = [frontend.read_bind(f.raw)[2] for f in checked.origin.heard if f.kind == frontend.BIND]
    told = [value for _, value in frontend.bind_parameters(binds[1])]
    assert told[-4:] == [b"timezone", b"Asia/Tokyo", b"role", b"alice"]
    assert checked.judge(reply) == FRESH


@pytest.mark.parametrize("found", [learnt({"timezone": "Asia/Tokyo"}), learnt(role="bob")])
def test_an_answer_under_other_settings_or_another_role_says_nothing(found: list[str]) -> None:
    checked = Checked(*QUERY)
    checked.world.data.number += 1
    checked.origin.learnt = found
    assert checked.verdict() == "settings"


@pytest.mark.parametrize(
    ("code", "verdict"), [("42501", "refused"), ("57014", "timeout"), ("55P03", "timeout")]
)
def test_an_error_of_the_statement_says_nothing_and_leaves_no_transaction(code: str, verdict: str) -> None:
    checked = Checked(*QUERY)
    checked.origin.faults[READ] = Refusal(code)
    assert checked.verdict() == verdict
    assert checked.origin.status == ord("I")


def test_an_error_before_the_statement_says_nothing() -> None:
    checked = Checked(*QUERY)
    checked.origin.faults[b"BEGIN READ ONLY"] = Refusal("0A000")
    assert checked.verdict() == "settings"


# Comparing


def rows(*values: str) -> bytes:
    tag = backend.command_complete(f"SELECT {len(values)}".encode())
    return b"".join(backend.data_row([value.encode()]) for value in values) + tag


def compared(text: bytes, remembered: bytes, told: bytes, kind: int = 25) -> str:
    """The verdict over a made-up answer without a row description."""
    frames = (frontend.parse(b"", text), frontend.bind(b"", b""), frontend.execute(b""), SYNC)
    checked = Checked(*frames)
    checked.sample.entry.payload = remembered
    reply = checked.ask()
    reply.description = backend.row_description([Column("a", kind)])
    reply.body = [frame.raw for frame in FrameSplitter(1 << 20, BACKEND).feed(told)]
    return checked.judge(reply)


def test_rows_in_no_order_are_compared_as_a_multiset() -> None:
    assert compared(READ, rows("a", "b", "b"), rows("b", "a", "b")) == FRESH
    assert compared(READ, rows("a", "b", "b"), rows("b", "a", "a")) == DIFFERENT


def test_where_an_order_was_asked_for_another_order_may_be_ties_or_a_change() -> None:
    text = READ + b" ORDER BY id"
    assert compared(text, rows("a", "b"), rows("a", "b")) == FRESH
    assert compared(text, rows("a", "b"), rows("b", "a")) == "order"
    assert compared(text, rows("a", "b"), rows("b", "c")) == DIFFERENT


def test_more_than_was_remembered_is_not_kept() -> None:
    reply = Reply(30)
    for _ in range(4):
        reply.take(Frame(backend.PARSE_COMPLETE, backend.PARSE_COMPLETE_FRAME))
    for _ in range(3):
        row = backend.data_row([b"0123456789"])
        reply.take(Frame(backend.DATA_ROW, row))
    assert reply.body is None


def test_a_row_more_than_was_remembered_ends_the_reading() -> None:
    reply = Reply(1000)
    for _ in range(4):
        reply.take(Frame(backend.PARSE_COMPLETE, backend.PARSE_COMPLETE_FRAME))
    reply.take(Frame(backend.PORTAL_SUSPENDED, backend.PORTAL_SUSPENDED_FRAME))
    assert reply.body is None


# What to ask


def bound(*values: bytes | None, binary: bool = False) -> bytes:
    code = b"\0\1\0\1" if binary else b"\0\0"
    sized = b"".join(b"\xff\xff\xff\xff" if v is None else len(v).to_bytes(4, "big") + v for v in values)
    return code + len(values).to_bytes(2, "big") + sized + b"\0\0"


def asked(
    text: bytes, tail: bytes = TEXT_RESULT, types: bytes = b"", answer: bytes = rows("a")
) -> Request | None:
    """How an ``answer`` to this would be asked for; ``types`` are those of Parse."""
    frames = (frontend.parse(b"", text), frontend.bind(b"", b"", tail), frontend.execute(b""), SYNC)
    checked = Checked(*frames)
    checked.sample.shape.key = text + b"\0" + types
    checked.sample.entry.payload = answer
    return audit.request(checked.sample)


def told(request: Request | None) -> tuple[bytes, bool] | None:
    """The text, and whether its limit was raised."""
    return None if request is None else (request.text, request.raised)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (b"", (b"", False)),
        (b" LIMIT 2", (b" LIMIT 2", False)),
        (b" LIMIT 1", (b" LIMIT 2", True)),
        (b" /* LIMIT 7 */ LIMIT 1 OFFSET 0", (b" /* LIMIT 7 */ LIMIT 2 OFFSET 0", True)),
        (b" LIMIT 3 OFFSET 1", None),
        (b" FETCH FIRST ROW ONLY", None),
    ],
)
def test_a_limit_that_was_met_is_asked_for_one_higher(
    clause: bytes, expected: tuple[bytes, bool] | None
) -> None:
    found = told(asked(READ + clause))
    assert found == (None if expected is None else (READ + expected[0], expected[1]))


@pytest.mark.parametrize(
    ("value", "higher", "raised"), [(b"2", b"2", False), (b"1", b"2", True), (b"9", b"9", False)]
)
def test_a_limit_may_be_a_parameter_as_text(value: bytes, higher: bytes, *, raised: bool) -> None:
    found = asked(READ + b" LIMIT $1 OFFSET $2", bound(value, b"0"))
    assert found is not None
    assert (found.tail, found.raised) == (bound(higher, b"0"), raised)


@pytest.mark.parametrize(("value", "higher", "raised"), [(2, 2, False), (1, 2, True)])
def test_a_limit_may_be_a_parameter_in_binary(value: int, higher: int, *, raised: bool) -> None:
    int8 = (20).to_bytes(4, "big") * 2
    tail, expected = (bound(n.to_bytes(8, "big"), bytes(8), binary=True) for n in (value, higher))
    found = asked(READ + b" LIMIT $1 OFFSET $2", tail, int8)
    assert found is not None
    assert (found.tail, found.raised) == (expected, raised)


@pytest.mark.parametrize(
    "tail",
    [
        bound(None),
        bound(b"2x"),
        bound(b"-1"),
        bound(b""),
        bound(b"0" * 5000),
        bound(b"\xff\xff", binary=True),
    ],
)
def test_a_limit_that_cannot_be_read_is_an_objection(tail: bytes) -> None:
    assert asked(READ + b" LIMIT $1", tail) is None


def test_a_limit_of_another_type_cannot_be_read() -> None:
    assert asked(READ + b" LIMIT $1", bound(b"2"), FLOAT_OID.to_bytes(4, "big")) is None


def test_the_highest_number_of_its_type_cannot_be_raised() -> None:
    tail = bound(b"\x7f\xff", b"\0\0", binary=True)
    many = rows(*["a"] * 0x7FFF)
    assert asked(READ + b" LIMIT $1 OFFSET $2", tail, (21).to_bytes(4, "big") * 2, many) is None


def test_a_limit_that_cut_something_off_says_nothing() -> None:
    frames = (frontend.query(READ + b" LIMIT 1"),)
    checked = Checked(*frames)
    reply = checked.ask()
    assert checked.judge(reply) == FRESH
    reply.more, reply.body = True, None
    assert checked.judge(reply) == "order"


def test_sums_of_floats_are_not_compared_and_others_are() -> None:
    frames = (frontend.parse(b"", READ), frontend.bind(b"", b""), frontend.execute(b""), SYNC)
    checked = Checked(*frames)
    reply = checked.ask()
    request = replace(checked.request, found=Determinacy(determined=True, adding=True))
    assert audit.judge(checked.sample, request, reply) == FRESH
    reply.description = backend.row_description([Column("a", FLOAT_OID)])
    assert audit.judge(checked.sample, request, reply) == "order"
