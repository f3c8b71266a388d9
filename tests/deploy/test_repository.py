"""Which repository is deployed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.repository import named, of_checkout
from proxy.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "ada/planets",
        "github.com/ada/planets",
        "https://github.com/ada/planets",
        "https://github.com/ada/planets.git",
    ],
)
def test_a_repository_may_be_named_with_its_host(text: str) -> None:
    assert named(text) == "ada/planets"


@pytest.mark.parametrize("text", ["planets", "gitlab.com/ada/planets", "ada/planets&x=y", "", "a/b/c"])
def test_what_is_no_repository_of_github_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--repository: ORG/REPO"):
        named(text)


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/ada/planets.git", "ada/planets"),
        ("https://token@github.com/ada/planets", "ada/planets"),
        ("git@github.com:ada/planets.git", "ada/planets"),
        ("ssh://git@github.com/ada/planets", "ada/planets"),
        ("https://example.com/ada/planets", None),
        ("/srv/git/planets", None),
    ],
)
def test_a_checkout_knows_where_it_came_from(remote: str, name: str | None, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
    assert of_checkout(tmp_path) == name


def test_without_a_remote_or_a_checkout_nothing_is_known(tmp_path: Path) -> None:
    assert of_checkout(tmp_path / "nowhere") is None
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert of_checkout(tmp_path) is None
