"""What users do and when, drawn from a seed: the same user asks the same, direct and through the proxy."""

from __future__ import annotations

from math import ceil
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from loadtest.popularity import Popularity

# Seconds from one request of a reader to the next, in the mean.
READER_SECONDS: Final = 2.0
# Of the reads over HTTP; the others are for one planet.
LIST_SHARE: Final = 0.2
# An edit is seldom alone: a name, its correction, another one.
EDITS_PER_SESSION: Final = 4
# Seconds that an editor looks at the result before the next edit.
LOOK_SECONDS: Final = 0.1


class Request(NamedTuple):
    """A path, and the name under which all of its kind are counted."""

    path: str
    name: str


@final
class Arrivals:
    """Moments at which a user asks: drawn ahead with exponential gaps of ``mean_seconds``.

    A slow answer moves none of them: who is late asks at once, so the load stays what it was meant to be.
    """

    def __init__(self, random: Random, mean_seconds: float, now: float) -> None:
        self._random = random
        self._rate = 1 / mean_seconds
        self._due = now

    def wait(self, now: float) -> float:
        """Seconds until the next moment, 0 where that has passed."""
        self._due += self._random.expovariate(self._rate)
        return max(self._due - now, 0.0)


@final
class Rounds:
    """Moments at which an editor comes: every ``every_seconds``, the first by chance within that time.

    Regular, so that a short run has the share of writes that was asked for.
    """

    def __init__(self, random: Random, every_seconds: float, now: float) -> None:
        self._every_seconds = every_seconds
        self._due = now + (random.random() - 1) * every_seconds

    def wait(self, now: float) -> float:
        """Seconds until the next moment, 0 where that has passed."""
        self._due += self._every_seconds
        return max(self._due - now, 0.0)


def seeded(seed: int, kind: str, number: int) -> Random:
    """The chance of the user ``number`` of its ``kind``."""
    return Random(f"{seed} {kind} {number}")


def read(random: Random, popularity: Popularity) -> Request:
    """What a reader opens next: the first page of the list, or one planet."""
    if random.random() < LIST_SHARE:
        return Request("/planets", "/planets")
    return Request(f"/planets/{popularity.pick(random)}", "/planets/{id}")


def edits_per_second(readers: int, writes_percent: float) -> float:
    """How many edits make ``writes_percent`` of all requests.

    Each is a PATCH and a read after it; a session of edits begins with one more read.
    """
    share = writes_percent / 100
    requests_per_edit = 2 + 1 / EDITS_PER_SESSION
    return share * readers / READER_SECONDS / (1 - requests_per_edit * share)


def editors_for(edits: float) -> int:
    """How many editors make ``edits`` a second, each busy for half of its time, at 200 ms a request."""
    session_seconds = EDITS_PER_SESSION * (2 * 0.2 + LOOK_SECONDS)
    return ceil(2 * edits / EDITS_PER_SESSION * session_seconds)
