"""The ``orrery`` command: exit statuses, and one sentence for each expected error."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from types import ModuleType
from typing import ClassVar

import pytest

import proxy
from proxy import logs
from proxy.cli import main
from proxy.config import Settings
from proxy.errors import ConfigurationError, OriginUnreachable
from proxy.option_types import Address

ORIGIN = "postgresql://u:hunter2@127.0.0.1:1/d"


class Service:
    """What the command needs of the real one."""

    refusal: ClassVar[Exception | None] = None
    seen: ClassVar[list[Settings]] = []

    def __init__(self, settings: Settings) -> None:
        self.seen.append(settings)
        self.address = Address("0.0.0.0", 45678)

    async def start(self) -> None:
        if self.refusal:
            raise self.refusal

    async def stop(self, drain_seconds: float) -> None:
        pass

    async def reload(self) -> None:
        pass


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> type[Service]:
    """Put a double in the place of the service, and take our variables out of the environment."""

    class Fresh(Service):
        seen: ClassVar[list[Settings]] = []

    async def serve(settings: Settings) -> int:
        await Fresh(settings).start()
        return 0

    module = ModuleType("proxy.service")
    module.__dict__.update(proxy_of=Fresh, serve=serve)
    monkeypatch.setitem(sys.modules, "proxy.service", module)
    monkeypatch.setattr(proxy, "service", module, raising=False)
    # The root logger is pytest's as well.
    monkeypatch.setattr(logs, "configure", lambda _: None)
    for name in list(os.environ):
        if name.startswith(("ORRERY_", "PG", "DATABASE_URL")):
            monkeypatch.delenv(name)
    return Fresh


def test_help_and_version_are_told_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["--version"]) == 0
    told = capsys.readouterr()
    assert "serve" in told.out
    assert "orrery " in told.out.splitlines()[-1]
    assert told.err == ""


def test_without_a_command_the_help_is_told_as_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage" in capsys.readouterr().err


def test_serve_hands_the_settings_to_the_service(service: type[Service]) -> None:
    assert main(["serve", "--origin", ORIGIN, "--listen", "127.0.0.1:0", "--freshness", "wire"]) == 0
    (settings,) = service.seen
    assert (settings.listen, settings.freshness) == (Address("127.0.0.1", 0), "wire")


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["serve", "--origin", "mysql://u:hunter2@h/d"],
        ["serve", "--origin", "postgresql://u:hunter2@h:port/d"],
        ["serve", "--origin", ORIGIN, "--listen", "127.0.0.1:99999"],
        ["serve", "--origin", ORIGIN, "--freshness", "notify"],
        ["serve", "--origin", ORIGIN, "--colour", "blue"],
        ["serve", "--origin", ORIGIN, "unexpected"],
        ["run", "--origin", ORIGIN],
        ["purge", "--admin", "off"],
        ["check", "mysql://u:hunter2@h/d"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("orrery: ")
    assert told.err.count("\n") == 1
    assert "hunter2" not in told.err


def test_what_the_service_refuses_is_told_the_same_way(
    service: type[Service], capsys: pytest.CaptureFixture[str]
) -> None:
    service.refusal = ConfigurationError("--listen 127.0.0.1:6432 is in use")
    assert main(["serve", "--origin", ORIGIN]) == 2
    service.refusal = OriginUnreachable("the origin cannot be reached")
    assert main(["run", "--origin", ORIGIN, "--", "true"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "orrery: --listen 127.0.0.1:6432 is in use",
        "orrery: the origin cannot be reached",
    ]


def test_run_gives_the_command_its_way_and_takes_its_status(
    service: type[Service], capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import os, sys; print(os.environ['DATABASE_URL'], sys.argv[1:]); raise SystemExit(9)"
    assert main(["run", "--origin", ORIGIN, "--", sys.executable, "-c", code, "--pool", "x"]) == 9
    assert (
        capfd.readouterr().out == "postgresql://u:hunter2@127.0.0.1:45678/d?sslmode=disable ['--pool', 'x']\n"
    )
    (settings,) = service.seen
    assert (settings.listen, settings.admin, settings.pool) == (Address("127.0.0.1", 0), None, "transaction")


def test_run_keeps_what_was_asked_for(service: type[Service]) -> None:
    assert main(["run", "--origin", ORIGIN, "--admin", "127.0.0.1:0", "true"]) == 0
    assert service.seen[0].admin == Address("127.0.0.1", 0)


def test_a_command_that_cannot_be_started_is_told_like_a_shell_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--origin", ORIGIN, "--", "/nowhere/x"]) == 127
    assert capsys.readouterr().err == "orrery: /nowhere/x: command not found\n"


def test_top_and_purge_say_that_the_window_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    assert main(["purge", "--admin", address]) == 1
    assert main(["top", "--once", "--admin", address]) == 1
    assert capsys.readouterr().err.count(f"no admin address at {address}") == 2


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "proxy", "serve", "--listen", "x"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("ORRERY", "DATABASE"))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=bare)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("orrery: ")
    assert "Traceback" not in done.stderr
