"""The base: the one that the Dockerfile names, and where a Debian comes from otherwise."""

from __future__ import annotations

import pytest

from tools.image.base import default_base, mirror
from tools.image.errors import Misused
from tools.stage.children import ROOT


def test_the_dockerfile_names_its_base() -> None:
    assert default_base((ROOT / "Dockerfile").read_text()) == "python:3.12-slim-bookworm"
    with pytest.raises(Misused, match="names no default"):
        default_base("FROM scratch\n")


def test_packages_come_from_where_this_machine_gets_that_release() -> None:
    assert mirror("http://one.example/debian trixie\nhttp://two.example/debian bookworm\n") == (
        "http://two.example/debian"
    )
    assert mirror("http://one.example/ubuntu noble\n") is None
