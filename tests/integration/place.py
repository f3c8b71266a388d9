"""One database as a test sees it: through the proxy, and direct at the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import psycopg

from tests.integration.proxy import until
from tests.matrix import WORKERS
from tests.postgres import PASSWORD, SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.proxy import Proxy
    from tests.postgres import Database

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
Rows = list[tuple[object, ...]]

PLANETS: Final = """
CREATE TABLE planets (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO planets VALUES (1, 'Mercury'), (2, 'Venus'), (3, 'Mars')
"""
NAMES: Final = "SELECT name FROM planets ORDER BY id"


@dataclass(frozen=True, slots=True)
class Place:
    """``proxy`` stands in front of ``origin``."""

    proxy: Proxy
    origin: Database

    def url(self, user: str = SUPERUSER, password: str = PASSWORD, **query: str) -> str:
        """The URL of the database through the proxy."""
        return self.proxy.url(self.origin.name, user, password, **query)

    def connect(self, user: str = SUPERUSER, password: str = PASSWORD, **query: str) -> Connection:
        """A connection through the proxy, autocommit; it prepares only what it is told to."""
        return psycopg.connect(self.url(user, password, **query), autocommit=True, prepare_threshold=1_000)

    def direct(self, sql: str) -> Rows:
        """Run something at the origin itself, as superuser."""
        return self.origin.execute(sql)


def ask(connection: Connection, sql: str, parameters: Sequence[object] | None = None) -> Rows:
    """Run one statement; its rows, if it has any."""
    cursor = connection.execute(sql.encode(), parameters)
    return cursor.fetchall() if cursor.description else []


def last(connection: Connection) -> tuple[str, str | None]:
    """Outcome and reason of the previous statement."""
    outcome, reason, *_ = ask(connection, "SHOW orrery.last")[0]
    return str(outcome), None if reason is None else str(reason)


def outcome(connection: Connection, sql: str, parameters: Sequence[object] | None = None) -> str:
    """Run one statement and tell who answered it."""
    ask(connection, sql, parameters)
    return last(connection)[0]


def remember(connection: Connection, sql: str = NAMES) -> Rows:
    """Ask until the answer comes from memory, which must be the second time.

    Of several workers none remembers anything before all have read what the last DDL has changed.
    """
    first = ask(connection, sql)
    assert ask(connection, sql) == first
    if WORKERS > 1:
        until(lambda: outcome(connection, sql) == "hit", "an answer is remembered")
    assert last(connection) == ("hit", None)
    return first
