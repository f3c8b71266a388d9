"""The environment: what is taken, and what stops the start."""

from __future__ import annotations

import pytest

from app.settings import read_settings

_URL = "postgresql://postgres:secret@localhost:5432/planets?sslmode=require"


def test_the_port_has_a_default_and_the_address_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", _URL)
    monkeypatch.delenv("PORT", raising=False)
    settings = read_settings()
    assert (settings.port, settings.database_url.get_secret_value()) == (8000, _URL)
    monkeypatch.setenv("PORT", "8123")
    assert read_settings().port == 8123


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "it is not set"),
        ("secret", "it does not begin with postgresql://"),
        ("postgresql://a:sec#ret@b/c", "its user or password holds a character"),
    ],
)
def test_an_address_that_cannot_be_one_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, fault: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as stopped:
        read_settings()
    assert str(stopped.value).startswith(f"app: DATABASE_URL cannot be used: {fault}")
    assert "secret" not in str(stopped.value)


def test_a_missing_address_and_a_wrong_port_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit, match="DATABASE_URL cannot be used: it is not set"):
        read_settings()
    monkeypatch.setenv("DATABASE_URL", _URL)
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(SystemExit, match="PORT cannot be used: it should be less than or equal to 65535"):
        read_settings()
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(SystemExit, match="PORT cannot be used: it should be a valid integer"):
        read_settings()


def test_the_password_shows_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", _URL)
    assert "secret" not in repr(read_settings())
