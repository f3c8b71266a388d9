"""A PostgreSQL of its own at a stated distance, with a proxy before it; nothing is left behind."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tools.embedded import HOST, Cluster, EmbeddedError
from tools.programs import ProgramsMissing
from tools.stage.children import ROOT, Child
from tools.stage.errors import PartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

DATABASE: Final = "bench"
START_SECONDS: Final = 60.0
# Settings of the caller's own servers and proxies are not meant for these.
_FOREIGN: Final = ("ORRERY_", "PG", "DATABASE_URL")


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients connect, and where the figures are."""

    url: str
    port: int
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
        cluster = origin(parts, schema)
        port = relay(parts, cluster, distance_ms) if distance_ms else cluster.port
        yield proxy(parts, cluster, port)[0]


def origin(parts: ExitStack, schema: str, hba: Sequence[str] = ()) -> Cluster:
    """A PostgreSQL whose database DATABASE has this schema; ``hba`` as a ``Cluster`` takes it."""
    cluster = parts.enter_context(Cluster(hba=hba))
    cluster.execute(f"CREATE DATABASE {DATABASE}")
    cluster.execute(schema, DATABASE)
    return cluster


def relay(parts: ExitStack, cluster: Cluster, distance_ms: float) -> int:
    """The port that leads to PostgreSQL, ``distance_ms`` away in each direction."""
    way = ("--listen", f"{HOST}:0", "--to", f"{HOST}:{cluster.port}", "--delay-ms", f"{distance_ms:g}")
    child = start(parts, cluster.folder / "relay.log", (sys.executable, "-m", "loadtest.distance", *way))
    return int(told(child, r"ready [^ ]+:([0-9]+)"))


def proxy(
    parts: ExitStack, cluster: Cluster, origin_port: int, tree: Path = ROOT, options: Sequence[str] = ()
) -> tuple[Place, Child]:
    """The proxy of the sources in ``tree`` before this origin, ready at level wire."""
    number = len(list(cluster.folder.glob("proxy*.log")))
    found = cluster.url(DATABASE)
    command = (sys.executable, "-P", "-m", "proxy", "serve", "--listen", f"{HOST}:0", "--admin", f"{HOST}:0")
    where = ("--origin", _through(found, cluster, origin_port), "--freshness", "wire", *options)
    log = cluster.folder / f"proxy{number}.log"
    child = start(parts, log, (*command, *where), {"PYTHONPATH": str(tree)})
    admin = int(told(child, r"event=admin listen=\S+:(\d+)"))
    port = int(told(child, r"event=started listen=\S+:(\d+)"))
    place = Place(_through(found, cluster, port), port, admin)
    until(lambda: place.level() == "wire", "level wire")
    return place, child


def start(
    parts: ExitStack, log: Path, command: Sequence[str], settings: Mapping[str, str] | None = None
) -> Child:
    """A program that ends with ``parts``; ``settings``: more variables of its environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    child = Child(log.stem, command, {**environment, **(settings or {})}, log)
    parts.callback(child.stop)
    return child


def told(child: Child, pattern: str) -> str:
    """The first group of ``pattern`` in what the program says, as soon as it says it."""

    def look() -> str | None:
        child.demand_alive()
        return child.told(pattern)

    return until(look, child.name)


def guarded(program: str, act: Callable[[], int]) -> int:
    """The exit status of ``act``: 1 after one sentence if a server did not start, 130 after Ctrl-C."""
    try:
        return act()
    except (EmbeddedError, PartFailed, ProgramsMissing, TimeoutError) as failed:
        print(f"{program}: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def until(ask: Callable[[], T | None], what: str) -> T:
    """The first answer that is true. TimeoutError after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready after {START_SECONDS:g} seconds")
        time.sleep(0.05)
    return answer


def _through(url: str, cluster: Cluster, port: int) -> str:
    """The URL of the cluster, by way of another port."""
    return url.replace(f":{cluster.port}/", f":{port}/")
