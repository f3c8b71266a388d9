"""Scripts that once showed a difference: each is played on twins, and every answer must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.wire import backend, frontend
from proxy.wire.framing import Frame
from tests.differential import messages
from tests.differential.messages import Part, Step
from tests.differential.player import TemporaryAgain
from tests.differential.run import play
from tests.matrix import pool_transaction

if TYPE_CHECKING:
    from tests.differential.twins import Nursery

pytestmark = pytest.mark.postgres

SYNC = frontend.SYNC_FRAME
REFUSAL = "cached plan must not change result type"


def run_unnamed(sql: str) -> bytes:
    """Parse, Bind and Execute."""
    return messages.parse("", sql) + messages.bind("", "") + messages.execute()


def played(nursery: Nursery, *steps: Step) -> str:
    """What differs, "" where nothing does."""
    difference, _ = play(nursery, steps)
    return difference.seen if difference is not None else ""


@pytest.mark.parametrize("end", [frontend.COPY_DONE_FRAME, frontend.copy_fail(b"no")])
def test_data_of_a_copy_may_follow_execute_before_any_sync(nursery: Nursery, end: bytes) -> None:
    data = messages.copy_data(b"1\t2\tcopied\t3\n") + end
    copy = Step(0, (Part(run_unnamed("COPY archive FROM STDIN") + data + SYNC),))
    assert not played(nursery, copy, messages.query(0, "SELECT * FROM archive"))


def test_a_query_answered_from_memory_ends_the_unnamed_statement(nursery: Nursery) -> None:
    query = messages.query(0, "SELECT id FROM gauge ORDER BY id", read=True)
    parse = Step(0, (Part(messages.parse("", "SELECT name FROM star ORDER BY id") + SYNC),))
    run = Step(0, (Part(messages.bind("", "") + messages.execute() + SYNC),))
    assert not played(nursery, query, parse, run, query, run)


def test_a_query_answered_from_memory_ends_the_unnamed_portal(nursery: Nursery) -> None:
    query = messages.query(0, "SELECT id FROM gauge ORDER BY id", read=True)
    begin = messages.query(0, "BEGIN")
    bound = messages.parse("", "SELECT name FROM star ORDER BY id") + messages.bind("", "")
    first = Step(0, (Part(bound + messages.execute("", 2) + SYNC),))
    second = Step(0, (Part(messages.execute("", 2) + SYNC),))
    assert not played(nursery, query, begin, first, second, query, second)


def test_a_driver_that_prepares_behind_a_query_from_memory_is_served_from_memory(nursery: Nursery) -> None:
    query = messages.query(0, "SELECT id FROM gauge ORDER BY id", read=True)
    prepared = messages.parse("", "SELECT name FROM planet ORDER BY id") + messages.describe_statement()
    run = messages.bind("", "") + messages.execute() + SYNC
    driver = Step(0, (Part(prepared + frontend.FLUSH_FRAME, b"TnE"), Part(run)), read=True)
    difference, tally = play(nursery, (query, driver, query, driver))
    assert difference is None
    assert tally.answered == 4


@pool_transaction
def test_a_temporary_relation_made_again_is_a_difference_that_is_known(nursery: Nursery) -> None:
    steps = (
        messages.query(0, "CREATE TEMPORARY TABLE draft (id int)"),
        messages.query(0, "DISCARD ALL"),
        Step(0, (Part(messages.parse("s", "SELECT id, level FROM gauge ORDER BY id") + SYNC),)),
        messages.query(0, "CREATE TEMPORARY TABLE gauge AS SELECT 1 AS id, 2 AS level"),
        Step(0, (Part(messages.bind("", "s") + messages.execute() + SYNC),)),
        messages.query(0, "SELECT 1"),
    )
    difference, tally = play(nursery, steps)
    assert difference is None
    assert (tally.known, tally.statements) == (1, 5)


@pytest.mark.parametrize(
    ("said", "words", "known"),
    [
        (("CREATE TEMP TABLE a ()", "DISCARD ALL", "CREATE TEMP TABLE b ()"), REFUSAL, True),
        (("CREATE TEMP TABLE a ()", "DISCARD TEMP", "SELECT 1 INTO TEMPORARY b"), REFUSAL, True),
        (("CREATE TEMP TABLE a ()", "DISCARD ALL", "CREATE TEMP TABLE b ()"), "something else", False),
        (("CREATE TEMP TABLE a ()", "DISCARD ALL", "CREATE TABLE b ()"), REFUSAL, False),
        (("CREATE TEMP TABLE a ()", "CREATE TEMP TABLE b ()"), REFUSAL, False),
        (("DISCARD ALL", "CREATE TEMP TABLE b ()"), REFUSAL, False),
        (("CREATE TEMP TABLE a ()", "DISCARD ALL", "CREATE TEMP TABLE b ()", "DISCARD ALL"), REFUSAL, False),
    ],
)
def test_nothing_else_is_known(said: tuple[str, ...], words: str, known: bool) -> None:
    temporary = TemporaryAgain()
    for sql in said:
        temporary.note(messages.query(0, sql))
    refused = Frame(backend.ERROR_RESPONSE, backend.error_response("ERROR", "0A000", words))
    answered = Frame(backend.BIND_COMPLETE, backend.BIND_COMPLETE_FRAME)
    run = messages.query(0, "EXECUTE s")
    assert temporary.explains(run, [answered], [refused]) == known
    assert not temporary.explains(run, [refused], [refused])
    assert not temporary.explains(run, [refused], [answered])
    assert not temporary.explains(messages.query(1, "EXECUTE s"), [answered], [refused])
