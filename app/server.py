"""The server of ``python -m app``: uvicorn, with an end that fails no request.

uvicorn itself closes idle connections at once, and its listening socket together with whoever waits in its
queue: a request that is just on its way meets a reset connection. Here the queue is taken over first, and
every connection is answered once more, with ``Connection: close`` (RFC 9112, "Tear-down"), then closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import TYPE_CHECKING, Final, final

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("uvicorn.error")

# A client that is told to close has its next request on the way within a round trip.
LINGER_SECONDS: Final = 2.0
# Requests that run longer are cancelled: platforms kill what has not ended some ten seconds after SIGTERM.
DRAIN_SECONDS: Final = 7
_POLL_SECONDS: Final = 0.02


@final
class Farewell:
    """ASGI middleware; once ``begun``, each response asks its client to use the connection no more."""

    def __init__(self, app: ASGIApp) -> None:
        self.begun = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the server's."""

        async def send_farewell(message: Message) -> None:
            if self.begun and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_farewell)


@final
class DrainingServer(uvicorn.Server):
    """Serves ``app`` on all interfaces at ``port`` until SIGTERM or SIGINT."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._farewell = Farewell(app)
        super().__init__(
            uvicorn.Config(
                self._farewell,
                # A container's address is not known before: who may reach it is the platform's decision.
                host="0.0.0.0",  # noqa: S104
                port=port,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                # the app's own line for each request says more
                access_log=False,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer whoever is there, and only then do what uvicorn does."""
        logger.info("Draining: no new connections")
        self._farewell.begun = True
        await self._take_over_the_queue()
        deadline = time.monotonic() + LINGER_SECONDS
        # uvicorn tells nobody when the last connection is gone, nor when a second signal came
        while self.server_state.connections and time.monotonic() < deadline and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        await super().shutdown(sockets)

    async def _take_over_the_queue(self) -> None:
        """Close the listening sockets, but not on those whom the kernel has accepted for us."""
        waiting = []
        for server in self.servers:
            # a second descriptor keeps the queue alive while the loop closes its own
            kept = [socket.socket(fileno=socket.dup(listening.fileno())) for listening in server.sockets]
            server.close()
            for listening in kept:
                waiting += _accepted(listening)

        def protocol() -> asyncio.Protocol:
            # as uvicorn's own startup makes it
            return self.config.http_protocol_class(  # type: ignore[call-arg]  # uvicorn's types say less
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)


def _accepted(listening: socket.socket) -> list[socket.socket]:
    """Everybody in the queue of ``listening``, which is then closed."""
    found = []
    with listening:
        listening.setblocking(False)
        while True:
            try:
                found.append(listening.accept()[0])
            except BlockingIOError:
                return found
