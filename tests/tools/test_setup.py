"""setup: what is missing is told in one sentence, and what is done is not done again."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import setup

Patch = pytest.MonkeyPatch


def test_an_unsupported_python_is_named(monkeypatch: Patch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    with pytest.raises(setup.MissingError, match=r"3\.11 to 3\.13 is needed, .* is 3\.14"):
        setup.demand_prerequisites()


def test_a_python_without_ensurepip_is_named(monkeypatch: Patch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(setup.MissingError, match="python3-venv"):
        setup.demand_prerequisites()


@pytest.mark.parametrize("program", ["git", "openssl"])
def test_a_missing_program_is_named(monkeypatch: Patch, program: str) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == program else f"/usr/bin/{name}")
    with pytest.raises(setup.MissingError, match=f"program {program} is not on PATH"):
        setup.demand_prerequisites()


@pytest.mark.parametrize(
    ("library", "seen"), [(("", ""), "another C library"), (("glibc", "2.17"), "glibc 2.17")]
)
def test_a_c_library_that_the_wheels_cannot_use_is_named(
    monkeypatch: Patch, library: tuple[str, str], seen: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.libc_ver", lambda: library)
    with pytest.raises(setup.MissingError, match=f"this is {seen}"):
        setup.demand_prerequisites()


def test_a_full_disk_is_named(monkeypatch: Patch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(setup.MissingError, match=r"1500 MB of free disk are needed at .*, 1 MB are there"):
        setup.demand_prerequisites()


def test_a_step_is_repeated_only_when_something_before_it_changed(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    second.write_text("1")
    journal = tmp_path / "journal"
    todo = tuple(
        setup.Step(path.name, (path,), ("/bin/sh", "-c", f"echo {path.name} >> {journal}"), journal, tmp_path)
        for path in (first, second)
    )
    assert setup.run(todo) == 2
    assert setup.run(todo) == 0
    second.write_text("2")
    assert setup.run(todo) == 1
    first.write_text("2")
    assert setup.run(todo) == 2
    assert journal.read_text().split() == ["first", "second", "second", "first", "second"]


def test_what_a_failed_step_said_is_shown_and_it_is_tried_again(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    step = setup.Step("packages", (), ("/bin/sh", "-c", "echo no such version; exit 3"), tmp_path, tmp_path)
    for _ in range(2):
        with pytest.raises(
            setup.FailedError, match=r"packages: exit status 3 after these lines\nno such version"
        ):
            setup.run((step,))


def test_every_input_of_the_set_up_is_there() -> None:
    missing = [path for step in setup.steps() for path in step.inputs if not path.is_file()]
    assert not missing
