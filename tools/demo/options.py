"""What the caller may choose, by environment variables: PORT, DISTANCE_MS and REQUESTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.demo.errors import Misused

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DISTANCE_MS: Final = 5_000.0
_MAX_REQUESTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """``port`` of the app, the one-way ``distance_ms`` to the database, ``requests`` measured on each way."""

    port: int = 8000
    distance_ms: float = 40.0
    requests: int = 200


def read_options(environment: Mapping[str, str]) -> Options:
    """The options that ``environment`` holds. Raises Misused, naming the variable."""
    return Options(
        port=round(_number(environment, "PORT", Options().port, (1, 65535))),
        distance_ms=_number(environment, "DISTANCE_MS", Options().distance_ms, (0, _MAX_DISTANCE_MS)),
        requests=round(_number(environment, "REQUESTS", Options().requests, (1, _MAX_REQUESTS))),
    )


def _number(environment: Mapping[str, str], name: str, default: float, bounds: tuple[float, float]) -> float:
    text = environment.get(name) or str(default)
    low, high = bounds
    try:
        number = float(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high or (isinstance(default, int) and not number.is_integer()):
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise Misused(f"{name}={text} cannot be used: {kind} from {low:g} to {high:g} is expected")
    return number
