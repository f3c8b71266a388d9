"""``orrery run``: the proxy on a loopback port, and one command beside it that finds it in DATABASE_URL.

The command is the owner: its signals are handed on, its exit status is ours, and its end ends the proxy.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from proxy.errors import OrreryError
from proxy.net.tasks import spawn

# What an operator or a platform sends to a service; SIGCHLD, SIGPIPE and the like are the runtime's own.
_FORWARDED: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
# Exit statuses of a shell: POSIX, Shell Command Language, "Exit Status for Commands".
_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_SIGNALLED: Final = 128


class CommandNotStarted(OrreryError):
    """The command of ``orrery run`` could not be started; ``status`` is what a shell would exit with."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Startable(Protocol):
    """The part of the service that a bundle needs."""

    async def start(self) -> None:
        """Accept clients; ConfigurationError if that cannot be."""

    async def stop(self, drain_seconds: float) -> None:
        """Stop accepting, let running statements finish within ``drain_seconds``, close."""

    async def reload(self) -> None:
        """Read users and certificates again."""


async def run_beside(
    service: Startable, start: Callable[[], Awaitable[Process]], drain_seconds: float
) -> int:
    """Start the service, then the command by ``start``; give the command's exit status once both have ended.

    CommandNotStarted: the command does not exist or may not be executed; the service is stopped again.
    """
    await service.start()
    try:
        child = await start()
        with _signals_forwarded(child, service):
            status = await child.wait()
    finally:
        await service.stop(drain_seconds)
    return _SIGNALLED - status if status < 0 else status


async def start_command(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start ``command`` with our standard streams and ``environment``."""
    try:
        return await asyncio.create_subprocess_exec(*command, env=environment)
    except FileNotFoundError:
        raise CommandNotStarted(f"{command[0]}: command not found", _NOT_FOUND) from None
    except OSError as error:
        raise CommandNotStarted(
            f"{command[0]}: cannot be started: {error.strerror}", _NOT_EXECUTABLE
        ) from None


@contextmanager
def _signals_forwarded(child: Process, service: Startable) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def forward(number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            spawn(service.reload(), name="reload")
        if number in _FROM_TERMINAL and _shares_a_terminal():
            return
        with suppress(ProcessLookupError):
            child.send_signal(number)

    for number in _FORWARDED:
        loop.add_signal_handler(number, forward, number)
    try:
        yield
    finally:
        for number in _FORWARDED:
            loop.remove_signal_handler(number)


def _shares_a_terminal() -> bool:
    """Whether a Ctrl-C reaches the command by itself: the terminal sends it to our whole process group.

    Handing it on then would make two of one, which many programs take as "stop at once".
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
