"""Conversations in SQL, in each manner in which drivers send a statement: no byte of a reply differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proxy.wire import frontend
from tests.differential import messages
from tests.differential.messages import Part, Step
from tests.differential.phrases import read_phrases

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

CONVERSATIONS = read_phrases(Path(__file__).with_name("statements.sql"))
OTHER = "other: "
READS = ("SELECT", "TABLE", "VALUES", "WITH", "(SELECT")


def simple(sql: str) -> tuple[Part, ...]:
    """Query: what psql sends."""
    return (Part(frontend.query(sql.encode())),)


def unnamed(sql: str) -> tuple[Part, ...]:
    """Parse, Bind, Describe, Execute in one go: what libpq's PQexecParams sends."""
    frames = messages.parse("", sql) + messages.bind("", "") + messages.describe_portal()
    return (Part(frames + messages.execute() + frontend.SYNC_FRAME),)


def described_first(sql: str) -> tuple[Part, ...]:
    """Prepared and described in one flight, run with binary results in the next: what asyncpg does."""
    prepare = messages.parse("s", sql) + messages.describe_statement("s") + frontend.SYNC_FRAME
    run = messages.bind("", "s", (), (1,)) + messages.execute() + frontend.SYNC_FRAME
    close = messages.close_statement("s") + frontend.SYNC_FRAME
    return Part(prepare), Part(run), Part(close)


def step(line: str, manner: Callable[[str], tuple[Part, ...]]) -> Step:
    """One line of a conversation."""
    sql = line.removeprefix(OTHER)
    read = sql.startswith(READS)
    ordered = not read or "ORDER BY" in sql
    return Step(int(line.startswith(OTHER)), manner(sql), read=read, ordered=ordered)


@pytest.mark.parametrize("manner", [simple, unnamed, described_first])
@pytest.mark.parametrize("subject", CONVERSATIONS)
def test_a_conversation_looks_the_same(
    sides: Sides, subject: str, manner: Callable[[str], tuple[Part, ...]]
) -> None:
    sides.play(*(step(line, manner) for line in CONVERSATIONS[subject]))
