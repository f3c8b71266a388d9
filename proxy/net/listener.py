"""The socket that clients connect to."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from proxy.errors import ConfigurationError
from proxy.net.client import ClientConnection
from proxy.net.hub import Hub
from proxy.net.login import log_in
from proxy.option_types import Address

# Clients that may wait to be accepted; the kernel's own limit (somaxconn) may be lower.
_BACKLOG: Final = 4096


class Listener:
    """Accepts clients at ``address``; port 0 is any free one."""

    def __init__(self, hub: Hub, address: Address) -> None:
        self._hub = hub
        self._address = address
        self._server: asyncio.Server | None = None

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
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise ConfigurationError(f"--listen {self._address} cannot be opened: {reason}") from None
        port = self._server.sockets[0].getsockname()[1]
        return Address(self._address.host, port)

    async def close(self) -> None:
        """Accept nobody any more; those who are connected stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
