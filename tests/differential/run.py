"""A whole run: chapters, each one script on fresh twins, and the report on them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final

from tests.differential.messages import transcript
from tests.differential.player import Player, Tally
from tests.differential.scenes import TEMPLATES, Scene, anew
from tests.differential.script import Script
from tests.differential.shrink import shrink
from tests.differential.twins import SETTINGS, Nursery
from tests.integration.proxy import ORRERY, Proxy
from tests.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from tests.differential.messages import Step
    from tests.differential.player import Difference

# Statements of a chapter: short enough to be played again and again while its script is shrunk.
CHAPTER: Final = 250
SHRINK_ATTEMPTS: Final = 60
# One scene takes away what another one would show.
_SCENES_OF_TWINS: Final = 10


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

    def add(self, other: Result) -> None:
        """Take in what came of another part of the run."""
        self.tally.add(other.tally)
        self.found += other.found

    def lines(self, seed: int, seconds: float) -> list[str]:
        """The report for people, on a run that took so long; its last line is the summary."""
        tally = self.tally
        reasons = " ".join(f"{word}={number}" for word, number in tally.reasons.most_common())
        lines = [line for found in self.found for line in _told(seed, found)]
        lines.append(f"not from memory: {reasons}")
        if tally.known:
            lines.append(f"known differences (temporary relations made again): {tally.known}")
        lines.append(f"reads with repetitions: {_part(tally.hits, tally.reads)} hits")
        served = f"{_part(tally.answered, tally.read_statements)} of the reads served from memory"
        pace = f"{tally.statements / max(seconds, 1e-9):.0f} statements/s"
        lines.append(
            f"seed {seed}: {tally.statements} statements, {len(self.found)} differences, {served}, {pace}"
        )
        return lines


def _part(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.1f} %)"


@contextmanager
def stage(fault: str = "", workers: int = 1) -> Generator[Nursery]:
    """A server and a proxy in front of it, for the length of a run. ``fault``: planted in the proxy."""
    several = ("--workers", str(workers)) if workers > 1 else ()
    program = (sys.executable, "-m", "tests.differential.faults", fault) if fault else (ORRERY,)
    with (
        Cluster(settings=SETTINGS) as cluster,
        Proxy(cluster.url(), "--freshness", "wire", *several, program=program) as proxy,
    ):
        yield Nursery(cluster, proxy.url)


def run(nursery: Nursery, seed: int, chapters: Iterable[int], progress: Callable[[str], None]) -> Result:
    """Play these chapters, and cut short what shows a difference."""
    result = Result()
    for chapter in chapters:
        steps = Script(f"{seed}/{chapter}").steps(CHAPTER)
        difference, tally = play(nursery, steps)
        result.tally.add(tally)
        if difference is not None:
            progress(f"chapter {chapter}: a difference\n{difference.seen}")
            result.found.append(_shortened(nursery, chapter, steps[: difference.at + 1], difference))
        progress(f"chapter {chapter}: {tally.statements} statements, {_part(tally.hits, tally.reads)} hits")
    return result


def run_in_parallel(
    seed: int, chapters: Iterable[int], jobs: int, progress: Callable[[str], None], workers: int = 1
) -> Result:
    """The same with so many servers and proxies at once, each of which plays the next chapter left."""
    left = iter(chapters)
    lock = Lock()

    def remaining() -> Iterator[int]:
        while True:
            with lock:
                chapter = next(left, None)
            if chapter is None:
                return
            yield chapter

    def work() -> Result:
        with stage(workers=workers) as nursery:
            return run(nursery, seed, remaining(), progress)

    result = Result()
    with ThreadPoolExecutor(jobs) as pool:
        for part in [pool.submit(work) for _ in range(jobs)]:
            result.add(part.result())
    return result


def statements_until_found(fault: str, seed: int, statements: int) -> int:
    """After how many statements a run notices ``fault``; 0 where it does not within ``statements``."""
    played = 0
    with stage(fault) as nursery:
        for steps in _thorough(seed):
            difference, tally = play(nursery, steps)
            played += tally.statements
            if difference is not None or played >= statements:
                return played if difference is not None else 0
    return 0


def _thorough(seed: int) -> Iterator[list[Step]]:
    """Every scene in a random order, some on each pair of twins, then one script; again and again."""
    for number in count():
        random = Random(f"{seed}/{number}")
        templates = random.sample(TEMPLATES, len(TEMPLATES))
        for at in range(0, len(templates), _SCENES_OF_TWINS):
            yield [
                step
                for template in templates[at : at + _SCENES_OF_TWINS]
                for step in (*Scene(random, template, 0, 1).steps(), *anew(0))
            ]
        yield Script(f"{seed}/{number}").steps(CHAPTER)


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
