"""The benchmark of precision, on a small table: rows stay in the memory, a vague write leaves few."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bench.precision import SCHEMA, VAGUE_WRITE, WRITE, measure
from bench.stage import Place, stage

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def place() -> Generator[Place]:
    with stage(SCHEMA, distance_ms=0) as ready:
        yield ready


def test_writes_by_key_leave_most_of_the_memory_and_vague_ones_little(place: Place) -> None:
    exact = asyncio.run(measure(place, WRITE, seconds=1.0, seed=1, rows=200))
    vague = asyncio.run(measure(place, VAGUE_WRITE, seconds=1.0, seed=1, rows=200))
    assert exact.stale == vague.stale == 0
    assert exact.writes > 0
    assert vague.writes > 0
    assert exact.ratio > 2 * vague.ratio
