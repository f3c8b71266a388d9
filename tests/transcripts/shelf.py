"""Where the transcripts stand."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHELF: Final = Path(__file__).parent


def names() -> list[str]:
    """All transcripts, by the names of their files."""
    return sorted(path.stem for path in SHELF.glob("*.txt"))


def path_of(name: str) -> Path:
    """The file of one transcript."""
    return SHELF / f"{name}.txt"
