"""How Prisma's client reaches its engine: HTTP/1.1 within the machine, each request in one write.

httpx's own transport is made for the whole web, and took three quarters of what a query cost the app. It
also sends the head and the body of a request apart, which wakes the engine twice.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast, final

import httpx
from httptools import HttpParserError, HttpResponseParser

# The engine has fewer connections to the database than this: what waits here would wait there.
MAX_CONNECTIONS: Final = 100


@final
class EngineTransport(httpx.AsyncBaseTransport):
    """Connections to one engine, kept open; a request beyond ``limit`` waits for its turn.

    httpx's ``read`` timeout bounds the whole request: the wait for a turn, the connection and the answer. No
    request is sent twice. A connection whose request was not answered whole is closed.
    """

    def __init__(self, limit: int = MAX_CONNECTIONS) -> None:
        self._turns = asyncio.Semaphore(limit)
        self._open: set[_Connection] = set()
        self._idle: list[_Connection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read whole. Raises httpx.TimeoutException or another httpx.TransportError."""
        message = _encoded(request, await request.aread())
        limits = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(limits.get("read")), self._turns:
                return await self._ask(request.url, message)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the engine did not answer in time", request=request) from error

    async def aclose(self) -> None:
        """Close every connection; a request that still waits for its answer fails."""
        for connection in tuple(self._open):
            connection.close()

    async def _ask(self, url: httpx.URL, message: bytes) -> httpx.Response:
        connection = self._kept() or await self._connect(url)
        try:
            response = await connection.ask(message)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return response

    def _kept(self) -> _Connection | None:
        """The connection that was used last; those that have ended meanwhile are forgotten."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, url: httpx.URL) -> _Connection:
        loop, port = asyncio.get_running_loop(), url.port or 80
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self._open), url.host, port)
        except TimeoutError:
            raise
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


@final
class _Connection(asyncio.Protocol):
    """One connection, with at most one request on it; in ``connections`` from its beginning to its end."""

    def __init__(self, connections: set[_Connection]) -> None:
        self._connections = connections
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.WriteTransport
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    @property
    def usable(self) -> bool:
        """Is it open, as far as is known?"""
        return not self._transport.is_closing()

    async def ask(self, message: bytes) -> httpx.Response:
        """The answer to one encoded request. Raises httpx.TransportError."""
        if not self.usable:
            raise httpx.ReadError("the engine closed the connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._answer

    def close(self) -> None:
        """Drop the connection, with whatever is on its way."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._fail(httpx.ReadError(str(exc or "the engine closed the connection")))

    def _fail(self, error: httpx.TransportError) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # httptools' HTTPProtocol

    def on_message_begin(self) -> None:
        # What nobody asked for must never be taken for the answer to the next request.
        if self._answer is None or self._answer.done():
            self.close()
        self._headers, self._body = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            status, content = self._parser.get_status_code(), b"".join(self._body)
            self._answer.set_result(httpx.Response(status, headers=self._headers, content=content))


def _encoded(request: httpx.Request, content: bytes) -> bytes:
    head = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    head += [b"%s: %s" % header for header in request.headers.raw]
    return b"\r\n".join((*head, b"", content))
