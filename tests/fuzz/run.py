"""A whole run: inputs of each subject in turn, what was found cut down to what matters, and the report."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from tests.differential.shrink import shrink
from tests.fuzz.subject import Step, Subject, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SHRINK_ATTEMPTS: Final = 400
# The same place fails for many inputs: one of them is told, the others are counted.
MOST_TOLD: Final = 20
_PROGRESS_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that something else than an allowed error came of, and the shortest one found that does so."""

    subject: str
    number: int
    what: str
    trace: str
    steps: list[Step]

    def lines(self, seed: int) -> list[str]:
        """For people: what, where, the input, and how to play it again."""
        again = f"--seed {seed} --subject {self.subject} --only {self.number}"
        head = f"--- {self.subject} input {self.number} of seed {seed}: {self.what}"
        return [head, *(f"  {step!r}" for step in self.steps), self.trace.rstrip(), f"again: {again}", ""]


@dataclass(slots=True)
class Result:
    """What came of a run. ``words``: what inputs led to, by subject; ``findings`` by where they failed."""

    inputs: int = 0
    seconds: float = 0.0
    words: dict[str, Counter[str]] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    found: int = 0

    def add(self, other: Result) -> None:
        """Count in what came of another share of the same run."""
        self.inputs += other.inputs
        self.found += other.found
        self.seconds = max(self.seconds, other.seconds)
        self.findings = {**other.findings, **self.findings}
        for name, words in other.words.items():
            self.words.setdefault(name, Counter()).update(words)

    def lines(self, seed: int) -> list[str]:
        """The report for people; its last line is the summary."""
        lines = [line for finding in self.findings.values() for line in finding.lines(seed)]
        for name, words in self.words.items():
            told = " ".join(f"{word}={number}" for word, number in words.most_common())
            lines.append(f"{name}: {words.total()} inputs: {told}")
        pace = self.inputs / max(self.seconds, 1e-9)
        lines.append(
            f"seed {seed}: {self.inputs} inputs, {self.found} findings"
            f" in {len(self.findings)} places, {pace:.0f} inputs/s"
        )
        return lines


def run(
    subjects: Sequence[tuple[int, Subject]],
    seed: int,
    inputs: int,
    only: int | None = None,
    progress: Callable[[str], None] = print,
    share: tuple[int, int] = (0, 1),
) -> Result:
    """Play so many ``inputs``, shared among ``subjects`` by their weights; or the one with number ``only``.

    Every input is made from seed, subject and number alone: it can be played again by itself. ``share`` is
    (which, of how many): every how-many-th input, beginning with that one.
    """
    result = Result()
    began = told = time.monotonic()
    weights = sum(weight for weight, _ in subjects)
    for weight, subject in subjects:
        words = result.words[subject.name] = Counter()
        which, of = share
        numbers: Iterable[int] = range(which, -(-inputs * weight // weights), of) if only is None else (only,)
        for number in numbers:
            steps = subject.make(Random(f"{seed}/{subject.name}/{number}"))
            words[_played(subject, steps, number, result)] += 1
            result.inputs += 1
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                progress(f"{subject.name}: {number + 1} inputs, {result.found} findings so far")
    result.seconds = time.monotonic() - began
    return result


def run_in_parallel(subjects: Sequence[tuple[int, Subject]], seed: int, inputs: int, jobs: int) -> Result:
    """The same run as ``run`` plays it, in so many processes."""
    result = Result()
    with ProcessPoolExecutor(jobs) as workers:
        shares = [
            workers.submit(run, subjects, seed, inputs, None, _told_at_once, (which, jobs))
            for which in range(jobs)
        ]
        for share in shares:
            result.add(share.result())
    return result


def _told_at_once(line: str) -> None:
    print(line, flush=True)


def _played(subject: Subject, steps: Sequence[Step], number: int, result: Result) -> str:
    failure = failure_of(subject, steps)
    if isinstance(failure, str):
        return failure
    result.found += 1
    place = (subject.name, _place(failure))
    if place not in result.findings and len(result.findings) < MOST_TOLD:
        short = shortest(subject, steps, place[1])
        trace = "".join(traceback.format_exception(failure)[-3:])
        result.findings[place] = Finding(subject.name, number, repr(failure)[:200], trace, short)
    return "finding"


def failure_of(subject: Subject, steps: Sequence[Step]) -> str | Exception:
    """What playing these raises; the word for what came of them if it raises nothing."""
    try:
        with bounded():
            return subject.play(steps)
    except Exception as failure:  # noqa: BLE001 - this is what we are looking for
        return failure


def _place(failure: Exception) -> str:
    """Where it was raised, and as what: two inputs that agree in this are one finding."""
    frame = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__} {frame.filename}:{frame.lineno}"


def shortest(subject: Subject, steps: Sequence[Step], place: str) -> list[Step]:
    """The fewest steps, and the fewest bytes in each, that still fail at ``place``."""

    def fails(candidate: Sequence[Step]) -> bool:
        failure = failure_of(subject, candidate)
        return not isinstance(failure, str) and _place(failure) == place

    kept = shrink(steps, fails, SHRINK_ATTEMPTS)
    for at, (what, data) in enumerate(kept):
        kept[at] = Step(what, _fewest_bytes(data, partial(_with_bytes, fails, kept, at)))
    return kept


def _with_bytes(fails: Callable[[Sequence[Step]], bool], steps: list[Step], at: int, data: bytes) -> bool:
    return fails([*steps[:at], Step(steps[at].what, data), *steps[at + 1 :]])


def _fewest_bytes(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    return bytes(shrink(list(data), lambda part: fails(bytes(part)), SHRINK_ATTEMPTS)) if data else data
