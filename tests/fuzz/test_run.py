"""The short form of ``make fuzz``, and proof that a fault would be found and cut down."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import pytest

from tests.fuzz.run import run, run_in_parallel
from tests.fuzz.subject import Step
from tests.fuzz.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.fuzz.subject import Subject

SEED = 11
INPUTS = 2000


@final
class Faulty:
    """Breaks on two bytes anywhere."""

    name = "faulty"

    def make(self, random: Random) -> list[Step]:
        return [Step("say", random.randbytes(60)) for _ in range(20)]

    def play(self, steps: Sequence[Step]) -> str:
        data = b"".join(data for _, data in steps)
        if 0x07 in data and 0xFF in data:
            raise KeyError("planted")
        return "passed"


@pytest.mark.parametrize(("weight", "subject"), SUBJECTS, ids=[subject.name for _, subject in SUBJECTS])
def test_any_input_is_refused_passed_on_or_ends_the_session(weight: int, subject: Subject) -> None:
    result = run([(1, subject)], SEED, INPUTS * weight // 100, progress=lambda _: None)
    assert not result.found, "\n".join(result.lines(SEED))
    assert len(result.words[subject.name]) > 1, "every input led to the same: this proves nothing"


def test_a_planted_fault_is_found_once_and_cut_down_to_its_bytes() -> None:
    result = run([(1, Faulty())], SEED, 100, progress=lambda _: None)
    (finding,) = result.findings.values()
    assert sorted(b"".join(data for _, data in finding.steps)) == [0x07, 0xFF]
    assert result.found > 10
    assert result.lines(SEED)[-1].startswith(f"seed {SEED}: 100 inputs, {result.found} findings in 1 places")


def test_an_input_can_be_played_again_by_its_number() -> None:
    found = run([(1, Faulty())], SEED, 100, progress=lambda _: None)
    (finding,) = found.findings.values()
    again = run([(1, Faulty())], SEED, 1, only=finding.number, progress=lambda _: None)
    assert [f.steps for f in again.findings.values()] == [finding.steps]


def test_shares_in_several_processes_are_the_same_run() -> None:
    alone = run([(1, Faulty())], SEED, 101, progress=lambda _: None)
    shared = run_in_parallel([(1, Faulty())], SEED, 101, 3)
    assert (shared.inputs, shared.found, shared.words) == (alone.inputs, alone.found, alone.words)
    assert shared.findings.keys() == alone.findings.keys()
