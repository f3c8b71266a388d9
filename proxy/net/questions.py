"""Connections of our own to the origin, for what the proxy itself wants to know: over asyncpg, as the URL's
user.
"""

from __future__ import annotations

import ssl
from typing import Final, Literal, TypeAlias

import asyncpg

from proxy.errors import OriginUnreachable, OrreryError
from proxy.net.tls import tls_context
from proxy.origin_url import OriginUrl

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

APPLICATION: Final = "orrery"
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
    encryption: ssl.SSLContext | Literal["prefer", "allow"] | bool = context if context is not None else False
    if mode in ("prefer", "allow"):
        encryption = "prefer" if mode == "prefer" else "allow"
    settings = {"application_name": APPLICATION}
    if url.endpoint_options:
        settings["options"] = url.endpoint_options
    return await asyncpg.connect(
        host=url.socket_directory or url.connect_host,
        port=url.port,
        user=url.user,
        password=url.password,
        database=database or url.database,
        ssl=encryption,
        direct_tls=url.sslnegotiation == "direct",
        timeout=url.connect_seconds,
        statement_cache_size=0,
        server_settings=settings,
    )


def unreachable(fault: BaseException) -> OrreryError:
    """One sentence for whatever went wrong, without anything secret in it."""
    if isinstance(fault, OrreryError):
        return fault
    return OriginUnreachable(f"the origin cannot be asked: {type(fault).__name__}: {fault}")
