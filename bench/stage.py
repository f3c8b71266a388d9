"""A PostgreSQL of its own at a stated distance, with a proxy before it; nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tools.embedded import HOST, Cluster
from tools.stage.children import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

DATABASE: Final = "bench"
START_SECONDS: Final = 60.0
# Settings of the caller's own servers and proxies are not meant for these.
_FOREIGN: Final = ("ORRERY_", "PG", "DATABASE_URL")


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients connect, and where the figures are."""

    url: str
    admin_port: int

    def outcomes(self) -> dict[str, int]:
        """How many requests ended how, since the proxy's start."""
        found: dict[str, int] = self._stats()["outcomes"]  # type: ignore[assignment]
        return found

    def level(self) -> str:
        """The level of freshness that holds."""
        return str(self._stats()["freshness"]["level"])

    def _stats(self) -> dict[str, dict[str, object]]:
        with urllib.request.urlopen(f"http://{HOST}:{self.admin_port}/stats", timeout=10) as answer:
            found: dict[str, dict[str, object]] = json.load(answer)
        return found


@contextmanager
def stage(schema: str, distance_ms: float) -> Iterator[Place]:
    """PostgreSQL with this schema, ``distance_ms`` away in each direction, and the proxy at level wire."""
    with ExitStack() as parts:
        cluster = parts.enter_context(Cluster())
        cluster.execute(f"CREATE DATABASE {DATABASE}")
        cluster.execute(schema, DATABASE)
        origin = cluster.url(DATABASE)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        if distance_ms:
            near = f"{HOST}:{cluster.port}"
            relay = (
                "loadtest.distance",
                "--listen",
                f"{HOST}:0",
                "--to",
                near,
                "--delay-ms",
                f"{distance_ms:g}",
            )
            child = _start(parts, cluster, relay, environment)
            origin = origin.replace(f":{cluster.port}/", f":{_told(child, r'ready [^ ]+:([0-9]+)')}/")
        command = ("proxy", "serve", "--origin", origin, "--listen", f"{HOST}:0", "--admin", f"{HOST}:0")
        child = _start(parts, cluster, (*command, "--freshness", "wire"), environment)
        admin = int(_told(child, r"event=admin listen=\S+:(\d+)"))
        port = _told(child, r"event=started listen=\S+:(\d+)")
        place = Place(cluster.url(DATABASE).replace(f":{cluster.port}/", f":{port}/"), admin)
        _until(lambda: place.level() == "wire", "level wire")
        yield place


def _start(
    parts: ExitStack, cluster: Cluster, command: tuple[str, ...], environment: dict[str, str]
) -> Child:
    name = re.sub(r"\W", "-", command[0])
    child = Child(name, (sys.executable, "-m", *command), environment, cluster.folder / f"{name}.log")
    parts.callback(child.stop)
    return child


def _told(child: Child, pattern: str) -> str:
    def told() -> str | None:
        child.demand_alive()
        return child.told(pattern)

    return _until(told, child.name)


def _until(ask: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + START_SECONDS
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready after {START_SECONDS:g} seconds")
        time.sleep(0.05)
    return answer
