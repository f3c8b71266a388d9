"""Which modules are compiled, and when what was compiled fits its source."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import compiled


def test_every_module_that_is_compiled_exists_and_is_named_once() -> None:
    assert [path for path in compiled.MODULES if not (compiled.ROOT / path).is_file()] == []
    assert len(set(compiled.MODULES)) == len(compiled.MODULES)


def test_only_rooms_without_io_are_compiled() -> None:
    assert {path.split("/")[1] for path in compiled.MODULES} <= {"cache", "metrics", "session", "wire"}


@pytest.mark.parametrize(
    ("later", "told"), [("hits.py", ["proxy/session/hits.py"]), ("hits.cpython-311.so", [])]
)
def test_what_is_older_than_its_source_is_stale(tmp_path: Path, later: str, told: list[str]) -> None:
    room = tmp_path / "proxy" / "session"
    room.mkdir(parents=True)
    for name in ("hits.py", "hits.cpython-311.so", "last.py"):
        (room / name).touch()
        os.utime(room / name, (1_000, 2_000 if name == later else 1_000))
    assert compiled.stale(tmp_path) == told
    assert compiled.extensions(tmp_path) == [room / "hits.cpython-311.so"]
