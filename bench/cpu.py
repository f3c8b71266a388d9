"""How much processor time the processes of a server have had, from /proc/PID/stat."""

from __future__ import annotations

from contextlib import suppress

import psutil


def seconds(root: int) -> float:
    """User and system time so far of process ``root`` and all below it, those that have ended included.

    It grows in steps of a clock tick, 10 ms on Linux. A process that ends unseen counts once its parent has
    waited for it.
    """
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(root)
        for process in (top, *top.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
