"""``make deploy-check``: what it prints, and its exit status."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy import check
from deploy.document import read
from deploy.standin import StandIn
from tests.deploy.planted import MANIFEST, ROOT, planted


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A copy of the project's manifest, with the Dockerfile beside it."""
    for name in ("koyeb.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "koyeb.yaml"


def test_the_projects_manifest_is_well_and_what_it_would_make_is_told(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(manifest)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert (
        "service cache: was, fra; micro (512 MB); instances 1-1, 1-1; 5432 tcp; route none, mesh only"
        in told.out
    )
    assert told.out.count("STARTING HEALTHY") == 2
    assert "secrets that must exist before: planets-cache-url, planets-database-url" in told.out
    assert "the repository is still ORG/REPO" in told.out


def test_all_mistakes_are_told_at_once_in_their_order_and_each_with_its_line(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        MANIFEST.replace("type: WEB", "type: web").replace("max: 1", "max: 0", 1).replace("5432, p", "0, p")
    )
    manifest.write_text(text)
    assert check.main([str(manifest)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    *mistakes, count = told.err.splitlines()
    lines = [int(mistake.removeprefix(f"{manifest}:").partition(":")[0]) for mistake in mistakes]
    assert lines == sorted(lines)
    for line, mistake in zip(lines, mistakes, strict=True):
        place = mistake.split(": ")[1]
        assert place.rpartition(".")[2].partition("[")[0] in text.splitlines()[line - 1]
    assert count == f"deploy-check: {len(mistakes)} mistakes"
    assert len(mistakes) >= 5


def test_a_file_that_cannot_be_read_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(tmp_path / "absent.yaml")]) == 2
    assert "absent.yaml cannot be read: No such file or directory" in capsys.readouterr().err
    (tmp_path / "binary").write_bytes(b"\xff")
    assert check.main([str(tmp_path / "binary")]) == 2
    assert "it is not UTF-8" in capsys.readouterr().err


def test_an_empty_file_is_no_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "koyeb.yaml").write_text("# nothing\n")
    assert check.main([str(tmp_path / "koyeb.yaml")]) == 1
    assert "koyeb.yaml:1: a mapping is expected, not nothing" in capsys.readouterr().err


def test_a_target_must_be_a_stage_of_the_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch AS cache\nFROM scratch AS app\n")
    found = [str(mistake).partition(": ")[2] for mistake in check.mistakes(read(MANIFEST), tmp_path)]
    assert found == [
        "services[1].definition.git.docker.target: Dockerfile has no stage api: there are cache, app"
    ]


def test_the_dockerfile_must_be_there(tmp_path: Path) -> None:
    found = [str(mistake).partition(": ")[2] for mistake in check.mistakes(read(MANIFEST), tmp_path)]
    assert found == [
        f"services[{number}].definition.git.docker.dockerfile: Dockerfile is not there" for number in (0, 1)
    ]


def test_a_service_that_does_not_come_up_fails_the_check(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "StandIn", lambda: StandIn({"api": "UNHEALTHY"}))
    assert check.main([str(manifest)]) == 1
    assert capsys.readouterr().err == "deploy-check: api ended as UNHEALTHY\n"


def test_a_mistake_in_one_service_hides_none_in_another() -> None:
    found = planted("regions: [was, fra]", "regions: was")
    assert found
    assert all("services[0]" in each for each in found)
