"""The environment: what is documented, what .env.example lists and what the code reads are the same."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.settings import Settings as AppSettings
from proxy import config, origin_url
from tests.test_house import tracked

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()


def read_by_the_code() -> set[str]:
    """Of the proxy, of the app, and what the launcher of Prisma's command line leaves to the caller."""
    launcher = (ROOT / "prisma" / "engines" / "prisma").read_text()
    of_app = {name.upper() for name in AppSettings.model_fields}
    return {*config.variables(), *of_app, *re.findall(r"\$\{(PRISMA_\w+):-", launcher)}


def listed() -> dict[str, str]:
    """The example's variables with their values, those that are commented out included."""
    pairs = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE)
    return {name: value.strip("'") for name, value in pairs}


def test_the_page_has_a_row_for_every_variable_and_for_no_other() -> None:
    rows = re.findall(r"^\|[^|]*(?:\\\|[^|]*)*?\| `([A-Z_]+)` \||^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    assert {first or second for first, second in rows} == read_by_the_code()


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(listed()) == read_by_the_code()


def test_no_variable_is_read_elsewhere() -> None:
    read = re.compile(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"")
    found = {name for path in tracked("app/*.py", "proxy/*.py") for name in read.findall(path.read_text())}
    assert found <= read_by_the_code() | {"HOME"}
    assert found


def test_the_page_names_libpqs_variables_and_no_other() -> None:
    assert set(re.findall(r"`(PG[A-Z_]+)`", PAGE)) == set(origin_url._ENVIRONMENT.values())


def test_the_examples_values_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ORRERY_", "PG", "DATABASE_URL", "PORT")):
            monkeypatch.delenv(name)
    for name, value in listed().items():
        monkeypatch.setenv(name, value)
    settings = config.load({})
    assert (settings.origin.user, settings.origin.host) == ("USER", "HOST")
    assert AppSettings().port == 8000  # type: ignore[call-arg]  # the environment fills the fields


def test_the_examples_defaults_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ORRERY_", "PG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", listed()["DATABASE_URL"])
    bare = config.load({}).model_dump(exclude={"origin"})
    fixed = {name for name, field in config.Settings.model_fields.items() if field.default_factory is None}
    for name in fixed & set(bare):
        value = listed()[config.variable(name)]
        if bare[name] not in (None, ()) and value:
            assert config.load({name: value}).model_dump()[name] == bare[name], name


def test_git_ignores_the_file_with_the_password() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
