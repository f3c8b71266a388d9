"""tab: a running Locust has the tab, and its rows are the proxy's figures."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.loadtest.users.stand_in import PATIENCE_SECONDS, command, environment, serving
from tools.stage.children import ROOT

pytestmark = pytest.mark.slow


def fetched(url: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urlopen(url) as answer:
                return str(answer.read().decode())
        except URLError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_page_of_a_running_locust_shows_why_there_are_no_figures_or_shows_them() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with serving() as planets:
        arguments = ("--web-host", "127.0.0.1", "--web-port", page.rpartition(":")[2], "--host", planets.url)
        locust = subprocess.Popen(
            command(*arguments), cwd=ROOT, env=environment(LOADTEST_STATS_URL=f"{planets.url}/planets"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            shown = fetched(page)
            (table,) = json.loads(fetched(f"{page}/stats/requests"))["extended_stats"]
        finally:
            locust.terminate()
            locust.wait(PATIENCE_SECONDS)
    assert re.search(r'"extended_tabs": \[\{"key": "orrery", "title": "Orrery"\}\]', shown)
    assert table["key"] == "orrery"
    (row,) = table["data"]
    assert row["figure"] == f"{planets.url}/planets is not the /stats of this proxy"
