"""A client's own record of what it did: lines of JSON, each written before the next step is taken.

What a killed process had said is in the file: the kernel has it. A write is announced before it is sent, so
that one without an end is known to be in doubt.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tests.histories.history import AT_THE_ORIGIN, NEVER, History, Kind, Outcome, Read, Row, Scan, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SUFFIX: Final = ".journal"
now = time.monotonic


class Effect(NamedTuple):
    """What a write does to one object."""

    kind: Kind
    object: str
    token: str


@final
class Journal:
    """The writing end, of one client; ``incarnation`` is the proxy that it is connected to."""

    def __init__(self, folder: Path, client: str) -> None:
        self.client = client
        self.incarnation = AT_THE_ORIGIN
        self._file = os.open(folder / f"{client}{SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._writes = 0

    def close(self) -> None:
        """No more lines."""
        os.close(self._file)

    def announce(self, how: str, effects: Sequence[Effect]) -> int:
        """Before a write is sent; its number in this journal."""
        self._writes += 1
        self._line("announce", self._writes, self.incarnation, now(), how, [list(e) for e in effects])
        return self._writes

    def settle(self, write: int, outcome: Outcome, numbers: Mapping[str, int] | None = None) -> None:
        """The end of a write, and which numbers it gave to which objects."""
        self._line("settle", write, now(), outcome, dict(numbers or {}))

    def read(self, how: str, began: float, seen: Mapping[str, Iterable[Row]], own: Mapping[str, str]) -> None:
        """An answer that has just come; ``own``: what the open transaction itself has written."""
        rows = {name: [list(row) for row in shown] for name, shown in seen.items()}
        self._line("read", self.incarnation, began, now(), how, rows, dict(own))

    def scan(self, how: str, began: float, place: str, tokens: Iterable[str]) -> None:
        """The same for the rows of a place."""
        self._line("scan", self.incarnation, began, now(), how, place, list(tokens))

    def odd(self, what: str) -> None:
        """Something that is no answer PostgreSQL could give."""
        self._line("odd", f"{self.client} at {now():.6f}: {what}")

    def _line(self, *fields: object) -> None:
        os.write(self._file, json.dumps(fields, separators=(",", ":")).encode() + b"\n")


def load(folder: Path) -> History:
    """All journals of a run as one history. A last line that a kill has cut off counts as not written."""
    history = History()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        client, open_writes = path.name.removesuffix(SUFFIX), dict[int, list[Write]]()
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                _take(history, client, open_writes, json.loads(line))
        history.writes += [write for writes in open_writes.values() for write in writes]
    return history


def _take(history: History, client: str, writes: dict[int, list[Write]], fields: list[object]) -> None:
    match fields:
        case ["announce", int(number), int(incarnation), float(began), str(how), list(effects)]:
            writes[number] = [
                Write(kind, name, token, client, how, incarnation, began) for kind, name, token in effects
            ]
        case ["settle", int(number), float(ended), str(outcome), dict(numbers)]:
            for write in writes[number]:
                write.ended = NEVER if outcome == "in doubt" else ended
                write.outcome = outcome  # type: ignore[assignment]
                write.number = numbers.get(write.object)
        case ["read", int(incarnation), float(began), float(ended), str(how), dict(seen), dict(own)]:
            history.statements += 1
            for name, shown in seen.items():
                rows = tuple(Row(*row) for row in shown)
                history.reads.append(Read(name, rows, client, how, incarnation, began, ended, own.get(name)))
        case ["scan", int(incarnation), float(began), float(ended), str(how), str(place), list(tokens)]:
            history.statements += 1
            history.scans.append(Scan(place, frozenset(tokens), client, how, incarnation, began, ended))
        case ["odd", str(what)]:
            history.oddities.append(what)
        case _:
            raise ValueError(f"no line of a journal: {fields}")
