"""proxy_stats: what lies between two looks, and a proxy that does not show itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadtest.proxy_stats import StatsAway, Window, rows
from tests.loadtest import runs

STATS = {
    "outcomes": {"hit": 3, "fill": 1, "coalesced": 0, "bypass": 0, "write": 0, "error": 0},
    "bypass": {}, "invalidations": {"own_write": 2}, "cache": {"entries": 4},
}  # fmt: skip


class Proxy(BaseHTTPRequestHandler):
    """Shows its figures to whoever has the token."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer secret"
        self.send_response(200 if known else 401)
        self.end_headers()
        if known:
            self.wfile.write(json.dumps(STATS if self.path == "/stats" else [self.path]).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_between_two_looks_lies_what_was_counted_meanwhile() -> None:
    between = runs.look(2.0, hit=19, fill=3, coalesced=1, entries=7).since(
        runs.look(1.0, hit=10, fill=2, entries=9)
    )
    assert between.statements == 11
    assert between.spared == 10
    assert between.hit_ratio == pytest.approx(9 / 11)
    assert between.entries == 7


def test_a_look_needs_the_token(address: str) -> None:
    seen = Window(f"{address}/stats", "secret").look()
    assert (seen.statements, seen.invalidations, seen.entries) == (4, {"own_write": 2}, 4)
    with pytest.raises(StatsAway, match=r"status 401 \(set ORRERY_ADMIN_TOKEN\)$"):
        Window(f"{address}/stats").look()


def test_another_page_is_not_taken_for_the_figures(address: str) -> None:
    with pytest.raises(StatsAway, match=r"/other is not the /stats of this proxy$"):
        Window(f"{address}/other", "secret").look()


def test_a_proxy_that_is_not_there_is_told() -> None:
    with pytest.raises(StatsAway, match=r"^http://127.0.0.1:1/stats was not answered: .*refused"):
        Window("http://127.0.0.1:1/stats").look()


def test_the_rows_of_a_table_leave_out_what_did_not_happen() -> None:
    assert rows(runs.look(1.0, hit=3, fill=1, writes=0, entries=2)) == [
        ("hit ratio", "75.0%"), ("entries", 2), ("outcomes.hit", 3), ("outcomes.fill", 1),
    ]  # fmt: skip
