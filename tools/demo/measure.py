"""What a user of the API notices: how long GET /planets takes, and that a change is seen at once."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final

from tools.demo.errors import PartFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.demo.children import Stop

HOST: Final = "127.0.0.1"
# Above the app's own patience with its database.
_ANSWER_SECONDS: Final = 30.0
# Uvicorn closes what was idle for five seconds.
_KEPT_SECONDS: Final = 2.0
_RENAMED: Final = {"id": 3, "name": "Ares"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds until the answer is read: of the first two requests, and of those after them."""

    first: float
    second: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Freshness:
    """Milliseconds of a PATCH and of the two reads after it; ``seen``: did the very next read show it?"""

    patch: float
    next_read: float
    read_after: float
    seen: bool


class Caller:
    """One kept connection to an HTTP server on a port of this machine."""

    def __init__(self, port: int) -> None:
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


def measure(caller: Caller, requests: int, stop: Stop) -> Figures:
    """Read /planets twice, then ``requests`` times, one after the other."""
    times: list[float] = []
    for _ in range(requests + 2):
        stop.pause()
        times.append(caller.call("GET", "/planets")[0])
    first, second, *rest = times
    return Figures(first, second, percentile(rest, 0.5), percentile(rest, 0.99))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all ``values`` do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def outcomes(admin: Caller) -> dict[str, int]:
    """How the proxy's statements ended so far, counted by outcome."""
    counted: dict[str, int] = admin.call("GET", "/stats")[1]["outcomes"]
    return counted


def hit_ratio(before: dict[str, int], after: dict[str, int]) -> float:
    """The share of hits, 0 to 1, in what was asked between two looks at ``outcomes``."""
    asked = {name: count - before[name] for name, count in after.items()}
    return asked["hit"] / max(sum(asked.values()), 1)


def change(caller: Caller) -> Freshness:
    """Rename a planet, read twice, and give the planet its old name back."""
    _, planets = caller.call("GET", "/planets")
    old = next(planet for planet in planets if planet["id"] == _RENAMED["id"])
    path = f"/planets/{old['id']}"
    patch, _ = caller.call("PATCH", path, {"name": _RENAMED["name"]})
    next_read, answer = caller.call("GET", "/planets")
    read_after, _ = caller.call("GET", "/planets")
    caller.call("PATCH", path, {"name": old["name"]})
    return Freshness(patch, next_read, read_after, seen=_RENAMED in answer)
