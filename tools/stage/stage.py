"""Everything that has to run: PostgreSQL, the distance to it, the proxy with the app, the app without it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar, final
from urllib.parse import urlsplit, urlunsplit

from tools.embedded import Cluster
from tools.stage.calls import HOST, Caller
from tools.stage.children import ROOT, Child, Stop, Sweeper
from tools.stage.errors import Misused, PartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

DATABASE: Final = "planets"
START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_PYTHON: Final = sys.executable
_UVICORN: Final = (_PYTHON, "-m", "uvicorn", "app.main:app", "--no-use-colors", "--port")
_LISTENING: Final = r"Uvicorn running on http://127\.0\.0\.1:(\d+)"
# Settings of the caller's own servers and proxies are not meant for these.
_FOREIGN: Final = ("ORRERY_", "PG", "UVICORN_", "LOCUST_", "DATABASE_URL", "WEB_CONCURRENCY", "PORT")


@final
class Stage:
    """All parts, started step by step; leaving the context stops what was started, the last one first."""

    def __init__(self, distance_ms: float, stop: Stop) -> None:
        self._distance_ms = distance_ms
        self._stop = stop
        self._parts = ExitStack()
        self._children: list[Child] = []
        self._numbers = count(1)
        self._folder = Path(tempfile.mkdtemp(prefix="orrery-stage-"))
        self._parts.callback(Sweeper(self._folder).close)
        self._near_url = ""
        self._cluster: Cluster | None = None
        self._proxied: Child | None = None
        self.far_url = ""
        self.proxy_url = ""
        self.admin_port = 0
        self.psql = "psql"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    def start_postgres(self) -> None:
        """Start an empty PostgreSQL."""
        cluster = Cluster()
        self._parts.callback(Sweeper(cluster.folder).close)
        self._parts.callback(cluster.remove)
        cluster.start()
        cluster.execute(f"CREATE DATABASE {DATABASE}")
        self._cluster = cluster
        # A machine without PostgreSQL's programs still has ours.
        self.psql = shutil.which("psql") or str(cluster.programs / "psql")
        self._near_url = self.far_url = cluster.url(DATABASE)

    def initialise(self, extra: int = 0) -> None:
        """What ``make init`` does, with ``extra`` planets, while the database is still near."""
        prisma = str(ROOT / "prisma" / "engines" / "prisma")
        schema = f"--schema={ROOT / 'prisma' / 'schema.prisma'}"
        for name, command in (
            ("prisma migrate deploy", (prisma, "migrate", "deploy", schema)),
            ("prisma/seed.py", (_PYTHON, "prisma/seed.py", "--extra", str(extra))),
        ):
            child = self.begin(name, command, DATABASE_URL=self._near_url)
            self._await(child.has_finished, name)
            child.stop()

    def start_distance(self) -> None:
        """Put PostgreSQL far away: all that comes now goes through the relay."""
        near = f"{HOST}:{urlsplit(self._near_url).port}"
        command = (_PYTHON, "-m", "loadtest.distance", "--listen", f"{HOST}:0", "--to", near)
        relay = self.start("the relay", (*command, "--delay-ms", f"{self._distance_ms:g}"))
        self.far_url = moved(self._near_url, self._told(relay, r"ready \S+:(\d+)"))

    def start_proxied_app(self, port: int = 0) -> Caller:
        """The app on ``port`` (0: a free one) through the proxy. Raises Misused where it has been taken."""
        options = ("--freshness", "wire", "--listen", f"{HOST}:0", "--admin", f"{HOST}:0", "--")
        command = (_PYTHON, "-m", "proxy", "run", *options, *_UVICORN, str(port))
        child = self.start("orrery run with the app", command, DATABASE_URL=self.far_url)
        self._proxied = child
        self.admin_port = self._told(child, r"event=admin listen=\S+:(\d+)")
        self.proxy_url = moved(self._near_url, self._told(child, r"event=started listen=\S+:(\d+)"))
        try:
            return self._ready_caller(child, self._told(child, _LISTENING))
        except PartFailed:
            if "address already in use" in child.last_lines():
                demand_free(port)
            raise

    def await_level(self) -> None:
        """Return when the proxy is at level wire: nobody who was there before it may still write."""
        admin = self.caller(self.admin_port)
        self._await(
            lambda: admin.call("GET", "/stats")[1]["freshness"]["level"] == "wire", "freshness level wire"
        )

    @contextmanager
    def direct_app(self) -> Iterator[Caller]:
        """The same app on the far database itself, only while it is measured.

        A change made there would be one that the proxy does not see, against what level wire states.
        """
        child = self.start("the app without the proxy", (*_UVICORN, "0"), DATABASE_URL=self.far_url)
        yield self._ready_caller(child, self._told(child, _LISTENING))
        self._end(child)

    def stop_proxied_app(self) -> None:
        """Stop the proxy and the app, in good order."""
        assert self._proxied is not None
        self._end(self._proxied)

    def transactions(self) -> int:
        """How many transactions PostgreSQL has counted in the database.

        A session's last ones are counted when it has ended, at the latest.
        """
        assert self._cluster is not None
        counted = (
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        )
        ((number,),) = self._cluster.execute(counted, DATABASE)
        assert isinstance(number, int)
        return number

    def caller(self, port: int) -> Caller:
        """A connection to ``port`` that is closed with the stage."""
        made = Caller(port)
        self._parts.callback(made.close)
        return made

    def watch(self) -> None:
        """Stay until StopAsked; PartFailed as soon as a part has ended."""
        while True:
            self.demand_alive()
            self._stop.pause(0.25)

    def demand_alive(self) -> None:
        """Raise PartFailed, with the last lines of its log, if a part has ended."""
        for child in self._children:
            child.demand_alive()
        if self._cluster is not None and not self._cluster.running:
            raise PartFailed(f"PostgreSQL ended; its last lines:\n{self._cluster.log.read_text()[-1000:]}")

    def start(self, name: str, command: Sequence[str], **environment: str) -> Child:
        """Start a program that is to run as long as the stage, with ``environment`` added to ours."""
        child = self.begin(name, command, **environment)
        self._children.append(child)
        return child

    def begin(self, name: str, command: Sequence[str], **environment: str) -> Child:
        """Start a program that ends by itself, and with the stage at the latest."""
        self._stop.pause()
        log = self._folder / f"{next(self._numbers)}.log"
        child = Child(name, command, _environment(environment), log)
        self._parts.callback(child.stop)
        return child

    def _end(self, child: Child) -> None:
        self._children.remove(child)
        child.stop()

    def _told(self, child: Child, pattern: str) -> int:
        """The number that the log of ``child`` has where ``pattern`` says."""
        return int(self._await(lambda: child.told(pattern), child.name))

    def _ready_caller(self, child: Child, port: int) -> Caller:
        """A connection to the app as soon as that has reached its database."""
        caller = self.caller(port)

        def ready() -> bool:
            try:
                caller.call("GET", "/ready")
            except PartFailed:
                return False
            return True

        self._await(ready, child.name)
        return caller

    def _await(self, ready: Callable[[], T | None], what: str) -> T:
        """The first true answer. Raises PartFailed if any part ends, or after START_SECONDS, or StopAsked."""
        deadline = time.monotonic() + START_SECONDS
        while not (answer := ready()):
            self.demand_alive()
            if time.monotonic() > deadline:
                raise PartFailed(f"{what} was not ready after {START_SECONDS:g} seconds")
            self._stop.pause(_POLL_SECONDS)
        return answer


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONUNBUFFERED": "1", **added}


def demand_free(port: int) -> None:
    """Raise Misused where the app's port is taken."""
    with socket.socket() as probe:
        # As a server does: connections of one that has just ended are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Misused(
                f"port {port} cannot be had ({error.strerror}):"
                f" choose another one, as in PORT={port + 1 if port < 65535 else 8001}"
            ) from None


def moved(url: str, port: int) -> str:
    """The same ``url`` at another port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))
