"""Load on a server that is told to end in the middle of it: which requests fail?"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

HOST: Final = "127.0.0.1"
_CLIENTS: Final = 12
_SECONDS: Final = 30.0
_BEFORE: Final = 2.0
ANSWERED: Final = "answered"
FAILED: Final = "failed"


@final
class Load:
    """Clients that each ask on and on, half of them on kept connections, until none can be had any more."""

    def __init__(self, port: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.faults: list[str] = []
        self._port = port
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clients = [
            threading.Thread(target=self._ask_on, args=(number % 2 == 0,), daemon=True)
            for number in range(_CLIENTS)
        ]

    def over(self, end: Callable[[], None]) -> None:
        """Ask for a while, ``end`` the server, and return when every client has noticed."""
        for client in self._clients:
            client.start()
        time.sleep(_BEFORE)
        end()
        deadline = time.monotonic() + _SECONDS
        for client in self._clients:
            client.join(max(0.0, deadline - time.monotonic()))
        self._over.set()

    def _ask_on(self, keep: bool) -> None:
        connection: HTTPConnection | None = None
        while not self._over.is_set():
            if connection is None:
                connection = HTTPConnection(HOST, self._port, timeout=_SECONDS)
                try:
                    connection.connect()
                except OSError:  # nobody listens any more: that is no failed request
                    return
            told_to_close = self._ask(connection)
            if told_to_close or not keep:
                with suppress(OSError):
                    connection.close()
                connection = None

    def _ask(self, connection: HTTPConnection) -> bool:
        """One request; whether its connection is of no more use."""
        try:
            connection.request("GET", "/planets")
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException) as fault:
            self._count(FAILED, f"{type(fault).__name__}: {fault}")
            return True
        self._count(ANSWERED if response.status == 200 else FAILED, f"status {response.status}")
        return response.getheader("connection") == "close"

    def _count(self, outcome: str, fault: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            if outcome == FAILED:
                self.faults.append(fault)
