"""The copy of one answer, taken while it streams past: an entry in the making, or a reason not to keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from proxy.cache.fills import Flight, Ticket

if TYPE_CHECKING:
    from proxy.session.session import Session


@final
class Recording:
    """Frames of one answer without its Parse/BindComplete and ReadyForQuery.

    ``refusal`` is one word once it cannot become an entry any more: ``size``, ``notice``, ``error``.
    """

    __slots__ = ("_frames", "_limit", "_size", "complete", "flight", "refusal", "ticket")

    def __init__(self, ticket: Ticket, flight: Flight[Session] | None, limit: int) -> None:
        self.ticket = ticket
        self.flight = flight
        self._limit = limit
        self._frames: list[bytes] = []
        self._size = 0
        self.complete = False
        self.refusal = ""

    def add(self, raw: bytes) -> None:
        """The next bytes of the answer; beyond the size limit they are forgotten, and all before them."""
        self._size += len(raw)
        if self._size > self._limit:
            self.spoil("size")
        elif not self.refusal:
            self._frames.append(raw)

    def spoil(self, reason: str) -> None:
        """This answer will not be kept."""
        if not self.refusal:
            self.refusal = reason
            self._frames.clear()

    def payload(self) -> bytes:
        """The whole answer; b"" where it may not be kept."""
        return b"".join(self._frames) if self.complete and not self.refusal else b""
