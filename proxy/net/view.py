"""What a client connection asks of whoever sees the
whole house: the answers of ``SHOW orrery.*``, the purge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

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

    def purge_as(self, session: Session, table: tuple[str, ...] | None) -> Callable[[], None]:
        """What carries out ORRERY PURGE. Raises ``OrreryError``
        where the role may not, or there is no such table.
        """
