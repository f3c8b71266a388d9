"""Requests that fail are counted with their reason; a server that is gone is no failure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tools.image.load import ANSWERED, FAILED, Load


def _serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def _load_until_gone(server: ThreadingHTTPServer, closing: threading.Event) -> Load:
    load = Load(server.server_port)

    def end() -> None:
        closing.set()
        server.shutdown()
        server.server_close()

    load.over(end)
    return load


def test_a_server_that_says_farewell_fails_nobody() -> None:
    closing = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "0")
        if closing.is_set():
            handler.send_header("connection", "close")
        handler.end_headers()

    load = _load_until_gone(_serving(answer), closing)
    assert load.outcomes[ANSWERED] > 0
    # whoever was in the queue of the closed socket is reset: only this server's answers are judged here
    assert not [fault for fault in load.faults if fault.startswith("status")]


def test_an_error_is_a_failed_request() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(503)
        handler.send_header("content-length", "0")
        handler.send_header("connection", "close")
        handler.end_headers()

    load = _load_until_gone(_serving(answer), threading.Event())
    assert load.outcomes[ANSWERED] == 0
    assert load.outcomes[FAILED] > 0
    assert "status 503" in load.faults
