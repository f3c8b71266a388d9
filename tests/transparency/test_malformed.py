"""Messages whose contents cannot be read: each fails as at PostgreSQL, and the session goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.differential import messages
from tests.differential.messages import query
from tests.transparency.test_protocol import PLANETS, parse, run, said, synced

if TYPE_CHECKING:
    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    "broken",
    [
        compose(frontend.QUERY, b"SELECT 1\0; DROP TABLE planet\0"),
        compose(frontend.QUERY, b"\0\0"),
        compose(frontend.QUERY, b"SELECT 1"),
        compose(frontend.QUERY, b""),
    ],
)
def test_a_query_that_cannot_be_read_fails_and_the_session_goes_on(sides: Sides, broken: bytes) -> None:
    sides.play(
        said(broken),
        query(0, PLANETS),
        query(0, "BEGIN"),
        said(broken),
        query(0, PLANETS),
        query(0, "ROLLBACK"),
        said(parse("SELECT 1") + broken),
        query(0, PLANETS),
    )


@pytest.mark.parametrize(
    "broken",
    [
        compose(frontend.PARSE, b"s\0SELECT 1\0"),
        compose(frontend.PARSE, b"s\0SELECT 1\0\0\1"),
        compose(frontend.PARSE, b"s\0SELECT 1\0\0\0more"),
        compose(frontend.PARSE, b"s"),
        compose(frontend.BIND, b""),
        compose(frontend.BIND, b"p\0s"),
        compose(frontend.BIND, b"\0\0"),
        compose(frontend.BIND, b"\0\0\0\0\0\0\0\0more"),
        compose(frontend.BIND, b"\0\0\0\1\0\7\0\0\0\0"),
        compose(frontend.DESCRIBE, b""),
        compose(frontend.DESCRIBE, b"?\0"),
        compose(frontend.DESCRIBE, b"P\0more"),
        compose(frontend.EXECUTE, b"\0"),
        compose(frontend.EXECUTE, b"\0\0\0\0\0more"),
        compose(frontend.CLOSE, b"S"),
        compose(frontend.CLOSE, b"?s\0"),
    ],
)
def test_a_message_that_cannot_be_read_fails_up_to_its_sync(sides: Sides, broken: bytes) -> None:
    sides.play(
        synced(broken),
        query(0, PLANETS),
        synced(parse("SELECT 1") + broken + messages.bind("", "", [], []) + messages.execute()),
        synced(run("UPDATE planet SET mass = 0 WHERE id = 1") + broken),
        query(0, PLANETS),
        query(0, "BEGIN"),
        synced(broken),
        synced(run(PLANETS)),
        query(0, "ROLLBACK"),
        synced(run(PLANETS)),
    )
