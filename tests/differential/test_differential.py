"""The short form of ``make differential``, and proof that a memory which is wrong would be found out."""

from __future__ import annotations

import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING, final

import pytest

from tests.differential.messages import transcript
from tests.differential.player import Player
from tests.differential.run import CHAPTER, play, run, stage
from tests.differential.scenes import TEMPLATES, Scene
from tests.differential.script import Script
from tests.differential.shrink import shrink
from tests.differential.twins import Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.framing import Frame
    from tests.differential.messages import Part, Step
    from tests.differential.player import Difference
    from tests.differential.twins import Nursery, Voice

pytestmark = pytest.mark.postgres

SEED = 20
CHAPTERS = 2
TRIES = 8  # for numbers and manners in which the fault shows


@final
class Stubborn:
    """A memory with a planted fault: it keeps the first answer to each read for ever."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._kept: dict[tuple[Part, ...], list[Frame]] = {}

    @property
    def pid(self) -> int:
        return self._voice.pid

    def say(self, step: Step) -> list[Frame]:
        if not step.read:
            return self._voice.say(step)
        if step.parts not in self._kept:
            self._kept[step.parts] = self._voice.say(step)
        return self._kept[step.parts]


def stubborn_difference(nursery: Nursery, steps: Sequence[Step]) -> Difference | None:
    with nursery.twins() as pairs:
        return Player([Pair(pair.direct, Stubborn(pair.proxied)) for pair in pairs]).play(steps)


def test_answers_through_the_proxy_equal_direct_ones_byte_by_byte(nursery: Nursery) -> None:
    result = run(nursery, SEED, range(CHAPTERS), print)
    assert not result.found, "\n".join(result.lines(SEED, 1))
    assert result.tally.answered > CHAPTERS * CHAPTER / 5, (
        "hardly anything came from memory: this proves nothing"
    )


def test_an_answer_kept_too_long_is_found_and_shown_by_a_short_script(nursery: Nursery) -> None:
    steps = Script(f"{SEED}/0").steps(CHAPTER)
    difference = stubborn_difference(nursery, steps)
    assert difference is not None
    steps = steps[: difference.at + 1]
    short = shrink(steps, lambda tried: stubborn_difference(nursery, tried) is not None, attempts=20)
    assert len(short) < 10, [line for step in short for line in transcript(step)]


@pytest.mark.plain
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("isolation-is-ignored", "BEGIN ISOLATION LEVEL REPEATABLE READ"),
        ("key-without-bytea_output", "bytea_output"),
        ("rows-without-the-new-value", "UPDATE register SET id = {k} WHERE"),
    ],
)
def test_a_planted_fault_is_noticed(fault: str, words: str) -> None:
    template = next(template for template in TEMPLATES if words in template)
    with stage(fault) as nursery:
        played = (list(Scene(Random(seed), template, 0, 1).steps()) for seed in range(TRIES))
        assert any(play(nursery, steps)[0] is not None for steps in played)


def test_every_fault_can_still_be_planted() -> None:
    program = "from tests.differential.faults import FAULTS\nfor plant in FAULTS.values(): plant()"
    subprocess.run([sys.executable, "-c", program], check=True)
