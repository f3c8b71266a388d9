"""The short form of ``make histories``, and proof that each broken law is found by it."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.histories.faults import WORKER_FAULTS, some_answers_are_late
from tests.histories.run import Plan, run

pytestmark = pytest.mark.postgres

# Those whose breach shows within seconds.
SOON_FOUND = ("order", "key", "ticket", "suspension", "precision")
NAMES = {"order": {"stale"}, "key": {"phantom"}}


def test_every_read_is_explained_while_things_break() -> None:
    result = asyncio.run(run(Plan(seconds=12, seed=4)))
    assert result.passed, "\n".join(result.lines())
    assert result.history.statements > 200, "hardly anything was read: this proves nothing"
    assert result.hit_share > 0.3, "hardly anything came from memory: this proves nothing"
    assert len(result.faults) > 4


def test_every_read_is_explained_while_workers_die_and_hang() -> None:
    result = asyncio.run(run(Plan(seconds=15, seed=2, faults=WORKER_FAULTS, workers=2)))
    assert result.passed, "\n".join(result.lines())
    assert result.history.statements > 200, "hardly anything was read: this proves nothing"
    assert result.hit_share > 0.1, "hardly anything came from memory: this proves nothing"
    assert len(result.faults) > 1


@pytest.mark.plain
@pytest.mark.parametrize(
    ("law", "workers"), [*((law, 1) for law in SOON_FOUND), ("announcement", 2), ("acknowledgement", 2)]
)
def test_a_broken_law_is_found(law: str, workers: int) -> None:
    program = (sys.executable, "-m", "tests.histories.broken_proxy", law)
    plan = Plan(
        seconds=240,
        clients=8 * workers,
        write_share=0.1,
        faults=(some_answers_are_late,),
        program=program,
        until_found=True,
        workers=workers,
    )
    result = asyncio.run(run(plan))
    assert result.verdict.findings, f"{law} is broken, and nobody saw it"
    assert NAMES.get(law, set()) <= {finding.name for finding in result.verdict.findings}
