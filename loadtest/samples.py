"""One line for each request: what Locust's side writes and the report reads.

Locust's own statistics count whole milliseconds, and an answer from memory takes less than a few.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple, Self, final

if TYPE_CHECKING:
    from pathlib import Path


class Sample(NamedTuple):
    """``at``: Unix time when it was sent. ``milliseconds`` until the answer was read. ``failure``: or empty.

    ``method`` is HTTP's, or SQL; ``name`` stands for all requests of a kind.
    """

    at: float
    method: str
    name: str
    milliseconds: float
    failure: str


@final
class SampleFile:
    """Writes samples to ``path``, each as it comes."""

    def __init__(self, path: Path) -> None:
        # Line by line, so that whoever shows progress can follow.
        self._file = path.open("w", newline="", buffering=1)
        self._writer = csv.writer(self._file)
        self._writer.writerow(Sample._fields)

    def add(self, sample: Sample) -> None:
        """Write one."""
        at, method, name, milliseconds, failure = sample
        in_one_line = " ".join(failure.split())
        self._writer.writerow((f"{at:.6f}", method, name, f"{milliseconds:.4f}", in_one_line))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@final
class SampleReader:
    """Reads samples from ``path`` while they are being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def more(self) -> list[Sample]:
        """What has come since the last call, as it was written; a line that is not whole yet is left."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            written = file.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = csv.reader(whole.decode().splitlines())
        return [_sample(fields) for fields in lines if tuple(fields) != Sample._fields]


def _sample(fields: list[str]) -> Sample:
    at, method, name, milliseconds, failure = fields
    return Sample(float(at), method, name, float(milliseconds), failure)
