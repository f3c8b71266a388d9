"""A planets API in memory, and Locust on it: what the users do can be told apart from what an app does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tools.stage.children import ROOT

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60


class StandIn(ThreadingHTTPServer):
    """Eight planets. ``forgetful``: a new name is acknowledged and not kept, as by a cache that is stale."""

    daemon_threads = True
    # All users of a run connect at the same moment.
    request_queue_size = 128

    def __init__(self, *, forgetful: bool = False) -> None:
        super().__init__((HOST, 0), Planets)
        self.forgetful = forgetful
        self.names = {number: f"Planet {number}" for number in range(1, 9)}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class Planets(BaseHTTPRequestHandler):
    """The routes that the users know."""

    protocol_version = "HTTP/1.1"
    # One write for head and body, or the second waits for the acknowledgement of the first.
    wbufsize = -1
    server: StandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(parts.path)
        if parts.path == "/planets":
            after = int(parse_qs(parts.query).get("after", ["0"])[0])
            self._answer([{"id": n, "name": name} for n, name in self.server.names.items() if n > after])
        elif parts.path.startswith("/planets/"):
            number = int(parts.path.rpartition("/")[2])
            self._answer({"id": number, "name": self.server.names[number]})
        else:
            self._answer({"title": "Not Found"}, 404)

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        if not self.server.forgetful:
            self.server.names[number] = name
        self._answer({"id": number, "name": name})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(*, forgetful: bool = False) -> Generator[StandIn]:
    """A stand-in that answers."""
    with StandIn(forgetful=forgetful) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def command(*arguments: str) -> list[str]:
    """Locust with our users."""
    return [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", *arguments]


def environment(**added: str) -> dict[str, str]:
    """Ours, without anything that would reach Locust."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("LOCUST")}, **added}


def run(url: str, samples: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A short run without a page: two readers, and one editor with ten sessions a second."""
    return subprocess.run(
        command(
            *("--headless", "--host", url, "--users", "3", "--spawn-rate", "3", "--run-time", "2s"),
            *("--only-summary", "--edits-per-second", "30", "--samples", str(samples), *arguments),
        ),
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
