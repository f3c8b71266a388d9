"""An origin that is far away: the delay relay of the load tests, as a process beside the test."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.postgres import HOST, Cluster

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def far(cluster: Cluster, delay_ms: int) -> Generator[str]:
    """The URL of ``cluster`` with ``delay_ms`` on the way to it, and as much on the way back."""
    with relayed(cluster, delay_ms) as (port, _):
        yield cluster.url().replace(f":{cluster.port}/", f":{port}/")


@contextmanager
def relayed(cluster: Cluster, delay_ms: int = 0) -> Generator[tuple[int, subprocess.Popen[str]]]:
    """Its port and process: stopped by SIGSTOP, it accepts connections and lets nothing through."""
    command = [sys.executable, "-m", "loadtest.distance", "--listen", f"{HOST}:0"]
    command += ["--to", f"{HOST}:{cluster.port}", "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
        assert relay.stdout is not None
        yield int(relay.stdout.readline().rpartition(":")[2]), relay
        relay.send_signal(signal.SIGTERM)
