"""What the origin says of itself, of the role and of other writers, asked over one connection by asyncpg.

Every wait is bounded. A question that the role may not ask is answered None, and said so by the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import asyncpg
from asyncpg.connect_utils import SessionAttribute

if TYPE_CHECKING:
    import ssl

    from proxy.origin_url import OriginUrl

    Connection = asyncpg.Connection[asyncpg.Record]

ANSWER_SECONDS: Final = 10.0
_ROUND_TRIPS: Final = 5

_SERVER: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int4 AS version_number,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       session_user::text AS user_name,
       r.rolsuper AS superuser,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_secrets,
       r.rolsuper OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_backends
FROM pg_catalog.pg_roles r WHERE r.rolname = session_user
"""
_SUBSCRIPTIONS: Final = """
SELECT count(*)::int4 FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
WHERE d.datname = pg_catalog.current_database() AND s.subenabled
"""
_EXTENSIONS: Final = "SELECT array_agg(extname::text ORDER BY extname) FROM pg_catalog.pg_extension"
_FOREIGN_SERVERS: Final = "SELECT count(*)::int4 FROM pg_catalog.pg_foreign_server"
# backend_type is NULL where the role may not see it: such a backend counts as a client. The two names are
# those of a running proxy's own connections.
_OTHERS: Final = """
SELECT coalesce(array_agg(DISTINCT
           coalesce(nullif(application_name, ''), 'unnamed') || ' of ' || coalesce(usename, '?')), '{}')
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
  AND application_name <> ALL (ARRAY['orrery proxy', 'orrery catalogue'])
  AND usename IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
"""
_WORKERS: Final = """
SELECT coalesce(array_agg(DISTINCT backend_type), '{}') FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND backend_type NOT IN
      ('client backend', 'autovacuum worker', 'parallel worker', 'walsender', 'logical replication worker')
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one look showed. ``login_pid`` is BackendKeyData's; ``pids`` are of the backends that answered."""

    version: str
    version_number: int
    in_recovery: bool
    user_name: str
    superuser: bool
    reads_secrets: bool
    sees_backends: bool
    round_trip_ms: float
    login_pid: int
    pids: frozenset[int]
    is_pgpool: bool
    subscriptions: int | None
    extensions: frozenset[str]
    foreign_servers: int | None
    others: tuple[str, ...]
    workers: tuple[str, ...]


async def log_in(url: OriginUrl, context: ssl.SSLContext | None) -> Connection:
    """Open a connection as the URL's user; asyncpg's errors, OSError and TimeoutError pass through."""
    settings = {"application_name": "orrery check"} | ({"options": url.options} if url.options else {})
    return await asyncpg.connect(
        host=url.connect_host,
        port=url.port,
        user=url.user,
        password=url.password,
        database=url.database,
        # False and no context: asyncpg would else read sslmode from the environment.
        ssl=context or False,
        direct_tls=url.sslnegotiation == "direct" and context is not None,
        timeout=url.connect_seconds,
        command_timeout=ANSWER_SECONDS,
        # A pooler in front may give each statement another backend, where a named one is unknown.
        statement_cache_size=0,
        server_settings=settings,
        target_session_attrs=SessionAttribute(url.target_session_attrs),
    )


async def ask(connection: Connection) -> Facts:
    """Ask everything; asyncpg's errors pass through where an answer is indispensable."""
    server = await connection.fetchrow(_SERVER)
    assert server is not None
    pids, milliseconds = await _round_trips(connection)
    return Facts(
        **dict(server),
        round_trip_ms=milliseconds,
        login_pid=connection.get_server_pid(),
        pids=pids,
        is_pgpool=await _optional(connection, "SHOW pool_version") is not None,
        subscriptions=_number(await _optional(connection, _SUBSCRIPTIONS)),
        extensions=frozenset(_names(await _optional(connection, _EXTENSIONS))),
        foreign_servers=_number(await _optional(connection, _FOREIGN_SERVERS)),
        others=_names(await _optional(connection, _OTHERS)),
        workers=_names(await _optional(connection, _WORKERS)),
    )


async def _round_trips(connection: Connection) -> tuple[frozenset[int], float]:
    """The backends that answered, and the median time of a simple query's round trip in milliseconds."""
    pids, seconds = set(), []
    for _ in range(_ROUND_TRIPS):
        pids.add(await connection.fetchval("SELECT pg_catalog.pg_backend_pid()"))
        begun = time.monotonic()
        await connection.execute("SELECT 1")
        seconds.append(time.monotonic() - begun)
    return frozenset(pids), median(seconds) * 1000


async def _optional(connection: Connection, question: str) -> object:
    try:
        return await connection.fetchval(question)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedObjectError, asyncpg.UndefinedTableError):
        return None


def _number(answer: object) -> int | None:
    return answer if isinstance(answer, int) else None


def _names(answer: object) -> tuple[str, ...]:
    return tuple(str(name) for name in answer) if isinstance(answer, Sequence) else ()
