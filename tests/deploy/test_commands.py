"""``orrery koyeb``: what it prints, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.button import badge, deploy_url
from deploy.plan import load
from proxy.cli import main
from tests.deploy.planted import MANIFEST, ROOT

NEON = "postgresql://ada:p%40ss@ep-calm-sea-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the manifest in it, and no database in the environment."""
    for name in ("DATABASE_URL", "ORRERY_ORIGIN", "PGPASSWORD", "HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "koyeb.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["button", "--help"], ["url", "-h"]])
def test_every_command_has_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["koyeb", *arguments]) == 0
    assert "Usage: orrery koyeb" in capsys.readouterr().out


def test_without_a_command_the_help_is_told_as_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["koyeb"]) == 2
    assert "Usage: orrery koyeb" in capsys.readouterr().err


def test_an_installation_without_the_deployment_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "deploy.commands", None)
    assert main(["koyeb", "button"]) == 2
    assert capsys.readouterr().err.startswith("orrery: koyeb: run this in a checkout")


def test_the_button_is_printed_for_the_repository_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["koyeb", "button", "--repository", "github.com/ada/planets"]) == 0
    assert (
        main(["koyeb", "button", "--repository", "ada/planets", "--markdown", "--builder", "buildpack"]) == 0
    )
    plan = load(ROOT / "koyeb.yaml")
    assert capsys.readouterr().out.splitlines() == [
        deploy_url(plan, "ada/planets"),
        badge(deploy_url(plan, "ada/planets", builder="buildpack")),
    ]


def test_a_checkout_of_github_needs_no_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", "git@github.com:ada/planets"], check=True)
    assert main(["koyeb", "button"]) == 0
    told = capsys.readouterr()
    assert "repository=ada%2Fplanets&" in told.out
    assert told.err == ""


def test_without_a_remote_the_place_to_fill_in_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["koyeb", "button"]) == 0
    told = capsys.readouterr()
    assert "repository=ORG%2FREPO&" in told.out
    assert "no remote on GitHub here: put yours in place of ORG/REPO, or give --repository" in told.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["button", "--repository", "planets"], "--repository: ORG/REPO or github.com/ORG/REPO is expected"),
        (["button", "--builder", "nix"], "'nix' is not one of"),
        (["button", "--manifest", "absent.yaml"], "absent.yaml cannot be read"),
        (["launch"], "No such command 'launch'"),
        (["url"], "no origin: give URL, or set ORRERY_ORIGIN or DATABASE_URL"),
        (["url", "mysql://h/d"], "URL: the origin URL must begin with postgresql://"),
        (["url", "postgresql://ada@h/d"], "the URL has no password: the cache lets nobody in without one"),
    ],
)
def test_wrong_usage_is_one_sentence(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["koyeb", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert reason in told.err
    assert len(told.err.splitlines()) == 1


def test_the_databases_url_leads_through_the_cache_with_the_same_login(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", NEON)
    assert main(["koyeb", "url"]) == 0
    url = "postgresql://ada:p%40ss@cache.planets.internal:5432/neondb?sslmode=disable"
    assert capsys.readouterr().out.splitlines() == [url]
