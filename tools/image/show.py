"""What ``make image`` prints at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from tools.image.load import ANSWERED, FAILED
from tools.image.probe import BEYOND_BYTES, MEMORY_BYTES, START_SECONDS

if TYPE_CHECKING:
    from tools.image.probe import Findings

_MB = 10**6


def summary(seen: Findings) -> Table:
    """The figures, beside what was demanded."""
    table = Table(title="The image", box=SIMPLE, title_justify="left")
    table.add_column("")
    table.add_column("seen", justify="right")
    table.add_column("aim")
    table.add_row("beyond its base", _mb(seen.beyond_bytes), f"below {_mb(BEYOND_BYTES)}")
    table.add_row("its user", seen.user, "not 0")
    for part in sorted(seen.parts, key=lambda part: -part.pss):
        table.add_row(f"idle memory: {part.role}", _mb(part.pss), f"resident {_mb(part.rss)}")
    total = sum(part.pss for part in seen.parts)
    table.add_row("idle memory in sum", _mb(total), f"below {_mb(MEMORY_BYTES)}")
    table.add_row("start to first /planets", f"{seen.start_seconds:.1f} s", f"below {START_SECONDS:g} s")
    for target, count in seen.hits.items():
        table.add_row(f"second /planets, target {target}", "a hit" if count == 1 else "no hit", "a hit")
    answered, failed = seen.under_load.get(ANSWERED, 0), seen.under_load.get(FAILED, 0)
    table.add_row("SIGTERM under load", f"{failed} failed of {answered + failed}", "0 failed")
    table.add_row("its end", f"status {seen.end_status} in {seen.end_seconds:.1f} s", "status 0")
    return table


def verdict(seen: Findings) -> str:
    """What follows, in a sentence or one for each fault. A slow machine is told, and is no fault."""
    slow = seen.start_seconds > START_SECONDS
    hint = f" (this machine took longer than {START_SECONDS:g} s to the first answer)" if slow else ""
    if not seen.faults:
        return f"The image is as it must be{hint}."
    return "\n".join(["The image is not as it must be:", *(f"  - {fault}" for fault in seen.faults)])


def _mb(size: int) -> str:
    return f"{size / _MB:.0f} MB"
