"""Memory and file limits, read from a made-up machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy import limits


def _machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_version_2_takes_the_least_of_the_group_and_those_above(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "67108864\n"}
    assert limits.memory_limit_bytes(_machine(tmp_path, "0::/a/b\n", files)) == 64 << 20


def test_version_2_inside_a_namespace_is_read_at_the_top(tmp_path: Path) -> None:
    assert (
        limits.memory_limit_bytes(_machine(tmp_path, "0::/\n", {"sys/fs/cgroup/memory.max": "1048576\n"}))
        == 1 << 20
    )


def test_version_1_is_read_from_the_memory_controller(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n"}
    groups = "5:devices:/x\n4:memory:/x\n0::/\n"
    assert limits.memory_limit_bytes(_machine(tmp_path, groups, files)) == 1 << 20


def test_without_limits_it_is_the_machines_memory(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{(1 << 63) - 4096}\n"}
    unlimited = limits.memory_limit_bytes(_machine(tmp_path, "4:memory:/\n", files))
    assert unlimited == limits.memory_limit_bytes(tmp_path / "nothing") > 1 << 20


@pytest.mark.parametrize(("files", "clients"), [(1024, 480), (66, 1), (10, 1), (1 << 30, 100_000)])
def test_a_client_takes_two_files(files: int, clients: int) -> None:
    assert limits.clients_that_fit(files) == clients


def test_the_limit_of_open_files_is_raised_no_further_than_needed() -> None:
    soft, hard = limits.open_files()
    assert limits.raise_open_files(1) == soft
    assert limits.open_files() == (soft, hard)
    assert limits.raise_open_files(limits.clients_that_fit(soft)) == soft
