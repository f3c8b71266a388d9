"""What is asked of the built images: what is in them, and how they start, answer, refuse and end."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tools.embedded import HOST, Cluster
from tools.image.errors import ImageFailed
from tools.image.load import ANSWERED, FAILED, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tools.image.engine import Engine, Running
    from tools.image.memory import Part

PLANETS: Final = [{"id": 1, "name": "Mercury"}, {"id": 2, "name": "Venus"}, {"id": 3, "name": "Mars"}]
MEMORY_BYTES: Final = 300 * 10**6
BEYOND_BYTES: Final = 350 * 10**6
START_SECONDS: Final = 6.0
_PATIENCE_SECONDS: Final = 60.0
_END_SECONDS: Final = 20.0
_IDLE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02
_SECRET: Final = "s3cret-of-the-probe"  # noqa: S105 - of nobody
_AWAY: Final = f"postgresql://planets:{_SECRET}@{HOST}:1/planets"

# Told by the image's own user: who that is, what must not be there, what must be, what may be written.
# The official base brings a pip of its own: what is ours has none.
_CONTENTS: Final = """
echo "user $(id -u)"
for program in cc gcc make npm npx; do command -v $program > /dev/null && echo "has $program"; done
for path in /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /root/.cache /tmp/* \
    /etc/pip.conf /run/secrets/* .venv/bin/pip* .venv/lib/python3*/site-packages/setuptools
    do [ -e "$path" ] && echo "left $path"; done
for path in LICENSE LICENSES/GPL-3.0.txt LICENSES/third-party.md prisma/migrations .venv/bin/orrery; do
    [ -e "$path" ] || echo "lacks $path"; done
for program in openssl orrery init python; do
    command -v $program > /dev/null || echo "lacks $program"; done
find /orrery -xdev -writable ! -type l | sed 's/^/writable /' | head -3
"""


@dataclass(slots=True)
class Findings:
    """What the probe saw: figures for the summary, and sentences on what is not as it must be."""

    beyond_bytes: int = 0
    user: str = ""
    start_seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    under_load: Mapping[str, int] = field(default_factory=dict)
    end_status: int = -1
    end_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def demand(self, holds: bool, otherwise: str) -> None:
        """Note the sentence ``otherwise`` unless the condition holds."""
        if not holds:
            self.faults.append(otherwise)


class Probe:
    """Asks the images ``app``, ``api`` and ``cache`` on ``engine``, with ``cluster`` as their database."""

    def __init__(self, engine: Engine, images: Mapping[str, str], base: str, cluster: Cluster) -> None:
        self._engine = engine
        self._images = images
        self._base = base
        cluster.execute("CREATE DATABASE planets")
        self._url = cluster.url("planets")
        self.seen = Findings()

    def contents(self) -> None:
        """Size, user, leftovers, licence; the three images differ in their configuration alone."""
        image = self._images["app"]
        self.seen.beyond_bytes = self._engine.bytes_beyond(image, self._base)
        self.seen.demand(
            self.seen.beyond_bytes < BEYOND_BYTES, "the image is larger than 350 MB beyond its base"
        )
        told = self._engine.run(image, ["sh", "-c", _CONTENTS], {})
        for line in told.output.splitlines():
            what, _, value = line.partition(" ")
            if what == "user":
                self.seen.user = value
            else:
                self.seen.faults.append(f"the image {line}")
        self.seen.demand(self.seen.user not in {"", "0"}, "the image's user is root")
        for name in self._images.values():
            said = self._engine.configuration(name)
            licence = said.labels.get("org.opencontainers.image.licenses", "")
            self.seen.demand(
                licence.startswith("GPL-3.0"), f"{name} does not say that the whole is under the GPL"
            )

    def secrets(self, texts: list[str]) -> None:
        """No line of what entered the builds as a secret is in a file or in the history of the image."""
        image = self._images["app"]
        history = self._engine.configuration(image).history
        words = sorted({word for text in texts for word in telling_words(text)})
        self.seen.demand(
            not any(word in history for word in words), "the image's history holds a secret of its build"
        )
        if words:
            patterns = [part for word in words for part in ("-e", word)]
            places = ["/orrery", "/etc", "/root", "/opt", "/tmp", "/home", "/var"]  # noqa: S108 - of the image
            # the certificates of the base are no secret
            found = self._engine.run(
                image, ["grep", "-rlIF", "--exclude-dir=ssl", *patterns, *places], {}, root=True
            )
            self.seen.demand(
                found.status == 1, f"the image holds configuration of its build: {found.output[:300]}"
            )

    def initialise(self) -> None:
        """``init`` brings schema and planets, twice without harm."""
        for words in ("seed: 3 added", "everything is there already"):
            done = self._engine.run(self._images["app"], ["init"], {"DATABASE_URL": self._url})
            if done.status or words not in done.output:
                raise ImageFailed(f"init did not say {words!r} (exit status {done.status}):\n{done.output}")

    def bundled(self) -> None:
        """The default: its start, its memory when idle, and its end under load."""
        with self._started("app", {"DATABASE_URL": self._url}) as (running, port):
            self.seen.start_seconds = self._await_planets(running, port)
            time.sleep(_IDLE_SECONDS)
            self.seen.parts = running.memory()
            held = sum(part.pss for part in self.seen.parts)
            self.seen.demand(held > 0, "the memory of the running image could not be read")
            self.seen.demand(held < MEMORY_BYTES, "the idle image holds 300 MB or more")
            load, ended_at = Load(port), 0.0

            def end() -> None:
                nonlocal ended_at
                ended_at = time.monotonic()
                running.terminate()

            load.over(end)
            self.seen.end_status = running.wait(_END_SECONDS)
            self.seen.end_seconds = time.monotonic() - ended_at
            self.seen.under_load = load.outcomes
            self.seen.demand(load.outcomes[ANSWERED] > 0, "no request was answered under load")
            self.seen.demand(not load.outcomes[FAILED], f"requests failed at SIGTERM: {load.faults[:3]}")
            self.seen.demand(
                self.seen.end_status == 0, f"SIGTERM ended it with status {self.seen.end_status}"
            )

    def hits(self) -> None:
        """The second read comes from memory: in the bundled form, and with a cache service beside the api."""
        admin, listen = _free_port(), _free_port()
        window = {"ORRERY_ADMIN": f"{HOST}:{admin}"}
        with self._started("app", {"DATABASE_URL": self._url, **window}) as (running, port):
            self.seen.hits["app"] = self._hits_of_second_read(running, port, admin)
        cache = {"ORRERY_ORIGIN": self._url, "ORRERY_LISTEN": f"{HOST}:{listen}", **window}
        through = f"{self._url.rpartition(':')[0]}:{listen}/planets"
        with (
            self._started("cache", cache),
            self._started("api", {"DATABASE_URL": through}) as (running, port),
        ):
            self.seen.hits["cache"] = self._hits_of_second_read(running, port, admin)
        for name, count in self.seen.hits.items():
            self.seen.demand(count == 1, f"the second read of target {name} was no hit")

    def bad_input(self) -> None:
        """Each mistake stops the start with one sentence, or is told while /health answers."""
        for target, variables, words in (
            ("app", {}, "DATABASE_URL"),
            ("app", {"DATABASE_URL": "CHANGE_ME"}, "DATABASE_URL"),
            ("app", {"DATABASE_URL": _AWAY, "PORT": "http"}, "PORT cannot be used"),
            (
                "api",
                {"DATABASE_URL": f"mysql://planets:{_SECRET}@{HOST}/planets"},
                "DATABASE_URL cannot be used",
            ),
            ("cache", {}, "ORRERY_ORIGIN"),
        ):
            with self._started(target, variables, ports=False) as (running, _):
                status = running.wait(_END_SECONDS)
                self._demand_told(f"{target} with {sorted(variables)}", status, running.log(), words)
        done = self._engine.run(self._images["app"], ["init"], {"DATABASE_URL": _AWAY})
        self._demand_told(
            "init with a database that is away", done.status, done.output, "Can't reach database server"
        )

    def database_away(self) -> None:
        """/health answers, /planets says 503, and the log says why."""
        with self._started("app", {"DATABASE_URL": _AWAY}) as (running, port):
            self._await(running, lambda: _status(port, "/health") == 200, "/health with the database away")
            self.seen.demand(
                _status(port, "/planets") == 503, "/planets is not 503 while the database is away"
            )
            self.seen.demand(
                "cannot be reached" in running.log(), "the log does not say that the database is away"
            )
            self.seen.demand(_SECRET not in running.log(), "the log holds a password")

    def _demand_told(self, what: str, status: int, output: str, words: str) -> None:
        self.seen.demand(status != 0, f"{what} ended with status 0")
        self.seen.demand(words in output, f"{what} does not say {words!r}: {output[-300:]}")
        self.seen.demand("Traceback" not in output, f"{what} shows a traceback")
        self.seen.demand(_SECRET not in output, f"{what} shows a password")

    @contextmanager
    def _started(
        self, target: str, variables: Mapping[str, str], *, ports: bool = True
    ) -> Iterator[tuple[Running, int]]:
        port = _free_port()
        chosen = {"PORT": str(port)} if ports else {}
        running = self._engine.start(self._images[target], {**chosen, **variables})
        try:
            yield running, port
        finally:
            running.close()

    def _await_planets(self, running: Running, port: int) -> float:
        began = time.monotonic()
        self._await(running, lambda: _status(port, "/planets") == 200, "/planets")
        self.seen.demand(_answer(port, "/planets") == PLANETS, "/planets are not the three planets")
        return time.monotonic() - began

    def _hits_of_second_read(self, running: Running, port: int, admin: int) -> int:
        """How many hits the second one of two equal reads adds."""
        self._await(running, lambda: _status(port, "/ready") == 200, "/ready")
        _answer(port, "/planets")
        before = _answer(admin, "/stats")["outcomes"]["hit"]
        _answer(port, "/planets")
        return int(_answer(admin, "/stats")["outcomes"]["hit"] - before)

    @staticmethod
    def _await(running: Running, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            if running.has_ended() or time.monotonic() > deadline:
                raise ImageFailed(f"{what} did not come about; the container's log:\n{running.log()[-2000:]}")
            time.sleep(_POLL_SECONDS)


def telling_words(text: str) -> list[str]:
    """What in a configuration would tell of its owner: values of some length, not the names of options."""
    values = (line.partition("=")[2] for line in text.splitlines())
    return [
        word for value in values for word in value.split() if len(word) >= 8 and not word.startswith("/run/")
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _status(port: int, path: str) -> int:
    """The status of a GET, 0 while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=_PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except OSError:
        return 0


def _answer(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=_PATIENCE_SECONDS) as answer:
        return json.load(answer)
