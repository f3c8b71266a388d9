"""``--workers N``: one process that holds the addresses, starts the workers, and hands connections to them.

Whoever accepts for all is fair and loses nobody: each connection goes to the worker with the fewest clients
among those that are well, and none waits in the queue of one that has just died. (Sockets that share a port
are chosen by a hash, and take their queue with them; a shared one is emptied by whoever wakes first.)

A worker that dies is started again, later each time; one that says nothing for too long is killed, since the
others may answer nothing from memory until they know what it does. When this process dies, all workers end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import shutil
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from proxy.admin.server import bind as bind_admin
from proxy.config import Settings, worker_environment
from proxy.errors import ConfigurationError, OrreryError
from proxy.net.handing import Told, Voice, hand
from proxy.net.listener import bind
from proxy.net.tasks import spawn
from proxy.option_types import Address

logger = logging.getLogger(__name__)

# What a worker is; it reads its ``Assignment`` from its input.
PROGRAM: Sequence[str] = (sys.executable, "-P", "-m", "proxy.worker")

HUNG_SECONDS: Final = 10.0
_START_SECONDS: Final = 60.0
_WATCH_SECONDS: Final = 0.5
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 10.0
_STEADY_SECONDS: Final = 30.0  # a worker that lived so long is no one that dies again and again
_LAST_WORDS_SECONDS: Final = 5.0  # after the drain, before it is killed
_AT_ONCE: Final = 64  # connections accepted in one go


class WorkersFailed(OrreryError):
    """The workers could not be started."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is to be. ``admin``: the file number of the listening admin socket."""

    settings: Settings
    slot: int
    folder: Path
    instance: str
    admin: int | None

    def share(self) -> Settings:
        """The settings of this worker: of what there is for all it has its part."""
        whole, workers = self.settings, self.settings.workers
        return whole.model_copy(
            update={
                "cache_bytes": max(1 << 20, whole.cache_bytes // workers),
                "max_clients": -(-whole.max_clients // workers),
                "pool_size": max(1, whole.pool_size // workers),
            }
        )


@dataclass(eq=False, slots=True)
class Worker:
    """One process. ``handed`` and ``closed`` count its clients; ``heard_at``: monotonic seconds."""

    slot: int
    process: Process
    control: socket.socket
    began: float
    heard_at: float
    voice: Voice = field(default_factory=Voice)
    ready: bool = False
    said_something: bool = False
    handed: int = 0
    closed: int = 0
    reload_due: bool = False  # as soon as it is ready: before, a signal would end it

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    @property
    def open(self) -> int:
        """Its clients, those that are on their way to it among them."""
        return self.handed - self.closed

    def is_hung(self, now: float) -> bool:
        """Has it been silent for too long? Loading its modules takes its time."""
        return now - self.heard_at > (HUNG_SECONDS if self.said_something else _START_SECONDS)

    def is_well(self, now: float) -> bool:
        """May it be given a client?"""
        return self.ready and now - self.heard_at < 2 * _WATCH_SECONDS + 1.0


def in_order(workers: Iterable[Worker], now: float, last: int) -> list[Worker]:
    """Who is to have the next client: the well before the others, the fewest clients first, in turn."""
    ready = [worker for worker in workers if worker.ready]
    return sorted(ready, key=lambda w: (not w.is_well(now), w.open, w.slot <= last, w.slot))


@final
class Supervisor:
    """Looks like a ``Service``: ``start`` once, ``stop`` once, ``reload`` whenever files have changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workers: dict[int, Worker] = {}
        self._listening: list[socket.socket] = []
        self._admin: socket.socket | None = None
        self._folder: Path | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting: deque[socket.socket] = deque()  # accepted, and nobody there to take them
        self._accepting = False
        self._paused = False
        self._stopping = False
        self._last = -1
        self._failed = ""
        self._moved = asyncio.Event()
        self.address = settings.listen

    async def start(self) -> None:
        """Accept clients. ConfigurationError: as of a service; ``WorkersFailed``: a worker died at once."""
        settings = self._settings
        try:
            self._folder = _folder(settings.workers)
            self._listening, self.address = await bind(settings.listen)
            if isinstance(settings.admin, Address):
                self._admin, where = bind_admin(settings.admin)
                self._admin.listen()
                logger.info("event=admin listen=%s", where)
            for slot in range(settings.workers):
                self._tasks.append(spawn(self._keep(slot), name=f"worker {slot}"))
            await self._all_ready()
        except BaseException:
            await self.stop(0.0)
            raise
        self._tasks.append(spawn(self._watch(), name="watch"))
        self._accept_on()
        logger.info(
            "event=started listen=%s origin=%s pool=%s workers=%s",
            self.address, settings.origin, settings.pool, settings.workers,
        )  # fmt: skip

    async def _all_ready(self) -> None:
        while len([w for w in self._workers.values() if w.ready]) < self._settings.workers:
            if self._failed:
                raise ConfigurationError(self._failed)
            self._moved.clear()
            await self._moved.wait()
            if any(task.done() for task in self._tasks):
                raise WorkersFailed("a worker ended before it had begun: see the log")

    async def stop(self, drain_seconds: float) -> None:
        """Stop accepting, have all workers let running statements finish, and end them."""
        self._stopping = True
        self._accept_off()
        for listening in self._listening:
            listening.close()
        for connection in self._waiting:
            connection.close()
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_ended(), drain_seconds + _LAST_WORDS_SECONDS)
        self._signal(signal.SIGKILL)
        await self._all_ended()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in list(self._workers.values()):
            self._end(worker)
        if self._admin is not None:
            self._admin.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _all_ended(self) -> None:
        await asyncio.gather(*(worker.process.wait() for worker in self._workers.values()))

    async def reload(self) -> None:
        """SIGHUP: every worker reads users and certificates again."""
        for worker in self._workers.values():
            worker.reload_due = not worker.ready
            if worker.ready:
                worker.signal(signal.SIGHUP)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            worker.signal(number)

    # Workers

    async def _keep(self, slot: int) -> None:
        """A worker in this place, for as long as we run."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_over():
            worker = await self._begin(slot)
            status = await worker.process.wait()
            self._end(worker)
            if self._is_over() or not self._accepting:
                return
            logger.warning("event=worker_ended slot=%s pid=%s status=%s", slot, worker.process.pid, status)
            if time.monotonic() - worker.began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _is_over(self) -> bool:
        return self._stopping

    async def _begin(self, slot: int) -> Worker:
        assert self._folder is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        passed = [theirs.fileno()]
        if self._admin is not None:
            passed.append(self._admin.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, str(theirs.fileno()), stdin=PIPE, pass_fds=passed, env=worker_environment()
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        now = time.monotonic()
        worker = self._workers[slot] = Worker(slot, process, ours, now, now)
        admin = None if self._admin is None else self._admin.fileno()
        instance = f"{os.uname().nodename}-{os.getpid()}"
        assert process.stdin is not None
        with suppress(ConnectionError):
            process.stdin.write(pickle.dumps(Assignment(self._settings, slot, self._folder, instance, admin)))
            process.stdin.close()
        asyncio.get_running_loop().add_reader(ours.fileno(), self._hear, worker)
        logger.info("event=worker_started slot=%s pid=%s", slot, process.pid)
        return worker

    def _end(self, worker: Worker) -> None:
        self._hear(worker)
        asyncio.get_running_loop().remove_reader(worker.control.fileno())
        worker.control.close()
        del self._workers[worker.slot]
        self._moved.set()

    def _hear(self, worker: Worker) -> None:
        for told in worker.voice.listen(worker.control):
            worker.heard_at, worker.said_something = time.monotonic(), True
            if told.word == Told.READY:
                worker.ready = True
                if worker.reload_due:
                    worker.signal(signal.SIGHUP)
            elif told.word == Told.FAILED:
                self._failed = told.text
            worker.closed = told.closed
        self._moved.set()
        self._hand_on()
        if worker.voice.is_over:
            asyncio.get_running_loop().remove_reader(worker.control.fileno())

    async def _watch(self) -> None:
        """Kill what hangs. After a pause of our own nobody is to blame for not having been heard."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            for worker in list(self._workers.values()):
                if now - before > 2 * _WATCH_SECONDS:
                    worker.heard_at = now
                elif worker.is_hung(now):
                    logger.error("event=worker_hung slot=%s pid=%s", worker.slot, worker.process.pid)
                    worker.heard_at = now
                    worker.signal(signal.SIGKILL)

    # Clients

    def _accept_on(self) -> None:
        self._accepting = True
        for listening in self._listening:
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _accept_off(self) -> None:
        if self._accepting:
            for listening in self._listening:
                asyncio.get_running_loop().remove_reader(listening.fileno())

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = listening.accept()
            except BlockingIOError:
                break
            except OSError as error:  # the client has left again, or no file is left for it
                logger.warning("event=not_accepted reason=%s", error.strerror)
                break
            self._waiting.append(connection)
        self._hand_on()

    def _hand_on(self) -> None:
        """Give what waits to whoever can take it; while nobody can, no more is accepted."""
        now = time.monotonic()
        while self._waiting:
            for worker in in_order(self._workers.values(), now, self._last):
                if hand(worker.control, self._waiting[0]):
                    worker.handed += 1
                    self._last = worker.slot
                    self._waiting.popleft().close()
                    break
            else:
                break
        if self._accepting and not self._stopping and bool(self._waiting) != self._paused:
            self._paused = bool(self._waiting)
            loop = asyncio.get_running_loop()
            for listening in self._listening:
                if self._paused:
                    loop.remove_reader(listening.fileno())
                else:
                    loop.add_reader(listening.fileno(), self._accept, listening)


def _folder(workers: int) -> Path:
    """Where the workers' sockets are. Every name is there from the start, and leads to nobody yet."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="orrery-"))
        for slot in range(workers):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as placeholder:
                placeholder.bind(str(folder / str(slot)))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"--workers: no folder for the workers' sockets could be made ({reason}): set TMPDIR"
        ) from None
    return folder
