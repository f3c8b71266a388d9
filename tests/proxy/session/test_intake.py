"""session.intake: messages become batches; a batch is plain where the memory may answer all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import TooManyNames
from proxy.session import batch as steps
from proxy.session.batch import OwnStep
from proxy.session.intake import MAX_NAMES, Intake
from proxy.session.shapes import Shape
from proxy.session.statements import Statements
from proxy.sql.commands import Show
from proxy.wire import frontend
from tests.proxy.session.world import READ, TEXT_RESULT

LAST = b"SHOW orrery.last"


class Hand:
    """An intake, and the client's messages by their letters."""

    def __init__(self) -> None:
        self.statements = Statements()
        self.intake = Intake(self.statements, lambda key: Shape(0, {}, key))

    def take(self, letters: str, portal: bytes = b"", name: bytes = b"", text: bytes = READ) -> Hand:
        for letter in letters:
            if letter == "P":
                self.intake.parse(frontend.parse(name, text), 0)
            elif letter == "B":
                self.intake.bind(frontend.bind(portal, name))
            elif letter == "D":
                self.intake.describe(frontend.describe(frontend.PORTAL, portal))
            elif letter == "s":
                self.intake.describe(frontend.describe(frontend.STATEMENT, name))
            elif letter == "E":
                self.intake.execute(frontend.execute(portal))
            else:
                self.intake.close(frontend.close(frontend.STATEMENT, name))
        return self

    @property
    def plain(self) -> bool:
        return self.intake.batch.plain


def is_plain(letters: str) -> bool:
    """The model: nothing but whole runs, [P] B [D] E, the last of them perhaps not finished."""
    rest = letters
    while rest:
        rest = rest.removeprefix("P")
        for part in ("B", "D", "E"):
            if rest == "":
                return True
            if rest.startswith(part):
                rest = rest[1:]
            elif part != "D":
                return False
    return True


@given(st.text("PBDEsC", max_size=8) | st.lists(st.sampled_from(["PBDE", "BE", "PBE", "s"])).map("".join))
def test_a_batch_is_plain_exactly_where_it_is_made_of_whole_runs(letters: str) -> None:
    assert Hand().take(letters).plain == is_plain(letters)


@given(st.text("PBDEsC", max_size=12))
def test_the_plan_and_the_frames_say_what_the_client_said(letters: str) -> None:
    batch = Hand().take(letters).intake.batch
    assert bytes(batch.plan).decode() == letters
    assert [chr(frame[0]) for frame in batch.frames] == list(letters.replace("s", "D"))
    assert batch.size == sum(map(len, batch.frames))


def test_a_named_portal_is_not_plain() -> None:
    assert not Hand().take("PBE", portal=b"p").plain


def test_a_name_parsed_again_is_not_plain_for_the_origin_has_an_error_to_say() -> None:
    hand = Hand().take("PBE", name=b"s")
    hand.intake.finish()
    assert not hand.take("PBE", name=b"s").plain


def test_the_unnamed_statement_may_be_parsed_again() -> None:
    hand = Hand().take("PBE")
    hand.intake.finish()
    assert hand.take("PBE").plain


def test_each_run_knows_its_statement_and_its_bind() -> None:
    (read,) = Hand().take("PBDE", name=b"s").intake.batch.reads
    assert read.statement is not None
    assert (read.statement.text, read.tail) == (READ, TEXT_RESULT)
    assert (read.parsed, read.described, read.executed) == (True, True, True)


def test_a_run_of_an_unknown_name_is_noted_as_such() -> None:
    batch = Hand().take("BE", name=b"nobody").intake.batch
    assert (batch.reads[0].statement, batch.runs) == (None, [None])


def test_execute_of_a_portal_of_before_may_do_what_its_statement_does() -> None:
    hand = Hand().take("PB", portal=b"p")
    hand.intake.finish()
    batch = hand.take("E", portal=b"p").intake.batch
    assert not batch.plain
    assert [run.text for run in batch.runs if run] == [READ]


def test_closing_a_name_frees_it() -> None:
    hand = Hand().take("P", name=b"s").take("C", name=b"s")
    assert b"s" not in hand.statements.named


def test_a_command_of_ours_is_no_message_for_the_origin() -> None:
    batch = Hand().take("PBDE", text=LAST).intake.batch
    assert batch.frames == []
    assert [step.kind for step in batch.own] == [
        steps.PARSE,
        steps.BIND,
        steps.DESCRIBE_PORTAL,
        steps.EXECUTE,
    ]
    assert {step.command for step in batch.own} == {Show("last")}


def test_a_query_ends_the_unnamed_statement_and_portal() -> None:
    hand = Hand().take("PB")
    hand.intake.query(frontend.query(READ), READ)
    assert (hand.statements.named, hand.statements.portals) == ({}, {})


def test_names_are_bounded() -> None:
    hand = Hand()
    hand.intake.parse(frontend.parse(b"", LAST), 0)
    prepared = hand.statements.named[b""]
    hand.statements.named.update((b"%d" % number, prepared) for number in range(MAX_NAMES))
    with pytest.raises(TooManyNames):
        hand.intake.parse(frontend.parse(b"more", LAST), 0)
    hand.statements.portals.update((b"%d" % number, prepared) for number in range(MAX_NAMES))
    with pytest.raises(TooManyNames):
        hand.intake.bind(frontend.bind(b"more", b""))


@pytest.mark.plain
def test_the_texts_behind_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.session.intake.MAX_TEXT_BYTES", 10_000)
    hand = Hand()
    for number in range(1000):
        hand.intake.parse(frontend.parse(b"s", READ), 0)
        hand.intake.close(frontend.close(frontend.STATEMENT, b"s"))
        hand.intake.parse(frontend.parse(b"", READ), number)

    def prepare_many() -> None:
        for number in range(1000):
            hand.intake.parse(frontend.parse(b"%d" % number, READ), 0)

    with pytest.raises(TooManyNames):
        prepare_many()
    assert sum(len(one.text) for one in hand.statements.named.values()) <= 10_000


def test_a_message_that_cannot_be_read_may_do_anything_and_is_passed_on() -> None:
    hand = Hand()
    hand.intake.malformed(b"B\0\0\0\4")
    batch = hand.intake.finish()
    assert (bytes(batch.plan), batch.runs, batch.plain) == (b"?", [None], False)
    assert batch.frames == [b"B\0\0\0\4"]


def test_commands_of_ours_count_as_what_is_held() -> None:
    hand = Hand()
    for _ in range(100):
        hand.intake.batch.add_own(OwnStep(steps.BIND, Show("last"), b"\0" * 6))
    assert hand.intake.batch.size > 10_000


def test_a_query_of_ours_carries_a_sync_should_it_have_to_wait() -> None:
    hand = Hand()
    hand.intake.query(frontend.query(LAST), LAST)
    assert hand.intake.batch.own_query == Show("last")
    assert hand.intake.batch.frames[-1] == frontend.SYNC_FRAME


def test_behind_unsynced_messages_a_text_of_ours_is_the_origin_s() -> None:
    hand = Hand().take("PBE")
    hand.intake.query(frontend.query(LAST), LAST)
    assert hand.intake.batch.own_query is None
    assert hand.intake.batch.simple is not None


def test_a_function_call_may_do_anything() -> None:
    hand = Hand()
    hand.intake.function_call(b"F\0\0\0\4")
    assert (hand.intake.batch.runs, hand.plain) == ([None], False)


def test_finish_begins_the_next_batch() -> None:
    hand = Hand().take("PBE")
    assert len(hand.intake.finish().frames) == 3
    assert hand.intake.batch.frames == []
