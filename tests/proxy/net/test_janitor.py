"""janitor: dead entries leave, and living ones stay out of the garbage collector's way."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Iterator

import pytest

from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.tags import relations_of
from proxy.cache.ttl import TtlRule
from proxy.metrics.counters import Counters
from proxy.net import janitor
from proxy.net.tasks import spawn


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


async def test_what_a_write_made_stale_is_freed_without_anybody_asking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory: Memory[str] = Memory(Limits(), TtlRule())
    memory.lease_until = math.inf
    slot = memory.slot(1, [10])
    for number in range(1000):
        ticket = memory.ticket(slot, b"%d" % number, 0.0)
        assert ticket is not None
        memory.land(ticket, b"answer")
    memory.drop(relations_of(1, [10]), "own_write")
    monkeypatch.setattr(janitor, "_SWEEP_SECONDS", 0.001)
    task = spawn(janitor.keep(memory, Counters()), name="janitor")
    async with asyncio.timeout(20):
        while memory.entries:
            await asyncio.sleep(0.001)
    task.cancel()


async def test_what_fills_brought_is_left_alone_by_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    memory: Memory[str] = Memory(Limits(), TtlRule())
    counters = Counters()
    monkeypatch.setattr(janitor, "_SWEEP_SECONDS", 0.001)
    task = spawn(janitor.keep(memory, counters), name="janitor")
    await asyncio.sleep(0)
    frozen = gc.get_freeze_count()
    brought = [[number] for number in range(5000)]
    counters.fill += 5000
    async with asyncio.timeout(20):
        while gc.get_freeze_count() < frozen + len(brought):
            await asyncio.sleep(0.001)
    task.cancel()
