"""The proxy as a user starts it: a process of its own, in front of a server of the tests."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, final
from urllib.parse import quote, urlencode

import psutil
import pytest

from tests import matrix
from tests.postgres import HOST, PASSWORD, SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ORRERY: Final = str(Path(sys.executable).with_name("orrery"))
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 20.0
# The longest wait for something that must become true; what is waited for usually takes milliseconds.
PATIENCE_SECONDS: Final = 20.0
_FOREIGN: Final = ("ORRERY_", "PG", "DATABASE_URL")


@final
class Proxy:
    """``orrery serve`` in front of ``origin``, on free ports; ``options`` are its further arguments.

    ``program``: what to start in the place of ``orrery``.
    """

    def __init__(
        self,
        origin: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = (ORRERY,),
    ) -> None:
        command = [*program, "serve", "--origin", origin]
        command += ["--listen", f"{HOST}:0", "--admin", f"{HOST}:0", *matrix.options(), *options]
        self._log = tempfile.NamedTemporaryFile("w+", prefix="orrery-log-")  # noqa: SIM115 - kept while it runs
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True, env={**kept, **(environment or {})}
        )
        self.port = self._await_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await_ready(self) -> int:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            selector.select(START_SECONDS)
        line = self._process.stdout.readline() if self._process.poll() is None else ""
        if not line.startswith("ready postgresql://"):
            self._process.kill()
            self._process.communicate()
            pytest.fail(f"the proxy did not start: {self.log()[-1500:]}")
        return int(line.rpartition(":")[2])

    def log(self) -> str:
        """Everything that it has logged."""
        return Path(self._log.name).read_text()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def resident_bytes(self) -> int:
        """The memory that it holds now."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> str:
        """SIGKILL, as a crash would; what it had logged."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        log = self.log()
        self._log.close()
        return log

    def stop(self) -> None:
        """SIGTERM; it must end with status 0, and nothing may have surprised it while it ran."""
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()
            log = self.log()
            self._log.close()
        assert status == 0, log
        assert "Traceback" not in log, log

    def url(self, database: str, user: str = SUPERUSER, password: str = PASSWORD, **query: str) -> str:
        """The connection URL of a database through the proxy; ``query`` holds parameters of libpq."""
        parameters = f"?{urlencode(query, quote_via=quote)}" if query else ""
        login = f"{quote(user, '')}:{quote(password, '')}"
        return f"postgresql://{login}@{HOST}:{self.port}/{quote(database, '')}{parameters}"

    def admin(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> str:
        """The body that the admin address answers. Raises ``urllib.error.HTTPError``."""
        asked = urllib.request.Request(
            self._admin_address() + path, method=method, headers=dict(headers or {})
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
            return str(answer.read().decode())

    def figure(self, *names: str) -> int:
        """One number of ``GET /stats``."""
        found = json.loads(self.admin("/stats"))
        for name in names:
            found = found[name]
        return int(found)

    def _admin_address(self) -> str:
        line = next(line for line in self.log().splitlines() if "event=admin" in line)
        return "http://" + line.rpartition("listen=")[2].strip()


def until(is_true: Callable[[], bool], what: str) -> None:
    """Wait until ``is_true``, which must happen within PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, f"this did not become true: {what}"
        time.sleep(0.01)
