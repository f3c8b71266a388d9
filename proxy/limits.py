"""What this machine or container lets the process have: memory and open files.

Sources: Linux kernel docs, admin-guide/cgroup-v2, "Memory Interface Files"; cgroup-v1/memory.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Final

_FILES_OF_OUR_OWN: Final = 64  # listeners, logs, the catalogue's connections, the loop
_FILES_PER_CLIENT: Final = 2  # its socket and, at worst, an origin connection of its own
_MAX_CLIENTS: Final = 100_000  # a limit of a million files is no reason to let memory be the next to run out


def memory_limit_bytes(root: Path = Path("/")) -> int:
    """The least of the machine's memory and of every limit set on our control group and those above it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for file in _limit_files(root) if (limit := _read_limit(file)))])


def open_files() -> tuple[int, int]:
    """The soft and the hard limit of open files; the hard one is finite here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = _files_for(_MAX_CLIENTS)
    return (
        unlimited if soft == resource.RLIM_INFINITY else soft,
        unlimited if hard == resource.RLIM_INFINITY else hard,
    )


def clients_that_fit(files: int) -> int:
    """How many clients ``files`` open files can serve, at most 100,000."""
    return max(1, min(_MAX_CLIENTS, (files - _FILES_OF_OUR_OWN) // _FILES_PER_CLIENT))


def raise_open_files(clients: int) -> int:
    """Raise the soft limit as far as ``clients`` clients need and the hard one allows; give what it is now.

    No further: a child process inherits it, and some programs walk through all file numbers.
    """
    soft, hard = open_files()
    wanted = min(_files_for(clients), hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted, soft)


def _files_for(clients: int) -> int:
    return _FILES_OF_OUR_OWN + _FILES_PER_CLIENT * clients


def _limit_files(root: Path) -> list[Path]:
    """The files that may hold a limit, by /proc/self/cgroup: version 2 ("0::/path") and version 1."""
    groups = root / "sys/fs/cgroup"
    found: list[Path] = []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            found += _upwards(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            found += _upwards(groups / "memory", path, "memory.limit_in_bytes")
    return found


def _upwards(top: Path, path: str, name: str) -> list[Path]:
    group = top / path.lstrip("/")
    return [folder / name for folder in (group, *group.parents) if folder == top or top in folder.parents]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _read_limit(file: Path) -> int:
    """Bytes; 0 where there is no limit (the file is absent, or says "max")."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else 0
