"""The socket that clients connect to."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Final

from proxy.errors import ConfigurationError
from proxy.net.client import ClientConnection
from proxy.net.hub import Hub
from proxy.net.login import log_in
from proxy.option_types import Address

# Clients that may wait to be accepted; the kernel's own limit (somaxconn) may be lower.
_BACKLOG: Final = 4096


async def bind(address: Address) -> tuple[list[socket.socket], Address]:
    """Sockets that listen at ``address``, for whoever accepts by itself; the address with the port it got.

    ConfigurationError: it cannot be had.
    """
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    port = address.port
    try:
        found = await loop.getaddrinfo(address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in dict.fromkeys(found):
            one = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind((place[0], port, *place[2:]))
            one.listen(_BACKLOG)
            port = one.getsockname()[1]
    except OSError as error:
        for one in sockets:
            one.close()
        raise _refused(address, error) from None
    return sockets, Address(address.host, port)


def _refused(address: Address, error: OSError) -> ConfigurationError:
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return ConfigurationError(f"--listen {address} cannot be opened: {reason}")


class Listener:
    """Accepts clients at ``address``; port 0 is any free one."""

    def __init__(self, hub: Hub, address: Address) -> None:
        self._hub = hub
        self._address = address
        self._server: asyncio.Server | None = None
        self.taken = 0  # connections that were given to us

    async def start(self) -> Address:
        """Accept from now on; the address with the port it got. ConfigurationError: it cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: ClientConnection(self._hub, log_in),
                self._address.host,
                self._address.port,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise _refused(self._address, error) from None
        port = self._server.sockets[0].getsockname()[1]
        return Address(self._address.host, port)

    async def take(self, connection: socket.socket) -> None:
        """A client that another process has accepted."""
        self.taken += 1
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(lambda: ClientConnection(self._hub, log_in), connection)
        except OSError:  # it has left already
            connection.close()

    async def close(self) -> None:
        """Accept nobody any more; those who are connected stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
