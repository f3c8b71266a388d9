"""Both sides of a comparison: twin databases, one asked direct and one through the proxy."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.differential.messages import transcript
from tests.differential.player import Player, Tally
from tests.differential.speaker import Speaker
from tests.differential.twins import Pair

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from tests.differential.messages import Step


@dataclass(frozen=True, slots=True)
class Sides:
    """The addresses of the twins. They are shared by tests, which leave behind what they found."""

    direct: str
    proxied: str

    @contextmanager
    def pairs(self, number: int = 2) -> Generator[list[Pair]]:
        """So many fresh clients, each of them on both sides."""
        with ExitStack() as open_now:
            yield [
                Pair(*(open_now.enter_context(Speaker(url)) for url in (self.direct, self.proxied)))
                for _ in range(number)
            ]

    def play(self, *steps: Step) -> Tally:
        """Play one conversation on both sides: every byte that comes back must be equal."""
        with self.pairs(max(step.client for step in steps) + 1) as pairs:
            player = Player(pairs)
            found = player.play(steps)
        if found is not None:
            told = [line for step in steps[: found.at + 1] for line in transcript(step)]
            raise AssertionError("\n".join((*told[-12:], found.seen)))
        return player.tally
