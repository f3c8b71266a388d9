"""All that a run sets up and can break: an origin, the way to it, one proxy after the other, clients."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, final

import psutil

from tests.histories.checking.levels import TTL_CAP_SECONDS, Levels, Sample
from tests.histories.clients import reading
from tests.histories.clients.client import Habits
from tests.histories.clients.drivers import Asyncpg, Refused
from tests.histories.clients.session import Session
from tests.histories.journal import Journal, now
from tests.histories.way import Way
from tests.histories.whereabouts import Whereabouts, publish
from tests.integration.proxy import Proxy
from tests.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_OPTIONS: Final = ("--freshness", "wire", "--ttl-floor", "1", "--ttl-cap", str(TTL_CAP_SECONDS))
_SAMPLE_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
_ROUNDING_SECONDS: Final = 0.1  # of since_seconds in /stats
# Clients that share a process, and a fate.
_TOGETHER: Final = 2


@final
class Stage:
    """``program`` stands for ``orrery``, for proxies that break a law."""

    def __init__(
        self, cluster: Cluster, way: Way, folder: Path, program: Sequence[str] | None, workers: int = 1
    ) -> None:
        self.cluster = cluster
        self.way = way
        self.folder = folder
        self.levels = Levels()
        self.faults: Counter[str] = Counter()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.troubles: set[str] = set()
        self._program = program
        self.workers = workers
        self._proxy: Proxy | None = None
        self._incarnation = 0
        self._answered: dict[int, tuple[int, int]] = {}
        self._habits = Habits()
        self._clients = 0

    @property
    def direct_url(self) -> str:
        """The origin, past everything."""
        return self.cluster.url()

    @property
    def from_memory(self) -> int:
        """Answers that the proxies counted as theirs; the last ones of one that was killed are not in it."""
        return sum(mine for mine, _ in self._answered.values())

    @property
    def answers(self) -> int:
        """All answers that the proxies have counted."""
        return sum(every for _, every in self._answered.values())

    def note(self, fault: str) -> None:
        """Count a fault that is about to happen."""
        self.faults[fault] += 1

    async def witness(self, seconds: float) -> None:
        """Read everything at the origin itself, again and again for so long. No lock is waited for: who holds
        it may wait for the end of this.
        """
        async with self._looker() as looker:
            await looker.driver.text("SET lock_timeout = '100ms'")
            deadline = now() + seconds
            while (left := deadline - now()) > 0:
                with suppress(Refused):
                    await reading.everything(looker)
                await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def last_word(self) -> None:
        """Read everything at the origin itself: what was acknowledged must be there when all is over."""
        async with self._looker() as looker:
            await reading.everything(looker)

    @asynccontextmanager
    async def _looker(self) -> AsyncGenerator[Session]:
        driver = await Asyncpg.connect(self.direct_url, prepares=True)
        journal = Journal(self.folder, "the origin")
        yield Session(driver, journal, Random(0))
        journal.close()
        await driver.close()

    # Proxies

    def start_proxy(self) -> None:
        """Start the next one and tell the clients where it is."""
        origin = self.cluster.url().replace(f":{self.cluster.port}/", f":{self.way.relay.port}/")
        self._incarnation += 1
        options = (*_OPTIONS, "--workers", str(self.workers))
        if self._program is None:
            self._proxy = Proxy(origin, *options)
        else:
            self._proxy = Proxy(origin, *options, program=self._program)
        publish(self.folder, Whereabouts(self._incarnation, self._proxy.url("postgres")))

    def kill_proxy(self) -> None:
        """SIGKILL; clients go on looking for it where it was."""
        if self._proxy is not None:
            proxy, self._proxy = self._proxy, None
            self._look_for_crashes(proxy.kill())

    def signal_worker(self, number: signal.Signals, random: Random) -> psutil.Process | None:
        """To one of several workers; which."""
        if self._proxy is None:
            return None
        workers = psutil.Process(self._proxy.pid).children()
        if not workers:
            return None
        one = random.choice(workers)
        with suppress(psutil.NoSuchProcess):
            one.send_signal(number)
        return one

    def _look_for_crashes(self, log: str) -> None:
        if "Traceback" in log:
            self.troubles.add(
                f"proxy {self._incarnation} was surprised: {log[log.index('Traceback') :][:3000]}"
            )

    async def watch(self) -> None:
        """Ask the proxy again and again which level holds, and how much it has answered from memory."""
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            await asyncio.to_thread(self.sample)

    def sample(self) -> None:
        """Ask once."""
        proxy, incarnation = self._proxy, self._incarnation
        if proxy is None:
            return
        try:
            stats = json.loads(proxy.admin("/stats"))
        except (OSError, HTTPException, ValueError, StopIteration):
            return  # it is being killed, or has not begun to listen
        told, level = now(), stats["freshness"]
        since = told - level["since_seconds"] + _ROUNDING_SECONDS
        self.levels.add(incarnation, Sample(told, since, level["level"]))
        outcomes = stats["outcomes"]
        # What a worker had counted goes with it.
        mine, every = self._answered.get(incarnation, (0, 0))
        self._answered[incarnation] = (
            max(mine, outcomes["hit"] + outcomes["coalesced"]),
            max(every, sum(outcomes.values())),
        )
        if stats["audit"]["answers"]["different"]:
            self.troubles.add(f"proxy {incarnation}: its own auditor found answers that differ")

    # Clients

    def start_clients(self, number: int, habits: Habits) -> None:
        """That many, some to each process."""
        self._habits = habits
        for _ in range(0, number, _TOGETHER):
            self.processes.append(self._spawn(min(_TOGETHER, number - len(self.processes) * _TOGETHER)))

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        names = [f"client{self._clients + i}:{self._clients + i}" for i in range(number)]
        self._clients += number
        habits = [str(habit) for habit in self._habits]
        command = [sys.executable, "-m", "tests.histories.clients", str(self.folder), *habits, *names]
        return subprocess.Popen(command)

    async def replace_clients(self, at: int) -> None:
        """SIGKILL to one process; new clients, whose names nobody had, come in its place."""
        self.processes[at].kill()
        await asyncio.to_thread(self.processes[at].wait)
        self.processes[at] = self._spawn(_TOGETHER)

    def stop_clients(self) -> None:
        """Each ends with what it is doing; one that does not is killed and reported."""
        for process in self.processes:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.troubles.add("clients did not end: one of them still waits for an answer")
        self.processes.clear()

    def stop(self) -> None:
        """Stop the proxy in good order, which is part of what is asked of it."""
        if self._proxy is not None:
            proxy, self._proxy = self._proxy, None
            try:
                proxy.stop()
            except (AssertionError, subprocess.TimeoutExpired) as fault:
                self.troubles.add(
                    f"proxy {self._incarnation} did not stop in good order: {str(fault)[-3000:]}"
                )


@asynccontextmanager
async def stage(program: Sequence[str] | None, workers: int = 1) -> AsyncGenerator[Stage]:
    """All of it, started; nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="orrery-histories-") as folder:
        cluster = Cluster()
        try:
            await asyncio.to_thread(cluster.start)
            await asyncio.to_thread(cluster.execute, _SCHEMA.read_text())
            way = Way(cluster.port)
            async with way.relay:
                ready = Stage(cluster, way, Path(folder), program, workers)
                try:
                    await asyncio.to_thread(ready.start_proxy)
                    yield ready
                finally:
                    for process in ready.processes:
                        process.kill()
                        process.wait()
                    await asyncio.to_thread(ready.kill_proxy)
        finally:
            await asyncio.to_thread(cluster.remove)
