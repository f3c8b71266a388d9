"""What a process holds, and what it is called."""

from __future__ import annotations

import os

import pytest

from tools.image import memory

_ROLLUP = """\
00400000-7fff00000000 ---p 00000000 00:00 0                              [rollup]
Rss:               72000 kB
Pss:               58000 kB
Pss_Anon:          50000 kB
"""


def test_figures_are_bytes() -> None:
    assert memory.figures(_ROLLUP) == (58_000 * 1024, 72_000 * 1024)


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/orrery/.venv/bin/python /orrery/.venv/bin/orrery run -- python -m app", "proxy"),
        ("python -m app", "app"),
        ("/bin/node /orrery/prisma/engines/src/query-engine.mjs -p 4466", "Prisma's engine"),
        ("sleep 5", "sleep 5"),
    ],
)
def test_a_process_is_called_by_what_it_does(command: str, role: str) -> None:
    assert memory.role(command) == role


def test_this_process_is_read_and_one_that_ended_is_left_out() -> None:
    [part] = memory.read([os.getpid(), 2**22 + 1])
    assert 0 < part.pss <= part.rss
