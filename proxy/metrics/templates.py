"""Figures by role and statement template: what ``SHOW orrery.queries`` and ``GET /queries`` tell."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final, final

MAX_TEXT: Final = 10_000  # characters of a template that are kept; templates equal so far share their figures
PATIENCE: Final = 8  # used templates spared when room is made: a bound on that step

_SUMS: Final = (
    *("hits", "fills", "coalesced", "bypasses", "writes", "errors"),
    *("hit_seconds", "origin_calls", "origin_seconds"),
)
_LATEST: Final = ("reason", "ttl", "bytes")


@final
class Template:
    """One statement template as one role sends it. The text has no values in it.

    Handed out once and kept by whoever sends the statement, so that a hit costs additions only. ``reason`` is
    why it was passed through last, "" if it was not; ``ttl`` (seconds, None for no expiry) and ``bytes`` (of
    the payload) are the latest fill's.
    """

    __slots__ = (
        "bypasses",
        "bytes",
        "coalesced",
        "errors",
        "fills",
        "hit_seconds",
        "hits",
        "origin_calls",
        "origin_seconds",
        "reason",
        "reviewed",
        "role",
        "text",
        "ttl",
        "writes",
    )

    def __init__(self, role: str, text: str) -> None:
        self.role = role
        self.text = text
        self.hits = 0
        self.fills = 0
        self.coalesced = 0
        self.bypasses = 0
        self.writes = 0
        self.errors = 0
        self.reason = ""
        self.ttl: float | None = None
        self.bytes = 0
        self.hit_seconds = 0.0
        self.origin_calls = 0
        self.origin_seconds = 0.0
        self.reviewed = 0  # calls when room was last made

    def hit(self, seconds: float) -> None:
        """Answered from memory."""
        self.hits += 1
        self.hit_seconds += seconds

    def fill(self, seconds: float, ttl: float | None, payload_bytes: int) -> None:
        """Fetched, and remembered."""
        self.fills += 1
        self.reason, self.ttl, self.bytes = "", ttl, payload_bytes
        self._fetched(seconds)

    def coalesce(self) -> None:
        """Answered by somebody else's fill."""
        self.coalesced += 1

    def bypass(self, seconds: float, reason: str) -> None:
        """Passed through."""
        self.bypasses += 1
        self.reason = reason
        self._fetched(seconds)

    def write(self, seconds: float) -> None:
        """A write was carried out."""
        self.writes += 1
        self._fetched(seconds)

    def error(self) -> None:
        """The origin refused it."""
        self.errors += 1

    def told(self) -> list[Any]:
        """As another process adds it to its own."""
        return [self.role, self.text, {name: getattr(self, name) for name in (*_SUMS, *_LATEST)}]

    def add(self, figures: dict[str, Any]) -> None:
        """Count what another process has counted; what is the latest fill's or bypass's is kept."""
        if not self.fills and not self.bypasses:
            for name in _LATEST:
                setattr(self, name, figures[name])
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + figures[name])

    @property
    def calls(self) -> int:
        """Requests, whatever came of them."""
        return self.hits + self.fills + self.coalesced + self.bypasses + self.writes + self.errors

    @property
    def hit_ratio(self) -> float:
        """Share of the calls answered without the origin, 0 to 1."""
        return (self.hits + self.coalesced) / self.calls if self.calls else 0.0

    @property
    def mean_hit_ms(self) -> float:
        """Mean milliseconds of a hit; 0 if there was none."""
        return self.hit_seconds / self.hits * 1000.0 if self.hits else 0.0

    @property
    def mean_origin_ms(self) -> float:
        """Mean milliseconds at the origin; 0 if it was never asked."""
        return self.origin_seconds / self.origin_calls * 1000.0 if self.origin_calls else 0.0

    @property
    def saved_seconds(self) -> float:
        """What the hits would have taken at the origin, less what they took."""
        return max(0.0, self.hits * self.mean_origin_ms / 1000.0 - self.hit_seconds)

    def _fetched(self, seconds: float) -> None:
        self.origin_calls += 1
        self.origin_seconds += seconds


@final
class Templates:
    """The figures of at most ``limit`` templates.

    At the limit those asked for longest ago go first, but not one that was called since room was last made:
    its holder need not ask for it again to keep it. Figures of a forgotten one start again at 0.
    """

    __slots__ = ("_limit", "_templates", "forgotten")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._templates: OrderedDict[tuple[str, str], Template] = OrderedDict()
        self.forgotten = 0

    def of(self, role: str, text: str) -> Template:
        """The figures of one template for one role; O(1), to be kept by the caller."""
        place = (role, text[:MAX_TEXT])
        template = self._templates.get(place)
        if template is None:
            if len(self._templates) >= self._limit:
                self._make_room()
            template = self._templates[place] = Template(*place)
        self._templates.move_to_end(place)
        return template

    def seen_by(self, role: str | None) -> list[Template]:
        """This role's templates, or everybody's for None; the most called first."""
        seen = [template for template in self._templates.values() if role is None or template.role == role]
        return sorted(seen, key=lambda template: template.calls, reverse=True)

    def merged(self, elsewhere: Iterable[list[Any]]) -> list[Template]:
        """All of them and those that other processes have told of, each template of a role once; the most
        called first. Copies: nothing is counted here.
        """
        merged: dict[tuple[str, str], Template] = {}
        for role, text, figures in (*(one.told() for one in self._templates.values()), *elsewhere):
            one = merged.setdefault((role, text), Template(role, text))
            one.add(figures)
        return sorted(merged.values(), key=lambda template: template.calls, reverse=True)

    def _make_room(self) -> None:
        for _ in range(PATIENCE):
            place, template = next(iter(self._templates.items()))
            if template.calls == template.reviewed:
                break
            template.reviewed = template.calls
            self._templates.move_to_end(place)
        self._templates.popitem(last=False)
        self.forgotten += 1
