"""``orrery run``: whose signals, whose status, and when the service starts and stops."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from proxy.bundle import CommandNotStarted, run_beside, start_command
from proxy.errors import ConfigurationError


class Service:
    """Notes what was asked of it."""

    def __init__(self, refusal: ConfigurationError | None = None) -> None:
        self.asked: list[str] = []
        self.reloaded = asyncio.Event()
        self._refusal = refusal

    async def start(self) -> None:
        self.asked.append("start")
        if self._refusal:
            raise self._refusal

    async def stop(self, drain_seconds: float) -> None:
        self.asked.append(f"stop {drain_seconds}")

    async def reload(self) -> None:
        self.reloaded.set()


async def run_python(service: Service, code: str, **environment: str) -> int:
    async def start() -> asyncio.subprocess.Process:
        assert service.asked == ["start"]
        return await start_command([sys.executable, "-c", code], dict(os.environ) | environment)

    return await asyncio.wait_for(run_beside(service, start, 3.0), 30)


async def test_the_commands_status_is_ours_and_its_end_stops_the_service() -> None:
    service = Service()
    assert await run_python(service, "raise SystemExit(7)") == 7
    assert service.asked == ["start", "stop 3.0"]


async def test_a_command_ended_by_a_signal_gives_what_a_shell_gives() -> None:
    assert await run_python(Service(), "import os; os.kill(os.getpid(), 9)") == 128 + 9


async def test_the_command_gets_the_environment_it_is_given() -> None:
    code = "import os; raise SystemExit(int(os.environ['STATUS']))"
    assert await run_python(Service(), code, STATUS="5") == 5


LISTENER = """
import os, signal
def handle(number, _):
    os.write(ready, b"!"); raise SystemExit(40 + number)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, handle)
ready = os.open(os.environ["FIFO"], os.O_WRONLY)
os.write(ready, b"?")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
async def test_signals_go_to_the_command(number: signal.Signals, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    service = Service()
    running = asyncio.create_task(run_python(service, LISTENER, FIFO=str(fifo)))
    with await asyncio.to_thread(fifo.open, "rb", buffering=0) as said:
        assert await asyncio.to_thread(said.read, 1) == b"?"
        os.kill(os.getpid(), number)
        assert await running == 40 + number
    assert service.reloaded.is_set() is (number == signal.SIGHUP)
    assert service.asked[-1] == "stop 3.0"


async def test_a_command_that_does_not_exist_stops_the_service_again() -> None:
    service = Service()
    with pytest.raises(CommandNotStarted, match="/nowhere/x: command not found") as raised:
        await run_beside(service, lambda: start_command(["/nowhere/x"], {}), 3.0)
    assert raised.value.status == 127
    assert service.asked == ["start", "stop 3.0"]


async def test_a_command_that_may_not_be_executed_is_told_apart(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("no program")
    with pytest.raises(CommandNotStarted, match="cannot be started") as raised:
        await start_command([str(script)], {})
    assert raised.value.status == 126


async def test_a_service_that_cannot_start_starts_no_command() -> None:
    service = Service(ConfigurationError("the port is taken"))
    with pytest.raises(ConfigurationError, match="the port is taken"):
        await run_python(service, "")
    assert service.asked == ["start"]
