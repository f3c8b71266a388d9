"""The way to the origin: name, port and TLS, each tried by itself so that the first obstacle is named.

Source: PostgreSQL docs, protocol-flow, "SSL Session Encryption".
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.check.findings import Finding
from proxy.net.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from proxy.origin_url import OriginUrl

    _Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
_OPTIONAL: Final = ("allow", "prefer")
_CAUSES: Final = {
    errno.ECONNREFUSED: "nothing listens there (connection refused)",
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETUNREACH: "there is no network to it",
}


@dataclass(frozen=True, slots=True)
class Way:
    """How far one gets. Not ``is_open``: the last finding is the obstacle. ``context`` None: without TLS."""

    findings: tuple[Finding, ...]
    is_open: bool = False
    context: ssl.SSLContext | None = None


async def explore(url: OriginUrl) -> Way:
    """Resolve, connect, shake hands, each within connect_timeout. ConfigurationError: a bad file."""
    context = tls_context(url)[1]
    if url.socket_directory:
        return Way((Finding("connect", "good", f"by a Unix socket in {url.socket_directory}"),), is_open=True)
    found: list[Finding] = []
    for step in (_resolve, _connect):
        found.append(await _tried(step(url), url))
        if found[-1].verdict == "bad":
            return Way(tuple(found))
    if context is None:
        found.append(Finding("tls", "note", "not used (sslmode=disable)"))
        return Way(tuple(found), is_open=True)
    found.append(await _tried(_handshake(url, context), url))
    uses_tls = found[-1].verdict == "good"
    return Way(tuple(found), found[-1].verdict != "bad", context if uses_tls else None)


async def _tried(step: Coroutine[object, object, Finding], url: OriginUrl) -> Finding:
    place = f"{url.connect_host} port {url.port}"
    try:
        return await asyncio.wait_for(step, url.connect_seconds)
    except TimeoutError:
        return Finding("connect", "bad", f"{place} did not answer within {url.connect_seconds:g} s")
    except socket.gaierror:
        return Finding("address", "bad", f"the name {url.connect_host} does not resolve")
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.lower().rstrip(".")
        return Finding("tls", "bad", f"the certificate does not satisfy sslmode={url.sslmode}: {why}")
    except ssl.SSLError as error:
        return Finding(
            "tls", "bad", f"the handshake failed: {(error.reason or 'closed').lower().replace('_', ' ')}"
        )
    except (EOFError, OSError) as error:
        return Finding(
            "connect", "bad", f"{place}: {_CAUSES.get(_number(error), 'the connection was closed')}"
        )


def _number(error: Exception) -> int:
    return (error.errno or 0) if isinstance(error, OSError) else 0


async def _resolve(url: OriginUrl) -> Finding:
    found = await asyncio.get_running_loop().getaddrinfo(url.connect_host, url.port, type=socket.SOCK_STREAM)
    addresses = sorted({str(entry[4][0]) for entry in found})
    if addresses == [url.connect_host]:
        return Finding("address", "good", f"{url.connect_host}, nothing to resolve")
    return Finding("address", "good", f"{url.connect_host} is {', '.join(addresses)}")


@asynccontextmanager
async def _connection(url: OriginUrl, context: ssl.SSLContext | None = None) -> AsyncIterator[_Streams]:
    """A connection that is torn down at once: nothing was said on it that needs a farewell."""
    name = url.host if context else None
    streams = await asyncio.open_connection(url.connect_host, url.port, ssl=context, server_hostname=name)
    try:
        yield streams
    finally:
        streams[1].transport.abort()


async def _connect(url: OriginUrl) -> Finding:
    begun = time.monotonic()
    async with _connection(url):
        milliseconds = (time.monotonic() - begun) * 1000
    return Finding("connect", "good", f"port {url.port} accepts connections, after {milliseconds:.1f} ms")


async def _handshake(url: OriginUrl, context: ssl.SSLContext) -> Finding:
    is_direct = url.sslnegotiation == "direct"
    async with _connection(url, context if is_direct else None) as (reader, writer):
        if not is_direct:
            writer.write(_SSL_REQUEST)
            if await reader.readexactly(1) != b"S":
                return _without(url)
            await writer.start_tls(context, server_hostname=url.host)
        version = writer.get_extra_info("ssl_object").version()
    return Finding("tls", "good", f"{version}, {_verified(url, context)}")


def _without(url: OriginUrl) -> Finding:
    sentence = f"the origin offers none, and the URL says sslmode={url.sslmode}"
    return Finding("tls", "note" if url.sslmode in _OPTIONAL else "bad", sentence)


def _verified(url: OriginUrl, context: ssl.SSLContext) -> str:
    if context.check_hostname:
        return f"certificate verified for {url.host}"
    if context.verify_mode == ssl.CERT_REQUIRED:
        return "certificate signed by the given authority, its name not compared"
    return "certificate not verified (sslmode=verify-full would)"
