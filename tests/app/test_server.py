"""The end of the server: whoever is connected gets an answer, and is told that it is the last."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from http.client import HTTPConnection, HTTPResponse

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.server import Farewell
from tests.prisma.commands import ROOT, environment

# Nobody listens there: /health needs no database.
_URL = "postgresql://nobody@127.0.0.1:1/planets"
_SECONDS = 30.0


class Served:
    """``python -m app`` on a free port; ``await_line`` reads its log on."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.opened: list[HTTPConnection] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=ROOT,
            env={**environment(_URL), "PORT": str(self.port)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def await_line(self, part: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if part in line:
                return
        raise AssertionError(f"the log ended without {part!r}")

    def connection(self) -> HTTPConnection:
        made = HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        made.connect()
        self.opened.append(made)
        return made

    def end(self) -> None:
        self.process.kill()
        for connection in self.opened:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _health(connection: HTTPConnection) -> HTTPResponse:
    connection.request("GET", "/health")
    response = connection.getresponse()
    response.read()
    return response


@pytest.fixture
def served() -> Generator[Served]:
    made = Served()
    with made.process:
        made.await_line("Uvicorn running")
        yield made
        made.end()


def test_a_kept_connection_gets_one_more_answer_and_is_told_to_close(served: Served) -> None:
    kept = served.connection()
    assert _health(kept).getheader("connection") is None
    served.process.send_signal(signal.SIGTERM)
    served.await_line("Draining")
    response = _health(kept)
    assert (response.status, response.getheader("connection")) == (200, "close")
    assert served.process.wait(_SECONDS) == 0


def test_who_waits_in_the_queue_is_answered(served: Served) -> None:
    served.process.send_signal(signal.SIGSTOP)
    waiting = [served.connection() for _ in range(20)]
    for connection in waiting:
        connection.request("GET", "/health")
    served.process.send_signal(signal.SIGTERM)
    served.process.send_signal(signal.SIGCONT)
    assert [connection.getresponse().status for connection in waiting] == [200] * 20
    assert served.process.wait(_SECONDS) == 0


def test_no_new_connection_is_taken_while_it_drains(served: Served) -> None:
    served.connection()  # an idle one keeps the server there for a while
    served.process.send_signal(signal.SIGTERM)
    served.await_line("Draining")
    served.await_line("Shutting down")
    with pytest.raises(ConnectionRefusedError):
        served.connection()


@pytest.mark.parametrize("begun", [False, True])
async def test_the_farewell_is_one_header_of_the_response(begun: bool) -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    farewell = Farewell(app)
    farewell.begun = begun
    await farewell({"type": "http"}, receive, send)
    added = [(b"connection", b"close")] if begun else []
    assert sent[0]["headers"] == [(b"a", b"b"), *added]
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
