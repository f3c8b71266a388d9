"""What the users of one process share during a run: the ids to ask for, their numbers, the file."""

from __future__ import annotations

import json
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final, final
from urllib.request import urlopen

from locust.runners import WorkerRunner

from loadtest.popularity import ranking
from loadtest.samples import Sample, SampleFile
from loadtest.users.arguments import Arguments, read_arguments

if TYPE_CHECKING:
    from locust.env import Environment

_ANSWER_SECONDS: Final = 30.0
_PAGE: Final = 1000


class CannotBegin(Exception):
    """The run cannot begin; the message is one sentence."""


@final
class Run:
    """The one run of this process; ``begin`` makes it anew each time the test starts."""

    def __init__(self) -> None:
        self.arguments = Arguments(1, 0.0, 1, 1, "", "", "", "")
        self.ranked: list[int] = []
        self.index = 0
        self._numbers: Counter[str] = Counter()
        self._file: SampleFile | None = None

    def begin(self, environment: Environment) -> None:
        """Learn the ids. Raises CannotBegin."""
        assert environment.parsed_options is not None
        self.arguments = read_arguments(environment.parsed_options)
        runner = environment.runner
        self.index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        if self.index >= self.arguments.generators:
            # Its editors would rename planets of another worker's.
            raise CannotBegin(f"this is worker number {self.index + 1}: give the master as many --generators")
        self._numbers.clear()
        self.ranked = ranking(_ids(environment.host or ""), self.arguments.seed)
        if self.arguments.samples:
            suffix = f".{self.index}" if isinstance(runner, WorkerRunner) else ""
            self._file = SampleFile(Path(self.arguments.samples + suffix))

    def end(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def number(self, kind: str) -> int:
        """The next user's number among those of its kind, in all processes."""
        self._numbers[kind] += 1
        return (self._numbers[kind] - 1) * self.arguments.generators + self.index

    def write_down(self, sample: Sample) -> None:
        """Keep one request."""
        if self._file is not None:
            self._file.add(sample)


RUN: Final = Run()


def _ids(host: str) -> list[int]:
    found: list[int] = []
    while True:
        page = _page(f"{host}/planets?limit={_PAGE}&after={found[-1] if found else 0}")
        found += page
        if len(page) < _PAGE:
            break
    if not found:
        raise CannotBegin(f"GET {host}/planets gives an empty list: run make init")
    return found


def _page(url: str) -> list[int]:
    try:
        with urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - the host that is to be tested
            return [int(planet["id"]) for planet in json.load(answer)]
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise CannotBegin(f"GET {url} gives no planets: {error}") from error
