"""Connections of our own to the origin, for what the proxy
itself wants to know: over asyncpg, as the URL's user.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from proxy.net.tls import tls_context
from proxy.origin_url import OriginUrl

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# By this name a starting proxy knows the questions of a live one: none that an application has by chance.
APPLICATION: Final = "orrery proxy"
FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


async def ask(url: OriginUrl, database: str | None = None) -> Connection:
    """A connection for questions. No statement cache: a pooler before the origin could not stand it.

    Raises what asyncpg raises, and OSError; ``FAILURES`` names them all.
    """
    mode, context = tls_context(url)
    ways: list[ssl.SSLContext | Literal[False]] = [context or False]
    if mode == "prefer":
        ways.append(False)
    elif mode == "allow":
        ways.insert(0, False)
    for way in ways[:-1]:
        with suppress(OSError, asyncpg.InvalidAuthorizationSpecificationError):
            return await _connect(url, database, way)
    return await _connect(url, database, ways[-1])


async def _connect(url: OriginUrl, database: str | None, way: ssl.SSLContext | Literal[False]) -> Connection:
    settings = {"application_name": APPLICATION}
    if url.endpoint_options:
        settings["options"] = url.endpoint_options
    return await asyncpg.connect(
        host=url.socket_directory or url.connect_host,
        port=url.port,
        user=url.user,
        password=url.password,
        database=database or url.database,
        ssl=way,
        direct_tls=url.sslnegotiation == "direct" and way is not False,
        timeout=url.connect_seconds,
        statement_cache_size=0,
        server_settings=settings,
        # Said here, or asyncpg would read it from the environment alone.
        target_session_attrs=SessionAttribute(url.target_session_attrs),
    )
