"""The proxy with one law broken, for the checker to find: ``... broken_proxy LAW serve --origin ...``.

Nothing of it is in the product: a function of the memory or of the net is replaced before ``orrery`` begins.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from proxy import cli, supervisor, worker
from proxy.cache.facets import Facet, RowChange
from proxy.cache.fills import Ticket
from proxy.cache.memory import Memory
from proxy.cache.tags import NOTHING, Reach, Suspension
from proxy.net.client import ClientConnection
from proxy.net.doubt import Backend
from proxy.net.feeds.fleet import Fleet
from proxy.net.feeds.membership import Membership
from proxy.net.feeds.messages import Message
from proxy.net.predecessors import Predecessors

if TYPE_CHECKING:
    from proxy.cache.entry import Entry, Slot
    from proxy.cache.facets import Fixed
    from proxy.cache.memory import Cause
    from proxy.session.session import Session

# How long after its answer a write's reach is dropped by a proxy that breaks that order.
LATE_SECONDS: Final = 0.03

_suspend = Memory.suspend
_end = Memory.end
_lookup = Memory.lookup
_ticket = Memory.ticket
_cannot_see = Facet.cannot_see
_announce = Fleet.announce
_said = Fleet.said


def ticket() -> None:
    """What has moved while a fill was under way is no matter: it lands."""

    def stamped_when_it_lands(ticket: Ticket) -> bool:
        ticket.stamp = ticket.slot.stamp(ticket.places)
        return True

    Ticket.is_valid = stamped_when_it_lands  # type: ignore[method-assign, assignment]


def suspension() -> None:
    """While a write is on its way its reach is served; what it has changed is dropped when it is answered."""
    reaches: dict[Suspension, Reach] = {}

    def suspend(memory: Memory[Session], reach: Reach) -> Suspension:
        nothing = _suspend(memory, NOTHING)
        reaches[nothing] = reach
        return nothing

    def end(
        memory: Memory[Session], suspension: Suspension, *, changed: bool, cause: Cause = "own_write"
    ) -> None:
        _end(memory, suspension, changed=False)
        if changed:
            memory.drop(reaches.pop(suspension, NOTHING), cause)

    Memory.suspend = suspend  # type: ignore[method-assign, assignment]
    Memory.end = end  # type: ignore[method-assign, assignment]


def order() -> None:
    """ReadyForQuery is handed on, and the reach served again, before anything is dropped."""
    reaches: dict[Suspension, Reach] = {}

    def suspend(memory: Memory[Session], reach: Reach) -> Suspension:
        suspension = _suspend(memory, reach)
        reaches[suspension] = reach
        return suspension

    def end(
        memory: Memory[Session], suspension: Suspension, *, changed: bool, cause: Cause = "own_write"
    ) -> None:
        _end(memory, suspension, changed=False)
        reach = reaches.pop(suspension, NOTHING)
        if changed:
            asyncio.get_running_loop().call_later(LATE_SECONDS, memory.drop, reach, cause)

    Memory.suspend = suspend  # type: ignore[method-assign, assignment]
    Memory.end = end  # type: ignore[method-assign, assignment]


def key() -> None:
    """Parameters are left out of the key; the formats stay in it."""

    def lookup(memory: Memory[Session], slot: Slot, key: bytes, now: float) -> Entry | None:
        return _lookup(memory, slot, _without_parameters(key), now)

    def ticket(
        memory: Memory[Session], slot: Slot, key: bytes, now: float, values: Sequence[Fixed] = ()
    ) -> Ticket | None:
        return _ticket(memory, slot, _without_parameters(key), now, values)

    Memory.lookup = lookup  # type: ignore[method-assign, assignment]
    Memory.ticket = ticket  # type: ignore[method-assign, assignment]


def _without_parameters(key: bytes) -> bytes:
    """Of a key (how it was described, then Bind from its formats on) the formats alone."""
    formats = int.from_bytes(key[1:3], "big")
    return key[: 3 + 2 * formats]


def doubt() -> None:
    """A lost connection ends what it has suspended, although its backend may yet commit."""

    def in_doubt(client: ClientConnection, suspension: Suspension, *, ddl: bool) -> None:
        client.hub.shared.memory.end(suspension, changed=True)

    ClientConnection.in_doubt = in_doubt  # type: ignore[method-assign, assignment]


def predecessor() -> None:
    """Sessions that were at the origin before the proxy was are no matter: level wire from the start."""

    async def look(predecessors: Predecessors) -> None:
        predecessors.pending = False

    Predecessors.look = look  # type: ignore[method-assign, assignment]


def precision() -> None:
    """A write that names its rows leaves alone not only other rows' answers, but those that show all rows."""

    def cannot_see(facet: Facet, change: RowChange) -> bool:
        return _cannot_see(facet, change) or (facet.column == 0 and bool(change.confined))

    Facet.cannot_see = cannot_see  # type: ignore[method-assign, assignment]


def announcement() -> None:
    """Other workers are told of a write when it is over, not before."""
    announced: dict[Suspension, tuple[Reach, Backend, bool]] = {}
    ended = Fleet._ended

    def announce(
        fleet: Fleet, suspension: Suspension, reach: Reach, backend: Backend, then: object, *, ddl: bool
    ) -> bool:
        announced[suspension] = (reach, backend, ddl)
        return False

    def end(fleet: Fleet, suspension: Suspension, cause: Cause, *, changed: bool) -> None:
        if suspension in announced:
            reach, backend, ddl = announced.pop(suspension)
            _announce(fleet, suspension, reach, backend, lambda: None, ddl=ddl)
        ended(fleet, suspension, cause, changed=changed)

    Fleet.announce = announce  # type: ignore[method-assign, assignment]
    Fleet._ended = end  # type: ignore[method-assign, assignment]


def acknowledgement() -> None:
    """A write is announced to other workers, and sent whether or not they have heard of it."""

    def waits_for_nobody(membership: Membership, number: int, now: float) -> bool:
        return False

    def slowly(fleet: Fleet, slot: int, message: Message) -> None:
        asyncio.get_running_loop().call_later(LATE_SECONDS, _said, fleet, slot, message)

    Membership.announce = waits_for_nobody  # type: ignore[method-assign, assignment]
    Fleet.said = slowly  # type: ignore[method-assign, assignment]


LAWS: Final[dict[str, Callable[[], None]]] = {
    law.__name__: law
    for law in (
        *(ticket, suspension, order, key, precision, doubt, predecessor),
        *(announcement, acknowledgement),
    )
}

if __name__ == "__main__":
    law, *rest = sys.argv[1:]
    LAWS[law]()
    supervisor.PROGRAM = (sys.executable, "-m", "tests.histories.broken_proxy", law, "worker")
    if rest[0] == "worker":
        sys.argv[1:] = rest[1:]
        sys.exit(worker.main())
    sys.exit(cli.main(rest))
