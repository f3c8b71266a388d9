"""calls: an answer that is not a 200, or none at all, is told by method and path."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.stage.calls import HOST, Caller
from tools.stage.errors import PartFailed


class Echo(BaseHTTPRequestHandler):
    """Answers a PATCH by its own body, and everything else by 404."""

    protocol_version = "HTTP/1.1"

    def do_PATCH(self) -> None:
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._answer(404, b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def port() -> Generator[int]:
    with ThreadingHTTPServer((HOST, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_body_travels_as_json_and_the_answer_comes_with_its_time(port: int) -> None:
    caller = Caller(port)
    milliseconds, answer = caller.call("PATCH", "/planets/3", {"name": "Ares"})
    caller.close()
    assert answer == json.loads('{"name": "Ares"}')
    assert milliseconds > 0


def test_another_status_is_a_failure_with_its_number(port: int) -> None:
    caller = Caller(port)
    with pytest.raises(PartFailed, match=r"^GET /planets was answered by status 404$"):
        caller.call("GET", "/planets")
    caller.close()


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(PartFailed, match=r"^GET / was not answered: "):
        Caller(1).call("GET", "/")
