"""A script is cut down to what shows the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_only_the_steps_that_matter_are_left() -> None:
    def fails(steps: Sequence[int]) -> bool:
        return {3, 58, 99} <= set(steps)

    assert shrink(range(100), fails, attempts=1000) == [3, 58, 99]


def test_a_script_that_needs_every_step_is_kept_whole() -> None:
    assert shrink("abcd", lambda steps: len(steps) == 4, attempts=1000) == list("abcd")


def test_the_number_of_attempts_is_bounded() -> None:
    tried: list[Sequence[int]] = []

    def fails(steps: Sequence[int]) -> bool:
        tried.append(steps)
        return 99 in steps

    shrink(range(100), fails, attempts=5)
    assert len(tried) == 5
