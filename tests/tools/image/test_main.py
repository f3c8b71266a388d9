"""Which engine is chosen, and what is said when there is none."""

from __future__ import annotations

import pytest

from tools.image import __main__ as program
from tools.image.docker import Docker
from tools.image.errors import Misused


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Docker, "answering", lambda: None)
    monkeypatch.setenv("PATH", "")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(Misused, match="ENGINE=podman cannot be used: docker or buildah is expected"):
        program.choose_engine({"ENGINE": "podman"})


def test_docker_is_not_replaced_where_it_was_asked_for() -> None:
    with pytest.raises(Misused, match="no Docker engine answers"):
        program.choose_engine({"ENGINE": "docker"})


def test_without_any_engine_it_is_said_what_to_install() -> None:
    with pytest.raises(Misused, match="buildah and debootstrap"):
        program.choose_engine({})


def test_what_cannot_begin_ends_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE", "podman")
    assert program.main() == 2
    assert capsys.readouterr().err.startswith("make image: ENGINE=podman")
