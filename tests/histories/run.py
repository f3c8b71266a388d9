"""A whole run: clients at work, faults between them, then the origin's own last word, and the verdict."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from tests.histories.checking.check import check
from tests.histories.clients.client import Habits
from tests.histories.clients.session import PAIRS, REGISTERS, WATCHED
from tests.histories.faults import FAULTS, WORKER_FAULTS, rehearse
from tests.histories.history import initially
from tests.histories.journal import load, now
from tests.histories.stage import Stage, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.histories.checking.findings import Verdict
    from tests.histories.faults import Fault
    from tests.histories.history import History

_PROGRESS_SECONDS: Final = 10.0
_FIND_SECONDS: Final = 1.5
_OBJECTS: Final = (
    *(f"register {i}" for i in REGISTERS),
    *(f"pair {i}" for i in PAIRS),
    *(f"watched {i}" for i in WATCHED),
    *(f"copy {i}" for i in WATCHED),
    "stage 1",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """``program``: what stands for ``orrery``. ``until_found``: end as soon as something is found."""

    seconds: float = 60.0
    seed: int = 1
    clients: int = 8
    write_share: float = 0.02
    faults: Sequence[Fault] = FAULTS
    program: Sequence[str] | None = None
    until_found: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run. ``troubles``: what is no read: a crash, a silence, a driver's surprise."""

    plan: Plan
    history: History
    verdict: Verdict
    from_memory: int
    faults: dict[str, int]
    troubles: list[str]

    @property
    def hit_share(self) -> float:
        """Answers from memory among the answers to reading statements, 0 to 1; at least so many."""
        return self.from_memory / max(self.history.statements, 1)

    @property
    def passed(self) -> bool:
        """Is every read explained, and did nothing else go wrong?"""
        return not (self.verdict.findings or self.troubles)

    def lines(self) -> list[str]:
        """The report for people; the last line sums it up."""
        plan, verdict = self.plan, self.verdict
        lines = [*self.troubles, *verdict.lines()]
        lines += [f"fault: {name}, {times} times" for name, times in sorted(self.faults.items())]
        if verdict.excused:
            lines.append(
                f"{verdict.excused} reads explained by level ttl alone, after a proxy's death: they leave out"
                " its writes in doubt"
            )
        if not self.passed:
            lines.append(
                f"to repeat: make histories ARGS='--seconds {plan.seconds:g} --seed {plan.seed}"
                f" --clients {plan.clients} --write-share {plan.write_share:g}"
                f"{_chosen(plan.faults, plan.workers)}'"
            )
        lines.append(
            f"seed {plan.seed}: {self.history.statements} reads, {100 * self.hit_share:.1f} % from memory;"
            f" {len(self.history.writes)} writes, {self.history.in_doubt()} in doubt;"
            f" {sum(self.faults.values())} faults; {len(self.troubles)} other troubles;"
            f" {len(verdict.findings)} unexplained reads"
        )
        return lines


def _chosen(faults: Sequence[Fault], workers: int) -> str:
    """The arguments that choose these faults and workers."""
    several = f" --workers {workers}" if workers > 1 else ""
    if not faults:
        return f"{several} --no-faults"
    every = (*FAULTS, *WORKER_FAULTS) if workers > 1 else FAULTS
    return several + ("" if faults == every else "".join(f" --fault {fault.__name__}" for fault in faults))


async def run(plan: Plan, progress: Callable[[str], None] = print) -> Result:
    """Play ``plan`` and judge what was written down."""
    async with stage(plan.program, plan.workers) as ready:
        began = now()
        ready.start_clients(plan.clients, Habits(plan.seed, plan.write_share))
        await _play(ready, plan, began, progress)
        await asyncio.to_thread(ready.stop_clients)
        await asyncio.to_thread(ready.sample)
        await ready.last_word()
        if plan.program is None:
            await asyncio.to_thread(ready.stop)
        history, verdict = await asyncio.to_thread(_judged, ready, began)
        return Result(
            plan,
            history,
            verdict,
            ready.from_memory,
            dict(ready.faults),
            sorted(ready.troubles) + history.oddities,
        )


def _judged(ready: Stage, began: float) -> tuple[History, Verdict]:
    """All that was over before now: whatever it shows had been announced by then."""
    moment = now()
    history = load(ready.folder)
    history.reads = [read for read in history.reads if read.ended < moment]
    history.scans = [scan for scan in history.scans if scan.ended < moment]
    history.writes += initially(_OBJECTS)
    return history, check(history, ready.levels, began)


async def _play(ready: Stage, plan: Plan, began: float, progress: Callable[[str], None]) -> None:
    """Until the time is over; the last fault is mended before that."""
    random = Random(plan.seed)
    around = [asyncio.create_task(ready.watch()), asyncio.create_task(ready.way.shuffle(Random(plan.seed)))]
    end = began + plan.seconds
    over = asyncio.Event()
    faults = asyncio.create_task(rehearse(ready, plan.faults, random, over)) if plan.faults else None
    try:
        while now() < end and not (faults and faults.done()):
            await asyncio.sleep(min(_FIND_SECONDS if plan.until_found else _PROGRESS_SECONDS, end - now()))
            progress(_progress(ready, now() - began))
            if plan.until_found and (await asyncio.to_thread(_judged, ready, began))[1].findings:
                break
    finally:
        over.set()
        if faults is not None:
            await faults
        for task in around:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _progress(ready: Stage, seconds: float) -> str:
    return (
        f"{seconds:4.0f} s: {ready.answers} answers, {ready.from_memory} of them from memory;"
        f" {sum(ready.faults.values())} faults"
    )
