"""Scripts that once showed a difference: each is played on twins, and every answer must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.wire import frontend
from tests.differential import messages
from tests.differential.messages import Part, Step
from tests.differential.run import play

if TYPE_CHECKING:
    from tests.differential.twins import Nursery

pytestmark = pytest.mark.postgres

SYNC = frontend.SYNC_FRAME


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
