"""Users of the database itself: a board that shows the first planets, over a connection of its own.

psycopg chooses a cooperative way of waiting when it is imported after gevent has patched ``select``, which
Locust has done by then. Source: psycopg docs, advanced/async, "Gevent support"; a test holds it to that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
from locust import User, task

from loadtest.users.run import RUN
from loadtest.visits import READER_SECONDS, Arrivals, seeded

if TYPE_CHECKING:
    from locust.env import Environment

BOARD = 'SELECT id, name FROM "Planet" ORDER BY id LIMIT 10'


class SqlReader(User):
    """Reads the board; a connection that is lost is opened again with the next read."""

    weight = 1

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        random = seeded(RUN.arguments.seed, "sql", RUN.number("sql"))
        self._arrivals = Arrivals(random, READER_SECONDS, time.monotonic())
        self._connection: psycopg.Connection | None = None

    def wait_time(self) -> float:
        """Until the next moment that was drawn."""
        return self._arrivals.wait(time.monotonic())

    def on_start(self) -> None:
        """Connect before anything is measured; where that fails, the first read tells."""
        try:
            self._connected()
        except psycopg.Error:
            self._connection = None

    def on_stop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    @task
    def look_at_board(self) -> None:
        """Read the board, and tell Locust how long that took."""
        failure: psycopg.Error | None = None
        sent, start = time.time(), time.perf_counter()
        rows = 0
        try:
            rows = len(self._connected().execute(BOARD).fetchall())
        except psycopg.Error as error:
            failure = error
        self.environment.events.request.fire(
            request_type="SQL",
            name="first planets",
            response_time=(time.perf_counter() - start) * 1000,
            response_length=rows,
            exception=failure,
            context={},
            start_time=sent,
        )

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(RUN.arguments.sql_url, autocommit=True)
        return self._connection
