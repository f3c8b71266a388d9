"""The application on its socket, inside the proxy's own loop."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, final

import uvicorn

from proxy.admin.app import create_app
from proxy.admin.auth import Guard
from proxy.errors import ConfigurationError
from proxy.option_types import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.admin.snapshot import House

MAX_REQUESTS: Final = 64  # at one time; more are answered 503
_STOP_SECONDS: Final = 2  # what a request may still take when the proxy stops


def bind(address: Address) -> tuple[socket.socket, Address]:
    """A socket at ``address``; that with the port it got. ConfigurationError: it cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        bound = socket.create_server(address, family=family)
    except OSError as error:
        # socket.create_server adds the address, as Python prints it, to what the system said.
        reason = (error.strerror or "").partition(" (while")[0]
        raise ConfigurationError(f"--admin {address} cannot be opened: {reason}") from None
    return bound, Address(address.host, bound.getsockname()[1])


@final
class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: signals belong to the service."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@final
class AdminServer:
    """``bind``, then ``serve`` in a task of its own, then ``stop`` and wait for that task."""

    def __init__(self, house: House, address: Address, token: str | None) -> None:
        app = create_app(house, Guard(address.host, address.is_loopback, token))
        self._address = address
        self._socket: socket.socket | None = None
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=MAX_REQUESTS,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )

    def bind(self) -> Address:
        """Take the address; give it with the port it got. ConfigurationError: it cannot be had."""
        self._socket, where = bind(self._address)
        return where

    def share(self, listening: socket.socket) -> None:
        """In the place of ``bind``: a socket that others answer at as well."""
        self._socket = listening

    async def serve(self) -> None:
        """Answer requests until ``stop``."""
        assert self._socket is not None
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Let ``serve`` return, within two seconds."""
        self._server.should_exit = True
