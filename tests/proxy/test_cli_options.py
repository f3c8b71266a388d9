"""Options made from the settings."""

from __future__ import annotations

import pytest
import typer

from proxy import config
from proxy.cli_options import with_settings


def given(*arguments: str) -> dict[str, object]:
    seen: dict[str, object] = {}
    app = typer.Typer()

    @app.command()
    @with_settings
    def command(options: dict[str, object]) -> int:
        seen.update(options)
        return 3

    assert typer.main.get_command(app).main(list(arguments), standalone_mode=False) == 3
    return seen


def test_every_setting_but_the_token_is_an_option() -> None:
    assert list(given()) == config.option_names()
    assert set(config.Settings.model_fields) - set(config.option_names()) == {"admin_token"}


def test_what_is_not_given_is_none() -> None:
    assert set(given().values()) == {None}


def test_values_stay_text_for_the_settings_to_read() -> None:
    options = given("--cache-bytes", "8MiB", "--never-cache", "a.b", "--never-cache", "c.d", "--local-ping")
    assert options["cache_bytes"] == "8MiB"
    assert options["never_cache"] == ["a.b", "c.d"]
    assert options["local_ping"] is True


def test_help_shows_usage_meaning_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @with_settings
    def command(options: dict[str, object]) -> int:
        return len(options)

    typer.main.get_command(app).main(["--help"], standalone_mode=False)
    text = " ".join(capsys.readouterr().out.split())
    assert "--ttl-cap SECONDS The longest one: the promise at level ttl. [60]" in text
    assert "--max-entry-bytes BYTES" in text
    assert "[1MiB]" in text
