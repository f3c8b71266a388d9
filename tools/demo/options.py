"""What the caller may choose, by environment variables: PORT, DISTANCE_MS and REQUESTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.stage.choices import MAX_DISTANCE_MS, number

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        port=round(number(environment, "PORT", Options().port, (1, 65535))),
        distance_ms=number(environment, "DISTANCE_MS", Options().distance_ms, (0, MAX_DISTANCE_MS)),
        requests=round(number(environment, "REQUESTS", Options().requests, (1, _MAX_REQUESTS))),
    )
