"""Where the proxy is at this moment: a file that clients read whenever they connect."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Whereabouts(NamedTuple):
    """``incarnation`` counts the proxies of a run, one after the other, from 1."""

    incarnation: int
    url: str


def whereabouts(folder: Path) -> Whereabouts:
    """The latest one; its proxy may be dead already."""
    incarnation, url = (folder / "whereabouts").read_text().split()
    return Whereabouts(int(incarnation), url)


def publish(folder: Path, now: Whereabouts) -> None:
    """From now on clients connect there; nobody ever reads half of it."""
    draft = folder / "whereabouts.new"
    draft.write_text(f"{now.incarnation} {now.url}\n")
    draft.replace(folder / "whereabouts")
