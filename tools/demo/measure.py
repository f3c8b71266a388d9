"""What a user of the API notices: how long GET /planets takes, and that a change is seen at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.stage.percentiles import percentile

if TYPE_CHECKING:
    from tools.stage.calls import Caller
    from tools.stage.children import Stop

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


def measure(caller: Caller, requests: int, stop: Stop) -> Figures:
    """Read /planets twice, then ``requests`` times, one after the other."""
    times: list[float] = []
    for _ in range(requests + 2):
        stop.pause()
        times.append(caller.call("GET", "/planets")[0])
    first, second, *rest = times
    return Figures(first, second, percentile(rest, 0.5), percentile(rest, 0.99))


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
