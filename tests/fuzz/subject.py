"""What is fuzzed: something that makes inputs from a seed, plays them, and lets only allowed errors pass."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from random import Random
    from types import FrameType

# One input takes a millisecond or ten; whoever needs so long does not come back.
HANG_SECONDS: Final = 20.0


class Step(NamedTuple):
    """One thing that happens; ``what`` is the subject's own word, ``data`` the bytes of it."""

    what: str
    data: bytes = b""


class Subject(Protocol):
    """Everything that one kind of input is fed to."""

    name: str

    def make(self, random: Random) -> list[Step]:
        """An input; the same for the same ``random``."""

    def play(self, steps: Sequence[Step]) -> str:
        """Have it happen; one word for what came of it. Whatever is raised is a finding."""


class Hang(Exception):
    """One input took longer than ``HANG_SECONDS``."""


class Broken(Exception):
    """Something holds no more that must hold whatever the input was."""


@contextmanager
def bounded() -> Generator[None]:
    """Raise ``Hang`` in whatever runs too long; only in the main thread."""

    def strike(_: int, __: FrameType | None) -> None:
        raise Hang(f"not done after {HANG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
