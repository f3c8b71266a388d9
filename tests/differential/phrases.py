"""Reads files of templates: sections under ``-- [name]``, one template a line."""

from __future__ import annotations

from pathlib import Path

Phrases = dict[str, tuple[str, ...]]


def read_phrases(path: Path) -> Phrases:
    """The templates of each section of a file. A line that begins with a blank continues the one before."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith("-- ["):
            section = found.setdefault(line.removeprefix("-- [").rstrip("]"), [])
        elif line.startswith(" "):
            section[-1] += line[1:]
        elif line and not line.startswith("--"):
            section.append(line)
    return {title: tuple(templates) for title, templates in found.items()}


EXPRESSIONS = read_phrases(Path(__file__).with_name("expressions.sql"))
STATEMENTS = read_phrases(Path(__file__).with_name("statements.sql"))
SCENES = read_phrases(Path(__file__).with_name("scenes.sql"))
