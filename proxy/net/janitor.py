"""What the memory needs done between other work: the dead leave step by step, the living are left in peace.

Python's garbage collector looks for rings of objects that only hold each other. For that it walks through
everything it was not told to leave alone, while all else waits: a second for a million entries. They need no
collector, for they are in no ring once they have left the memory. So it is told to leave alone what is there
(``gc.freeze``, which takes no time) before enough has come to be felt. What becomes a ring without an owner
afterwards, although it was there at that moment, is never found: a client that leaves takes its own apart.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from proxy.cache.memory import Memory
    from proxy.metrics.counters import Counters

_SWEEP_ENTRIES: Final = 200  # looked at in one go: half a millisecond, twice that if they lie far apart
_SWEEP_SECONDS: Final = 0.1
_SWEEP_PAUSE_SECONDS: Final = 0.001  # between two goes: a sweep takes a third of a core at most
# Fills between two freezes. Each brings two objects that the collector walks through in a microsecond or two.
_FREEZE_FILLS: Final = 1000


async def keep(memory: Memory[Any], counters: Counters) -> None:
    """Until it is cancelled."""
    leave_alone()
    frozen_at = 0
    while True:
        left = memory.sweep(_SWEEP_ENTRIES)
        if counters.fill - frozen_at >= _FREEZE_FILLS:
            frozen_at = counters.fill
            gc.freeze()
        await asyncio.sleep(_SWEEP_PAUSE_SECONDS if left else _SWEEP_SECONDS)


def leave_alone() -> None:
    """What the start has loaded stays for good; nobody waits yet for its one walk."""
    gc.collect()
    gc.freeze()
