"""What a client connection asks of whoever sees the
whole house: the answers of ``SHOW orrery.*``, the purge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.metrics.templates import Template
from proxy.session.own import Rows
from proxy.session.session import Session


class View(Protocol):
    """Implemented above this floor."""

    def status_rows(self) -> Rows:
        """The rows of SHOW orrery.status."""

    def stat_rows(self) -> Rows:
        """The rows of SHOW orrery.stats."""

    def sees_all_roles(self, session: Session) -> bool:
        """May this session's role see what other roles ask?"""

    async def look(self, *, queries: bool = False) -> None:
        """Have the other workers tell their figures: what is shown next holds them."""

    def told(self, what: object) -> object:
        """What another worker asks for: figures, queries, or how much a purge would drop here."""

    def templates(self, role: str | None) -> Sequence[Template]:
        """The figures of this role's statement templates, of everybody's for None, the most called first."""

    async def purge_elsewhere(self, session: Session, table: tuple[str, ...] | None) -> None:
        """Have the other workers drop what this session may purge."""

    def purge_as(self, session: Session, table: tuple[str, ...] | None) -> Callable[[], None]:
        """What carries out ORRERY PURGE. Raises ``OrreryError``
        where the role may not, or there is no such table.
        """
