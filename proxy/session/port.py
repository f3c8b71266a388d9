"""Everything a session may ask of the world: the border between thought and I/O.

The session decides, whoever implements ``Port`` acts. Each call returns at once; what it set in motion
comes back as a call of the session's methods (``origin_attached``, ``origin_failed``, ``resume`` ...).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from proxy.cache.tags import Reach, Suspension

if TYPE_CHECKING:
    from proxy.cache.entry import Entry
    from proxy.metrics.templates import Template
    from proxy.session.own import Rows
    from proxy.session.session import Session
    from proxy.session.shapes import Shape
    from proxy.session.standing import Standing


# What a session waits for (``Session.waiting_for``); 0: for nothing but its client.
ORIGIN: Final = 1
CATALOGUE: Final = 2
FLIGHT: Final = 3
CERTAINTY: Final = 4
ROOM: Final = 5  # that earlier answers come, or that the client reads them
WORKERS: Final = 6  # what other processes have to tell


class Origin(Protocol):
    """One connection to the origin that serves this session and nobody else meanwhile.

    ``standing`` is None where it serves this session for as long as it lives.
    """

    process_id: int
    standing: Standing | None

    def send(self, data: bytes) -> None:
        """Queue bytes for the origin; order is kept, back-pressure is the port's business."""


class Port(Protocol):
    """What the net gives a session."""

    def to_client(self, data: bytes) -> None:
        """Queue bytes for the client."""

    def close_client(self) -> None:
        """Close the client's connection once everything queued has left."""

    def need_origin(self) -> None:
        """Have a connection opened; ``origin_attached`` or ``origin_failed`` follows."""

    def borrow_origin(self) -> bool:
        """Attach a connection that is free at this moment. False: there is none, or others wait for one."""

    def withdraw_origin(self) -> bool:
        """The connection that was asked for is not needed any more. False: it is on its way all the same."""

    def hold_block(self, seconds: float) -> None:
        """A BEGIN was answered: call ``open_block`` in so many seconds, unless that is to come already."""

    def give_back_origin(self, *, usable: bool) -> None:
        """The connection lent to this session is not needed any more; ``usable``: others may have it."""

    def pass_on_cancel(self) -> None:
        """The statement that a cancel was asked for has begun to run."""

    def need_catalogue(self) -> bool:
        """Have the catalogue of this session's database read again; ``resume`` follows, at the latest after
        a bound. False: not now (it was read a moment ago), nothing will follow.
        """

    def catalogue_changed(self, *, everywhere: bool) -> None:
        """This session changed the catalogue: of its database, or ``everywhere`` (roles, databases)."""

    def shared_change_ahead(self) -> None:
        """A statement that may drop, rename or copy a database is about to be sent: be in nobody's way."""

    def announce(self, suspension: Suspension, reach: Reach, *, ddl: bool) -> None:
        """This reach is suspended here: have all other memories suspend it before anything that is sent from
        now on arrives at the origin.
        """

    def ask_workers(self, purges: Sequence[tuple[str, ...] | None], *, queries: bool) -> bool:
        """Have the other workers tell their figures (``queries``: of statement templates as well), and drop
        this; ``resume`` follows. False: there are none.
        """

    def templates(self, role: str | None) -> Sequence[Template]:
        """The figures of this role's statement templates, of everybody's for None, the most called first."""

    def wake(self, followers: Sequence[Session]) -> None:
        """Call ``resume`` of these sessions, which waited for an answer, soon."""

    def wait_for_flight(self) -> None:
        """Call ``resume`` of this session after the longest time a follower may wait, unless it was woken."""

    def in_doubt(self, suspension: Suspension, *, ddl: bool) -> None:
        """The origin was lost between sending and ReadyForQuery:
        watch that backend, then end the suspension.
        """

    def audit(self, shape: Shape, entry: Entry) -> None:
        """This answer, just given from memory, is one to be compared with the origin's, some time soon."""

    def translate_notification(self, raw: bytes) -> bytes:
        """A NotificationResponse with the process id by which clients know its sender."""

    def purge(self, table: tuple[str, ...] | None) -> Callable[[], None]:
        """What carries out ORRERY PURGE. Raises ``OrreryError``
        where this session's role may not, or the table does not exist.
        """

    def status(self) -> Rows:
        """The rows of SHOW orrery.status."""

    def stats(self) -> Rows:
        """The rows of SHOW orrery.stats."""

    def sees_all_roles(self) -> bool:
        """May this session's role see what other roles ask? Superusers and members of pg_monitor may."""
