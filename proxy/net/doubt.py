"""Writes in doubt: their connection was lost between
sending and ReadyForQuery, so the backend may commit later.

What they may change stays suspended until that backend is gone, and is then
dropped as if it had committed. Source: PostgreSQL docs, monitoring-stats,
"pg_stat_activity"; functions-admin, "Server Signaling Functions".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from proxy.cache.memory import Cause, Memory
from proxy.cache.tags import Suspension
from proxy.net.questions import FAILURES, Connection
from proxy.net.tasks import spawn
from proxy.session.session import Session

logger = logging.getLogger(__name__)

# Microseconds, for comparison; a number with a fraction would print as the session's settings say.
_STARTED: Final = (
    "((pg_catalog.date_part('epoch', backend_start) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8::text)"
)
# Present with another start (where that may be seen) is another backend under the same process id.
_GONE: Final = f"""SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
 WHERE pid OPERATOR(pg_catalog.=) $1
 AND (backend_start IS NULL OR $2 OPERATOR(pg_catalog.=) '' OR {_STARTED} OPERATOR(pg_catalog.=) $2))"""
# Never by pid alone: it may be somebody else's by now.
_END: Final = f"""SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE pid OPERATOR(pg_catalog.=) $1 AND {_STARTED} OPERATOR(pg_catalog.=) $2"""

_ASK_EVERY_SECONDS: Final = 0.25
_END_AFTER_SECONDS: Final = 10.0
# A backend that nobody can see the end of: from here on no
# level above ttl is claimed, and its cap covers the rest.
_GIVE_UP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Backend:
    """A server process: its id, and when it started (microseconds since 1970, as text; "": unknown)."""

    process_id: int
    started: str


class Doubts:
    """``connect`` opens a connection for questions; ``lower`` says that no level above ttl holds any more.

    ``count`` is how many writes are in doubt now.
    """

    def __init__(
        self,
        memory: Memory[Session],
        connect: Callable[[], Awaitable[Connection]],
        lower: Callable[[str], None],
    ) -> None:
        self._lower = lower
        self._memory = memory
        self._connect = connect
        self._databases: dict[Suspension, int] = {}  # the open ones, by what is suspended
        self.count = 0

    def watch(
        self,
        suspension: Suspension,
        database: int,
        backend: Backend,
        then: Callable[[], None],
        *,
        cause: Cause = "own_write",
    ) -> None:
        """End ``suspension`` once ``backend`` is gone, then call ``then``; ``database`` is where
        it writes.
        """
        self.count += 1
        self._databases[suspension] = database
        spawn(self._watch(suspension, backend, then, cause), name=f"doubt {backend.process_id}")

    def judged_anew(self, database: int) -> None:
        """The catalogue of this database says something else: writes that waited for the lock of that change
        may do more than was thought.
        """
        for suspension, where in self._databases.items():
            if where == database:
                self._memory.widen(suspension, database)

    async def _watch(
        self, suspension: Suspension, backend: Backend, then: Callable[[], None], cause: Cause
    ) -> None:
        logger.warning("event=in_doubt origin_pid=%s", backend.process_id)
        waited = 0.0
        while not await self._is_gone(backend, end=waited >= _END_AFTER_SECONDS):
            if waited >= _GIVE_UP_SECONDS:
                self._lower("doubt")
                break
            await asyncio.sleep(_ASK_EVERY_SECONDS)
            waited += _ASK_EVERY_SECONDS
        self._memory.end(suspension, changed=True, cause=cause)
        del self._databases[suspension]
        self.count -= 1
        logger.info("event=doubt_settled origin_pid=%s seconds=%.2f", backend.process_id, waited)
        then()

    async def _is_gone(self, backend: Backend, *, end: bool) -> bool:
        try:
            connection = await self._connect()
        except FAILURES:
            return False
        try:
            if end:
                await connection.fetch(_END, backend.process_id, backend.started)
            return bool(await connection.fetchval(_GONE, backend.process_id, backend.started))
        except FAILURES:
            return False
        finally:
            connection.terminate()
