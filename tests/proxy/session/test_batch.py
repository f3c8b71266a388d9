"""session.batch: what belongs to a run's key, and who answers which message."""

from __future__ import annotations

from proxy.session import batch as steps
from proxy.session.batch import Batch, OwnStep, Read
from proxy.sql.commands import Purge, Refused, Show


def test_whether_a_row_description_was_asked_for_is_part_of_the_key() -> None:
    read, described = Read(None, b"", b"tail", parsed=False), Read(None, b"", b"tail", parsed=False)
    described.described = True
    assert read.key != described.key


def test_parameters_and_formats_are_part_of_the_key_as_they_travelled() -> None:
    assert Read(None, b"", b"one", parsed=False).key != Read(None, b"", b"two", parsed=False).key


def test_whether_it_was_parsed_just_now_is_not_part_of_the_key() -> None:
    assert Read(None, b"", b"tail", parsed=True).key == Read(None, b"", b"tail", parsed=False).key


def test_a_message_for_the_origin_is_counted_in_bytes() -> None:
    batch = Batch()
    batch.add(steps.BIND, b"12345")
    batch.add(steps.EXECUTE, b"123")
    assert (batch.size, batch.frames, bytes(batch.plan)) == (8, [b"12345", b"123"], b"BE")
    assert batch.plain


def test_a_message_of_ours_is_nothing_for_the_origin() -> None:
    batch = Batch()
    batch.add_own(OwnStep(steps.EXECUTE, Show("last")))
    assert (batch.frames, bytes(batch.plan), batch.plain) == ([], b"o", False)


def test_a_refused_command_of_ours_makes_the_origin_fail_in_its_place() -> None:
    batch = Batch()
    batch.add_refused(OwnStep(steps.EXECUTE, Show("last")))
    assert (batch.frames, bytes(batch.plan), len(batch.own)) == ([steps.REFUSAL], b"r", 1)


def test_one_that_is_refused_after_all_makes_it_fail_in_the_same_place() -> None:
    batch = Batch()
    batch.add(steps.BIND, b"first")
    batch.add_own(OwnStep(steps.BIND, Purge()))
    batch.add_own(OwnStep(steps.EXECUTE, Purge()))
    batch.add(steps.EXECUTE, b"last")
    refused = Refused("permission denied", "42501")
    batch.refuse(batch.own[1], refused)
    assert (batch.frames, bytes(batch.plan)) == ([b"first", steps.REFUSAL, b"last"], b"BorE")
    assert batch.own[1].command is refused


def read(tail: bytes, *, executed: bool = True) -> Read:
    made = Read(None, b"", tail, parsed=False)
    made.executed = executed
    return made


def test_each_run_has_the_parameters_of_its_bind() -> None:
    batch = Batch()
    batch.reads, batch.runs = [read(b"one"), read(b"two")], [None, None]
    assert batch.tails == [b"one", b"two"]


def test_runs_that_are_not_one_for_each_bind_have_no_parameters() -> None:
    batch = Batch()
    batch.reads, batch.runs = [read(b"one")], [None, None]
    assert batch.tails == [b"", b""]
    batch.reads = [read(b"one"), read(b"two", executed=False)]
    assert batch.tails == [b"", b""]
