"""One client's connection, and what everything that it does has in common: writing it down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from tests.histories.clients.drivers import Lost, Refused
from tests.histories.history import ACKNOWLEDGED, IN_DOUBT, REFUSED, Row
from tests.histories.journal import Effect, now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from random import Random

    from tests.histories.clients.drivers import Driver, Rows
    from tests.histories.journal import Journal

REGISTERS: Final = range(1, 9)
COUNTERS: Final = range(1, 5)
PAIRS: Final = range(1, 4)
PLACES: Final = range(1, 4)
WATCHED: Final = range(1, 3)
# The first of each kind is hot: the second is asked for half as often, and so on.
_COOLING: Final = 0.5

Numbers: TypeAlias = "Mapping[str, int] | None"


@dataclass
class Session:
    """``own``: the values that the open transaction has given to objects; ``mine``: rows that are still there
    and whose going is up to this client, as (token, place, whether a trip brought it).
    """

    driver: Driver
    journal: Journal
    random: Random
    own: dict[str, str] = field(default_factory=dict)
    mine: list[tuple[str, int, bool]] = field(default_factory=list)
    tokens: int = 0

    def token(self) -> str:
        """A value that nobody else writes, nor this client ever again."""
        self.tokens += 1
        return f"{self.journal.client}.{self.tokens}"

    def hot(self, numbers: range) -> int:
        """One of these, the first ones most often."""
        return self.random.choices(numbers, [_COOLING**rank for rank in range(len(numbers))])[0]

    def how(self, form: str) -> str:
        """By which words of which driver, for the story."""
        return f"{self.driver.name}: {form}"

    async def rows(self, sql: str, *values: object) -> tuple[float, Rows]:
        """Run a reading statement: when it was sent, and the answer."""
        began = now()
        return began, await self.driver.run(sql, *values)

    def saw(self, form: str, began: float, seen: Mapping[str, Iterable[Row]]) -> None:
        """Write an answer down."""
        self.journal.read(self.how(form), began, seen, {n: t for n, t in self.own.items() if n in seen})

    async def write(self, form: str, effects: list[Effect], run: Callable[[], Awaitable[Numbers]]) -> bool:
        """Run what makes ``effects`` visible, between two lines of the journal; was it acknowledged?

        ``run`` returns the numbers that the write was told, or None where it was told that nothing happened.
        """
        write = self.journal.announce(self.how(form), effects)
        try:
            numbers = await run()
        except Refused:
            self.journal.settle(write, REFUSED)
            raise
        except Lost:
            self.journal.settle(write, IN_DOUBT)
            raise
        self.journal.settle(write, REFUSED if numbers is None else ACKNOWLEDGED, numbers)
        return numbers is not None

    def never(self, form: str, effects: list[Effect]) -> None:
        """These values were given in a transaction that nobody will commit: nobody may read them."""
        self.journal.settle(self.journal.announce(self.how(form), effects), REFUSED)


def whole(value: object) -> int:
    """A number as the drivers bring it."""
    assert isinstance(value, int)
    return value
