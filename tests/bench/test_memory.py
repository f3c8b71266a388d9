"""What the benchmark of the memory counts, and how."""

from __future__ import annotations

import asyncio
import time

from bench.memory import Pulse, Turns, traced


def test_percentiles_are_of_all_turns_and_the_longest_is_exact() -> None:
    turns = Turns()
    for milliseconds in (1.0, 1.0, 1.0, 7.123):
        turns.add(milliseconds / 1000)
    assert 1.0 <= turns.percentile(0.5) <= 1.02
    assert 7.12 <= turns.percentile(0.999) <= 7.14
    assert round(turns.longest, 3) == 7.123
    assert turns.above(5) == 1


def test_a_turn_that_outlasts_the_scale_is_counted_as_the_longest_that_it_has() -> None:
    turns = Turns()
    turns.add(3600.0)
    assert turns.above(5) == 1
    assert turns.longest == 3_600_000.0


async def test_a_turn_that_works_is_seen_in_processor_time() -> None:
    pulse = Pulse()
    await asyncio.sleep(0)
    deadline = time.thread_time() + 0.02
    while time.thread_time() < deadline:
        pass
    await asyncio.sleep(0)
    assert pulse.stop().cpu.longest >= 20.0


def test_an_entry_of_the_load_takes_what_the_memory_says_at_most() -> None:
    assert 200 < traced(5000) < 500
