"""A whole run: chapters, each one script on fresh twins, and the report on them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.differential.messages import transcript
from tests.differential.player import Player, Tally
from tests.differential.script import Script
from tests.differential.shrink import shrink
from tests.differential.twins import SETTINGS, Nursery
from tests.integration.proxy import Proxy
from tests.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from tests.differential.messages import Step
    from tests.differential.player import Difference

# Statements of a chapter: short enough to be played again and again while its script is shrunk.
CHAPTER: Final = 250
SHRINK_ATTEMPTS: Final = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: where, what, and a short script that shows it again (its last step)."""

    chapter: int
    seen: str
    script: list[str]


@dataclass(slots=True)
class Result:
    """What came of a run."""

    tally: Tally = field(default_factory=Tally)
    found: list[Found] = field(default_factory=list)

    def lines(self, seed: int) -> list[str]:
        """The report for people."""
        tally = self.tally
        reasons = " ".join(f"{word}={number}" for word, number in tally.reasons.most_common())
        lines = [line for found in self.found for line in _told(seed, found)]
        lines.append(f"not from memory: {reasons}")
        lines.append(
            f"statements that only read: {_part(tally.answered, tally.read_statements)} served from memory"
        )
        lines.append(f"reads with repetitions: {_part(tally.hits, tally.reads)} hits")
        lines.append(f"seed {seed}: {tally.statements} statements, {len(self.found)} differences")
        return lines


def _part(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.1f} %)"


@contextmanager
def stage() -> Generator[Nursery]:
    """A server and a proxy in front of it, for the length of a run."""
    with Cluster(settings=SETTINGS) as cluster, Proxy(cluster.url(), "--freshness", "wire") as proxy:
        yield Nursery(cluster, proxy.url)


def run(
    nursery: Nursery,
    seed: int,
    statements: int,
    chapters: Iterable[int] | None = None,
    progress: Callable[[str], None] = print,
) -> Result:
    """Play so many ``statements``, rounded up to whole chapters, or only the ``chapters`` that are named."""
    result = Result()
    for chapter in chapters if chapters is not None else range(-(-statements // CHAPTER)):
        steps = Script(f"{seed}/{chapter}").steps(CHAPTER)
        difference, tally = play(nursery, steps)
        result.tally.add(tally)
        if difference is not None:
            result.found.append(_shortened(nursery, chapter, steps[: difference.at + 1], difference))
        progress(f"chapter {chapter}: {tally.statements} statements, {_part(tally.hits, tally.reads)} hits")
    return result


def play(nursery: Nursery, steps: Sequence[Step]) -> tuple[Difference | None, Tally]:
    """One script on twins of its own."""
    with nursery.twins() as pairs:
        player = Player(pairs)
        return player.play(steps), player.tally


def _shortened(nursery: Nursery, chapter: int, steps: Sequence[Step], difference: Difference) -> Found:
    def fails(candidate: Sequence[Step]) -> bool:
        return play(nursery, candidate)[0] is not None

    short = shrink(steps, fails, SHRINK_ATTEMPTS)
    again, _ = play(nursery, short)
    seen = again.seen if again is not None else f"{difference.seen}\n(not seen again when played once more)"
    return Found(chapter, seen, [line for step in short for line in transcript(step)])


def _told(seed: int, found: Found) -> list[str]:
    return [f"--- difference in chapter {found.chapter} of seed {seed}", *found.script, found.seen, ""]
