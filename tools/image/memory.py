"""What processes hold in memory, from /proc: also run alone, inside of a container, by its own Python.

Pages that several processes share count in parts (PSS): a sum is what the machine gives for all of them.
Source: Linux, Documentation/filesystems/proc.rst, "/proc/<pid>/smaps_rollup".
"""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

# Words of a command line, and what the process is to a reader.
_ROLES = (
    ("query-engine.mjs", "Prisma's engine"),
    ("orrery run", "proxy"),
    ("orrery serve", "proxy"),
    ("-m app", "app"),
)


class Part(NamedTuple):
    """One process: what it is, its share of memory and its whole resident memory, in bytes."""

    role: str
    pss: int
    rss: int


def role(command: str) -> str:
    """What the process with this command line is."""
    return next((name for words, name in _ROLES if words in command), command[:40])


def figures(rollup: str) -> tuple[int, int]:
    """PSS and RSS in bytes, of the text of a smaps_rollup."""
    fields = dict(line.split(":", 1) for line in rollup.splitlines()[1:])
    return int(fields["Pss"].split()[0]) * 1024, int(fields["Rss"].split()[0]) * 1024


def read(pids: Iterable[int]) -> list[Part]:
    """What these processes hold; those that have ended meanwhile or are the kernel's are left out."""
    parts = []
    for pid in pids:
        folder = Path("/proc") / str(pid)
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            pss, rss = figures((folder / "smaps_rollup").read_text())
        except OSError:
            continue
        parts.append(Part(role(command), pss, rss))
    return parts


if __name__ == "__main__":
    numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    json.dump(read(number for number in numbers if number != os.getpid()), sys.stdout)
