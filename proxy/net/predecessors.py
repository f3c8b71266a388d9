"""Backends that were there before us: they may still carry writes of a proxy that died.

Idle is no proof: a COMMIT may still be on its way to them. Until each is gone, level wire does not hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from typing import Final

from proxy.errors import OriginUnreachable
from proxy.net.questions import FAILURES, Connection

# Opened before this very connection, and not by it. The questions of a live proxy are no suspects: it keeps
# their connections open, and writes nothing by them.
_THERE: Final = """SELECT a.pid, pg_catalog.date_part('epoch', a.backend_start) AS started
 FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datid IS NOT NULL AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
 AND (a.backend_type IS NULL OR a.backend_type OPERATOR(pg_catalog.=) 'client backend')
 AND coalesce(a.application_name, '') OPERATOR(pg_catalog.<>)
  ALL (ARRAY['orrery proxy', 'orrery catalogue'])"""


class Predecessors:
    """``pending`` from the start until every backend that was there then is gone.

    ``ours``: the process ids of connections that this proxy holds itself; ``others``: those of its other
    workers.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        ours: Callable[[], Container[int]],
        others: Callable[[], Awaitable[Container[int]]] | None = None,
    ) -> None:
        self._connect = connect
        self._ours = ours
        self._others = others
        self._suspects: set[tuple[int, float | None]] | None = None
        self.pending = True

    async def look(self) -> None:
        """Compare who is there with who was there. Raises ``OriginUnreachable``."""
        try:
            connection = await self._connect()
            try:
                rows = await connection.fetch(_THERE)
            finally:
                connection.terminate()
        except FAILURES as fault:
            raise OriginUnreachable(
                f"the origin's backends cannot be listed: {type(fault).__name__}"
            ) from None
        # Asked for afterwards: one that is theirs now was theirs then, or the one of then is gone.
        theirs = await self._others() if self._others is not None else ()
        ours = self._ours()
        there = {
            (row["pid"], row["started"])
            for row in rows
            if row["pid"] not in ours and row["pid"] not in theirs
        }
        self._suspects = there if self._suspects is None else self._suspects & there
        self.pending = bool(self._suspects)

    def anew(self) -> None:
        """From now on those are suspected that are there now."""
        self._suspects = None
        self.pending = True
