"""The engines as processes: what they answer, and that they never outlive whoever started them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.postgres import Database
from tests.prisma.commands import ENGINES, SCHEMA, environment

pytestmark = [pytest.mark.prisma]

_WAIT_SECONDS = 20.0
_VERSION = "393aa359c9ad4a4bb28630fb5613f9c281cde053"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(port: int) -> httpx.Response:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/status")
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _environment(url: str) -> dict[str, str]:
    return {**environment(url), "PRISMA_DML_PATH": str(SCHEMA)}


def test_both_engines_tell_the_version_that_the_client_expects() -> None:
    for program in ("query-engine", "schema-engine"):
        done = subprocess.run([ENGINES / program, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == _VERSION


def test_an_engine_without_a_database_says_so_and_goes_on_asking() -> None:
    port = _free_port()
    command = [str(ENGINES / "query-engine"), "-p", str(port)]
    with subprocess.Popen(
        command, env=_environment("postgresql://a:b@127.0.0.1:1/c"), stderr=subprocess.PIPE
    ) as engine:
        try:
            [error] = _await_answer(port).json()["errors"]
            assert error["user_facing_error"]["error_code"] == "P1001"
            assert engine.poll() is None
        finally:
            engine.terminate()
        assert engine.wait(_WAIT_SECONDS) == 0


@pytest.mark.postgres
def test_what_is_no_query_is_refused_and_the_engine_lives_on(database: Database) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [str(ENGINES / "query-engine"), "-p", str(port)], env=_environment(database.url())
    ) as engine:
        try:
            _await_answer(port)
            for body in (
                "",
                "{",
                '{"query": "query { result: nothing }"}',
                '{"query": "query { a"}',
                '{"query": 7}',
            ):
                answer = httpx.post(url, content=body)
                assert "errors" in answer.json()
            assert httpx.get(f"{url}/nowhere").status_code == 404
            for transaction in ("none", "0190a1b2-0000-4000-8000-000000000001"):
                assert "not found" in httpx.post(f"{url}/transaction/{transaction}/commit").text
            assert httpx.get(f"{url}/status").json() == {"status": "ok"}
        finally:
            engine.terminate()


def test_an_engine_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    port = _free_port()
    script = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"
    command = [sys.executable, "-c", script, str(ENGINES / "query-engine"), "-p", str(port)]
    with subprocess.Popen(
        command, env=_environment("postgresql://a:b@127.0.0.1:1/c"), cwd=tmp_path
    ) as parent:
        _await_answer(port)
        [engine] = psutil.Process(parent.pid).children()
        os.kill(parent.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([engine], timeout=_WAIT_SECONDS)
    assert alive == []
