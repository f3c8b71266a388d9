"""Reads the files of templates beside it: sections under ``-- [name]``, one template a line."""

from __future__ import annotations

from pathlib import Path

Phrases = dict[str, tuple[str, ...]]


def read_phrases(name: str) -> Phrases:
    """The templates of each section of ``name``. A line that begins with a blank continues the one before."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in Path(__file__).with_name(name).read_text().splitlines():
        if line.startswith("-- ["):
            section = found.setdefault(line.removeprefix("-- [").rstrip("]"), [])
        elif line.startswith(" "):
            section[-1] += line[1:]
        elif line and not line.startswith("--"):
            section.append(line)
    return {title: tuple(templates) for title, templates in found.items()}


EXPRESSIONS = read_phrases("expressions.sql")
STATEMENTS = read_phrases("statements.sql")
