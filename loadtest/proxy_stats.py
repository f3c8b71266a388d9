"""The proxy's own figures: one look at ``/stats``, and what lies between two looks."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS: Final = 5.0
# Outcomes for which PostgreSQL was not asked.
_SPARED: Final = ("hit", "coalesced")


class StatsAway(Exception):
    """``/stats`` was not answered; the message is a sentence without secrets."""


@dataclass(frozen=True, slots=True)
class Look:
    """What ``/stats`` showed at Unix time ``at``: counters since the proxy's start; ``entries`` in memory."""

    at: float
    outcomes: Mapping[str, int]
    bypass: Mapping[str, int]
    invalidations: Mapping[str, int]
    entries: int

    @property
    def statements(self) -> int:
        """All that was asked."""
        return sum(self.outcomes.values())

    @property
    def spared(self) -> int:
        """What was answered without PostgreSQL: from memory, or by an answer that was on its way already."""
        return sum(self.outcomes[name] for name in _SPARED)

    def since(self, earlier: Look) -> Look:
        """What was counted after ``earlier``; the entries stay as they are."""
        return Look(
            self.at,
            _difference(self.outcomes, earlier.outcomes),
            _difference(self.bypass, earlier.bypass),
            _difference(self.invalidations, earlier.invalidations),
            self.entries,
        )

    @property
    def hit_ratio(self) -> float:
        """The share of hits in all that was asked, 0 to 1."""
        return self.outcomes["hit"] / max(self.statements, 1)


def _difference(later: Mapping[str, int], earlier: Mapping[str, int]) -> dict[str, int]:
    return {name: count - earlier.get(name, 0) for name, count in later.items()}


@final
class Window:
    """``/stats`` at ``url``, with the admin ``token`` where one is needed."""

    def __init__(self, url: str, token: str = "") -> None:
        self._request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310 - http and https alone, by the options

    def look(self) -> Look:
        """Look now. Raises StatsAway."""
        url = self._request.full_url
        try:
            with urlopen(self._request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - as above
                told = json.load(answer)
            return Look(
                time.time(), told["outcomes"], told["bypass"], told["invalidations"], told["cache"]["entries"]
            )
        except HTTPError as error:
            hint = " (set ORRERY_ADMIN_TOKEN)" if error.code == 401 else ""
            raise StatsAway(f"{url} was answered by status {error.code}{hint}") from None
        except (OSError, HTTPException) as error:
            raise StatsAway(f"{url} was not answered: {getattr(error, 'reason', error)}") from None
        except (ValueError, KeyError, TypeError):
            raise StatsAway(f"{url} is not the /stats of this proxy") from None


def rows(look: Look) -> list[tuple[str, int | str]]:
    """Names and figures for a table: the hit ratio, then every counter that is not zero."""
    counters = (
        ("outcomes", look.outcomes),
        ("bypass", look.bypass),
        ("invalidations", look.invalidations),
    )
    found: list[tuple[str, int | str]] = [("hit ratio", f"{look.hit_ratio:.1%}"), ("entries", look.entries)]
    found += [
        (f"{section}.{name}", count)
        for section, figures in counters
        for name, count in figures.items()
        if count
    ]
    return found
