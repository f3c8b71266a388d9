"""From a script that shows a difference to a short one that still does, by leaving out steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def shrink(steps: Sequence[T], fails: Callable[[Sequence[T]], bool], attempts: int) -> list[T]:
    """The shortest script found that ``fails``, with at most so many ``attempts``; ``steps`` itself does.

    Blocks of half the length are left out first, then smaller ones down to single steps (delta debugging).
    """
    kept = list(steps)
    size = max(1, len(kept) // 2)
    while attempts > 0:
        found = False
        at = len(kept)
        while at > 0 and attempts > 0:
            start = max(0, at - size)
            candidate = kept[:start] + kept[at:]
            attempts -= 1
            if candidate and fails(candidate):
                kept = candidate
                found = True
            at = start
        if size == 1 and not found:
            break
        size = max(1, size // 2)
    return kept
