"""The application as a server runs it: ``uvicorn app.main:app`` and ``python -m app``."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest
from pydantic import SecretStr

import app.main
from app.settings import Settings
from tests.postgres import Database
from tests.prisma.commands import ROOT, environment

_START_SECONDS = 30.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_planets(port: int) -> httpx.Response:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/planets")
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.prisma
@pytest.mark.postgres
def test_sigterm_ends_the_server_and_its_engine(planets_database: Database) -> None:
    port = _free_port()
    variables = {**environment(planets_database.url()), "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "app"], cwd=ROOT, env=variables, stderr=subprocess.PIPE
    ) as server:
        try:
            assert _await_planets(port).status_code == 200
            [engine] = psutil.Process(server.pid).children()
        finally:
            server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=_START_SECONDS)
    assert b"Application shutdown complete" in log
    assert b"Traceback" not in log
    assert not engine.is_running()


def test_a_start_without_an_address_is_one_sentence() -> None:
    command = [sys.executable, "-m", "uvicorn", "app.main:app"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(None), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith("app: DATABASE_URL cannot be used: it is not set")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_pages_of_the_api_load_nothing_from_elsewhere(page: str) -> None:
    served = app.main.create_app(Settings(database_url=SecretStr("postgresql://nobody@localhost/nothing")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://app") as client:
        html = (await client.get(page)).text
        loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", html)
        assert any(address.endswith(".js") for address in loaded)
        for address in loaded:
            assert address.startswith("/")
            assert (await client.get(address)).status_code == 200


def test_the_module_has_no_other_names_on_demand() -> None:
    with pytest.raises(AttributeError):
        _ = app.main.nothing
