"""Both sides of a comparison: twin databases, one asked direct and one through the proxy."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from proxy.wire import backend
from proxy.wire.trace import server_line
from tests.differential.messages import query, transcript
from tests.differential.player import Player, Tally
from tests.differential.speaker import Speaker
from tests.differential.twins import Pair

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.differential.messages import Step
    from tests.differential.twins import Voice


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

    def tell(self, voice: Voice, sql: str) -> None:
        """Have one side carry out ``sql``, whose answer is not what the test looks at."""
        replies = voice.say(query(0, sql))
        failed = [server_line(frame.raw) for frame in replies if frame.kind == backend.ERROR_RESPONSE]
        assert not failed, f"{sql}: {failed}"

    def tell_both(self, pair: Pair, sql: str) -> None:
        """The same on both sides; ``{database}`` stands for each side's own."""
        for voice, url in zip(pair, (self.direct, self.proxied), strict=True):
            self.tell(voice, sql.replace("{database}", urlsplit(url).path.lstrip("/")))
