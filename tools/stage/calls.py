"""One kept HTTP connection to a server, whose answers are timed."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, final

from tools.stage.errors import PartFailed

HOST: Final = "127.0.0.1"
# Above the app's own patience with its database.
_ANSWER_SECONDS: Final = 30.0
# Uvicorn closes what was idle for five seconds.
_KEPT_SECONDS: Final = 2.0


@final
class Caller:
    """One kept connection to an HTTP server on a ``port`` of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS)
        self._used = 0.0

    def call(self, method: str, path: str, body: object = None) -> tuple[float, Any]:
        """Milliseconds until the answer is read, and its JSON. Raises PartFailed unless it is a 200."""
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if content else {}
        start = time.perf_counter()
        if start - self._used > _KEPT_SECONDS:
            self._connection.close()
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException) as error:
            raise PartFailed(f"{method} {path} was not answered: {error}") from error
        self._used = time.perf_counter()
        elapsed = (self._used - start) * 1000
        if answer.status != 200:
            raise PartFailed(f"{method} {path} was answered by status {answer.status}")
        return elapsed, json.loads(text)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
