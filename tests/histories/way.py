"""The way from the proxy to the origin: each connection has a delay of its own, so answers overtake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

from loadtest.distance import Distance
from loadtest.lines import Conditions, Direction, Line
from tests.postgres import HOST

if TYPE_CHECKING:
    from random import Random

# Each way. A write on a slow connection is visible long before it is acknowledged; a read on a slow one is
# long out of date when its answer arrives.
_DELAYS_SECONDS: Final = (0.0, 0.0, 0.004, 0.03)
_SHUFFLE_SECONDS: Final = 0.02


@final
class Way:
    """A relay before the server on ``port``. A line keeps the conditions of the moment when it opened."""

    def __init__(self, port: int) -> None:
        self._all = [Conditions(seconds) for seconds in _DELAYS_SECONDS]
        self._stranded: list[Conditions] = []
        self._stranded_lines: list[Line] = []
        self.relay = Distance(HOST, port, self._all[0])

    async def shuffle(self, random: Random) -> None:
        """For ever let the next connection be near or far."""
        while True:
            self.relay.conditions = random.choice(self._all)
            await asyncio.sleep(_SHUFFLE_SECONDS)

    def stall(self, *directions: Direction) -> None:
        """Let nothing arrive in these directions (none: both) until ``resume``; nothing is lost."""
        for conditions in self._all:
            conditions.stalled = frozenset(directions or Direction)

    def stall_some(self, random: Random, *directions: Direction) -> None:
        """The same for the lines of some delays only: the others overtake them."""
        for conditions in random.sample(self._all, 2):
            conditions.stalled = frozenset(directions or Direction)

    def resume(self) -> None:
        """End a stall: what is overdue arrives at once, in any order between connections."""
        for conditions in (*self._all, *self._stranded):
            conditions.stalled = frozenset()
        self._stranded.clear()
        self.relay.resume()

    def strand(self) -> None:
        """What is sent to the origin on the lines of now arrives after ``resume``; new lines are free."""
        self._stranded_lines = list(self.relay._lines)
        for conditions in self._all:
            conditions.stalled = frozenset((Direction.TO_TARGET,))
        self._stranded += self._all
        self._all = [Conditions(seconds) for seconds in _DELAYS_SECONDS]
        self.relay.conditions = self._all[0]

    def sever(self) -> None:
        """Reset the proxy's ends of what is stranded: it knows that it is lost, the origin does not."""
        for line in self._stranded_lines:
            line.client.abort()

    def drop_severed(self) -> None:
        """Now the origin knows, too."""
        for line in self._stranded_lines:
            line.drop()
        self._stranded_lines.clear()

    def cut(self) -> None:
        """Lose what is under way, and reset every connection until ``mend``."""
        self.relay.cut()

    def mend(self) -> None:
        """End a cut."""
        self.relay.mend()
