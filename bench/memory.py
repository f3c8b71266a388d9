"""``make bench-memory``: what a memory of a million entries costs, and whom it keeps waiting.

The proxy runs in this process, so that its loop can be watched; one real read shows what an entry of the
load looks like, and the memory is filled with as many like it as are wanted, by the way that every fill
takes. *Pauses* are the turns of the loop: what anybody who comes in that moment waits for. They are measured
twice, on the clock and in processor time of the loop's own thread, which other programs cannot lengthen.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
import time
import tracemalloc
from array import array
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import uvloop

from bench.report import machine
from bench.speaker import Speaker
from bench.stage import DATABASE, guarded, origin
from proxy import config
from proxy.cache.facets import Part
from proxy.cache.memory import Memory
from proxy.cache.policy import Limits
from proxy.cache.ttl import TtlRule
from proxy.service import Service
from proxy.session import rows
from proxy.wire import frontend
from tools.embedded import HOST
from tools.stage.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.cache.entry import Slot
    from proxy.session.session import Session
    from proxy.session.shapes import Shape
    from proxy.session.shared import Shared

_TEXT: Final = b"SELECT name, n FROM item WHERE id = $1"
_OTHER: Final = b"SELECT name, n FROM other WHERE id = $1"
_SCHEMA: Final = """
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int NOT NULL DEFAULT 0);
INSERT INTO item VALUES (0, 'item 0000000000');
CREATE TABLE other AS TABLE item
"""
_FEW: Final = 1000  # entries that hits of many are compared with
_PURGED: Final = 100_000  # entries of the table that is purged
_FILLS_IN_A_TURN: Final = 10
_CACHE_BYTES: Final = 8 << 30
_LONGEST_TURN_MS: Final = 1000  # longer ones are counted as such
# A goal as the readers know it: figure, bound, and whether it is a least one.
_GOALS: Final = (
    ("bytes per entry beyond key and payload, by RSS", "rss_bytes", 500.0, False),
    ("bytes per entry beyond key and payload, by tracemalloc", "traced_bytes", 500.0, False),
    ("fills a second", "fills_a_second", 8000.0, True),
    ("p99.9 of pauses while it fills, ms", "fill_pause_p999_ms", 5.0, False),
    ("longest pause while a table is purged, ms", "purge_pause_ms", 5.0, False),
    ("p99.9 of hits, all entries over 1,000", "hit_p999_ratio", 2.0, False),
)


@dataclass(slots=True)
class Figures:
    """Milliseconds and microseconds of processor time where ``_wall`` does not say otherwise."""

    entries: int
    rss_bytes: float = 0.0
    charged_bytes: float = 0.0
    traced_bytes: float = 0.0
    fills_a_second: float = 0.0
    fill_pause_p99_ms: float = 0.0
    fill_pause_p999_ms: float = 0.0
    fill_pause_ms: float = 0.0
    fill_pauses_above_5_ms: int = 0
    fill_pause_p999_ms_wall: float = 0.0
    purge_pause_ms: float = 0.0
    purge_pause_ms_wall: float = 0.0
    purge_seconds: float = 0.0
    clear_pause_ms: float = 0.0
    lookup_few_p999_us: float = 0.0
    lookup_all_p999_us: float = 0.0
    hit_few_p50_us_wall: float = 0.0
    hit_all_p50_us_wall: float = 0.0
    hit_few_p999_us_wall: float = 0.0
    hit_all_p999_us_wall: float = 0.0
    hit_p999_ratio: float = 0.0
    machine: str = field(default_factory=machine)
    moment: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Turns:
    """How long turns took, in milliseconds, to a hundredth; it takes no memory that grows while it counts."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _LONGEST_TURN_MS * 100))
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        took = 1000 * seconds
        self.longest = max(self.longest, took)
        self._counts[min(int(took * 100), len(self._counts) - 1)] += 1

    def percentile(self, share: float) -> float:
        """What this share of them did not exceed."""
        wanted, seen = share * sum(self._counts), 0
        for place, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return (place + 1) / 100
        return self.longest

    def above(self, bound: int) -> int:
        """How many took longer than so many milliseconds."""
        return sum(self._counts[bound * 100 :])


class Pulse:
    """How long each turn of the loop takes, on the clock and in processor time, while it is on."""

    def __init__(self) -> None:
        self.wall, self.cpu = Turns(), Turns()
        self._wall, self._cpu = time.perf_counter(), time.thread_time()
        self._next = asyncio.get_running_loop().call_soon(self._beat)

    def _beat(self) -> None:
        self._take()
        self._next = asyncio.get_running_loop().call_soon(self._beat)

    def _take(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        self.wall.add(wall - self._wall)
        self.cpu.add(cpu - self._cpu)
        self._wall, self._cpu = wall, cpu

    def stop(self) -> Pulse:
        """No more; the last turn counts."""
        self._next.cancel()
        self._take()
        return self


class Load:
    """Entries like the one that ``shape`` has from a real read, one for each number."""

    def __init__(self, shared: Shared, shape: Shape) -> None:
        assert shape.slot is not None
        self.memory = shared.memory
        self.counters = shared.counters
        self.shape = shape
        self.slot: Slot = shape.slot
        (entry,) = self.slot.entries.values()
        self._key, self._payload = entry.key, entry.payload
        self.bytes = len(entry.key) + len(entry.payload)

    def key(self, number: int) -> bytes:
        """As ``bind_of`` makes it."""
        return self._key[:1] + frontend.with_parameter(self._key[1:], 1, b"%010d" % number)

    def fill(self, number: int) -> None:
        """What a miss does to the memory."""
        key = self.key(number)
        ticket = self.memory.ticket(self.slot, key, time.monotonic(), rows.fixed(self.shape, key))
        assert ticket is not None
        self.memory.land(ticket, self._payload.replace(b"0000000000", b"%010d" % number))
        self.counters.fill += 1


def bind_of(statement: bytes, number: int) -> bytes:
    """A read of one number, as a driver sends it again and again."""
    tail = frontend.bind_texts([b"%010d" % number])
    return frontend.bind(b"", statement, tail) + frontend.execute(b"") + frontend.SYNC_FRAME


def main() -> int:
    """Measure and report. Exit status 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(prog="make bench-memory", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N", help="(default 1000000)")
    parser.add_argument(
        "--hits", type=int, default=100_000, metavar="N", help="of each kind (default 100000)"
    )
    parser.add_argument("--json", type=Path, default=Path("build/bench-memory.json"))
    parser.add_argument("--traced", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.traced:
        gc.freeze()
        print(traced(options.entries))
        return 0
    figures = Figures(options.entries)
    again = [sys.executable, "-m", "bench.memory", "--traced", "--entries", str(options.entries)]
    figures.traced_bytes = float(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    with ExitStack() as parts:
        cluster = origin(parts, _SCHEMA)
        settings = config.load(
            {"origin": cluster.url(DATABASE), "listen": f"{HOST}:0", "admin": "off", "freshness": "wire",
             "cache_bytes": str(_CACHE_BYTES), "audit_share": 0.0}
        )  # fmt: skip
        uvloop.run(_measure(Service(settings), figures, options.hits))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    _show(figures)
    return 0


def _show(figures: Figures) -> None:
    for name, value in asdict(figures).items():
        print(f"{name:26} {value:,.1f}" if isinstance(value, float) else f"{name:26} {value}")
    for what, name, bound, least in _GOALS:
        found = getattr(figures, name)
        reached = found >= bound if least else found <= bound
        print(
            f"{what}: {found:,.1f}, wanted {'>=' if least else '<='} {bound:g}: {'yes' if reached else 'no'}"
        )


def traced(entries: int) -> float:
    """Bytes that Python has allocated for each entry, key and payload not counted; no proxy, no origin."""
    memory: Memory[object] = Memory(Limits(cache_bytes=_CACHE_BYTES), TtlRule())
    slot = memory.slot(1, [Part(10, column=1)])
    tracemalloc.start()
    for number in range(entries):
        ticket = memory.ticket(slot, b"-%030d" % number, number / 7, [number])
        assert ticket is not None
        memory.land(ticket, b"p%099d" % number)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / entries - 131


async def _measure(service: Service, figures: Figures, hits: int) -> None:
    await service.start()
    memory = service.shared.memory
    await _until(lambda: not memory.expiring)
    port = service.address.port
    with await asyncio.to_thread(Speaker, port) as speaker:
        await asyncio.to_thread(_prepare, speaker)
        shapes = {shape.key.partition(b"\0")[0]: shape for shape in service.shared.shapes}
        item, other = Load(service.shared, shapes[_TEXT]), Load(service.shared, shapes[_OTHER])
        await _fill(item, figures)
        _look_up(item, figures)
        await asyncio.to_thread(_hit, speaker, figures, hits)
        await _fill_quietly(other, _PURGED)
        await _purge(memory, speaker, figures)
        await _clear(memory, figures)
    await service.stop(1.0)


def _prepare(speaker: Speaker) -> None:
    """Two statements, each asked once: the memory has an entry of each, and knows how they look."""
    for name, text in ((b"item", _TEXT), (b"other", _OTHER)):
        speaker.ask(frontend.parse(name, text) + frontend.SYNC_FRAME)
        speaker.ask(bind_of(name, 0))


async def _until(ask: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not ask():  # noqa: ASYNC110 - the memory tells nobody
            await asyncio.sleep(0.05)


async def _fill(load: Load, figures: Figures) -> None:
    gc.collect()
    process = psutil.Process()
    before, started, pulse = process.memory_info().rss, time.perf_counter(), Pulse()
    await _fill_quietly(load, figures.entries)
    seconds = time.perf_counter() - started
    pulse.stop()
    taken = process.memory_info().rss - before
    figures.rss_bytes = taken / figures.entries - load.bytes
    figures.charged_bytes = load.memory.bytes / load.memory.entries - load.bytes
    figures.fills_a_second = figures.entries / seconds
    figures.fill_pause_p99_ms = pulse.cpu.percentile(0.99)
    figures.fill_pause_p999_ms = pulse.cpu.percentile(0.999)
    figures.fill_pause_ms = pulse.cpu.longest
    figures.fill_pauses_above_5_ms = pulse.cpu.above(5)
    figures.fill_pause_p999_ms_wall = pulse.wall.percentile(0.999)


async def _fill_quietly(load: Load, entries: int) -> None:
    for number in range(entries):
        load.fill(number)
        if number % _FILLS_IN_A_TURN == 0:
            await asyncio.sleep(0)


def _look_up(load: Load, figures: Figures) -> None:
    """The memory's own part of a hit; each key is made anew, as it comes in bytes of its own."""
    for among, name in ((_FEW, "lookup_few_p999_us"), (figures.entries, "lookup_all_p999_us")):
        times = []
        for number in _numbers(among, 200_000):
            key = load.key(number)
            before = time.thread_time_ns()
            entry = load.memory.lookup(load.slot, key, 0.0)
            times.append((time.thread_time_ns() - before) / 1000)
            assert entry is not None
        setattr(figures, name, percentile(times, 0.999))


def _hit(speaker: Speaker, figures: Figures, hits: int) -> None:
    """As a client sees it, in turns, so that a busy moment meets both."""
    times: dict[int, list[float]] = {_FEW: [], figures.entries: []}
    for _ in range(20):
        for among, found in times.items():
            for number in _numbers(among, hits // 20):
                frames = bind_of(b"item", number)
                before = time.perf_counter()
                speaker.ask(frames)
                found.append(1e6 * (time.perf_counter() - before))
    few, many = times.values()
    figures.hit_few_p50_us_wall, figures.hit_all_p50_us_wall = percentile(few, 0.5), percentile(many, 0.5)
    figures.hit_few_p999_us_wall = percentile(few, 0.999)
    figures.hit_all_p999_us_wall = percentile(many, 0.999)
    figures.hit_p999_ratio = figures.hit_all_p999_us_wall / figures.hit_few_p999_us_wall


async def _purge(memory: Memory[Session], speaker: Speaker, figures: Figures) -> None:
    """Purge one table of 100,000 entries beside the others, until the last of them has been freed."""
    left, started, pulse = memory.entries - _PURGED, time.perf_counter(), Pulse()
    speaker.socket.sendall(frontend.query(b"ORRERY PURGE TABLE other"))
    await _until(lambda: memory.entries <= left)
    figures.purge_seconds = time.perf_counter() - started
    pulse.stop()
    figures.purge_pause_ms, figures.purge_pause_ms_wall = pulse.cpu.longest, pulse.wall.longest


async def _clear(memory: Memory[Session], figures: Figures) -> None:
    pulse = Pulse()
    memory.clear("purge")
    await _until(lambda: memory.bytes == 0)
    figures.clear_pause_ms = pulse.stop().cpu.longest


def _numbers(among: int, count: int) -> Iterator[int]:
    return (random.randrange(among) for _ in range(count))


if __name__ == "__main__":
    sys.exit(guarded("make bench-memory", main))
