"""What all sessions of one proxy share: the memory, what is known of texts and scopes, the figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from proxy.cache.memory import Memory
from proxy.cache.scopes import Scopes
from proxy.cache.ttl import Pace
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Templates
from proxy.session.shapes import Shapes
from proxy.session.virtual import Virtuals

if TYPE_CHECKING:
    from proxy.session.session import Session


_MAX_TELLERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """``cache``: False makes a plain proxy. ``max_message_bytes`` bounds one message of a client,
    ``max_origin_message_bytes`` one of the origin that is held whole (rows never are); ``hold_bytes`` what
    is held of a batch before it must go on its way: 1 MiB, far above any driver's batch. ``sharing``: a
    connection to the origin serves many sessions, one after the other.
    """

    cache: bool = True
    never_cache: tuple[str, ...] = ()
    local_ping: bool = False
    max_message_bytes: int = 64 * 1024 * 1024
    max_origin_message_bytes: int = 1024 * 1024 * 1024
    hold_bytes: int = 1024 * 1024
    sharing: bool = False


@final
class Shared:
    """One for each proxy process."""

    __slots__ = (
        "_max_paces",
        "_paces",
        "_tellers",
        "audit_at",
        "counters",
        "memory",
        "options",
        "ping_until",
        "scopes",
        "shapes",
        "templates",
        "virtuals",
    )

    def __init__(
        self,
        memory: Memory[Session],
        scopes: Scopes,
        counters: Counters,
        templates: Templates,
        options: SessionOptions,
    ) -> None:
        self.memory = memory
        self.scopes = scopes
        self.shapes = Shapes()
        self.counters = counters
        self.templates = templates
        self.options = options
        self.ping_until = -math.inf  # until then the origin was heard of less than a second ago
        self.audit_at = math.inf  # the count of hits whose answer is compared with the origin's
        self._paces: dict[tuple[int, str], Pace] = {}
        self._max_paces = 10_000
        self.virtuals = Virtuals()
        self._tellers: set[tuple[int, str]] = set()

    def note_teller(self, database: int, user: str) -> None:
        """Sessions of this user ask for the numbers that they took from sequences: currval(), lastval()."""
        if len(self._tellers) < _MAX_TELLERS:
            self._tellers.add((database, user))

    def is_teller(self, database: int, user: str) -> bool:
        """Do they? Where nobody has kept count any more, all of them may."""
        return len(self._tellers) >= _MAX_TELLERS or (database, user) in self._tellers

    def pace(self, database: int, template: str) -> Pace:
        """How fast the answers of one statement template change; the oldest of many is forgotten."""
        pace = self._paces.get((database, template))
        if pace is None:
            if len(self._paces) >= self._max_paces:
                del self._paces[next(iter(self._paces))]
            pace = self._paces[database, template] = self.memory.pace()
        return pace
