"""Mistakes, planted into the project's own manifest: what ``make deploy-check`` says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deploy.check import mistakes
from deploy.document import read

ROOT: Final = Path(__file__).resolve().parents[2]
MANIFEST: Final = (ROOT / "koyeb.yaml").read_text()


def planted(old: str, new: str, service: str = "") -> list[str]:
    """All mistakes after ``old`` became ``new``, once: in the named service, else anywhere above it."""
    start = MANIFEST.index(f"name: {service}\n") if service else 0
    head, tail = MANIFEST[:start], MANIFEST[start:]
    assert old in tail, f"the manifest holds no {old!r}"
    return [str(mistake) for mistake in mistakes(read(head + tail.replace(old, new, 1)), ROOT)]


def said(old: str, new: str, service: str = "") -> str:
    """The one mistake that follows, without its line."""
    found = planted(old, new, service)
    assert len(found) == 1, found
    return found[0].partition(": ")[2]
