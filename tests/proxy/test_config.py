"""Settings: where a value comes from, which are refused, and that the operators' page lists them all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy import config
from proxy.errors import ConfigurationError
from proxy.option_types import Address

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ORIGIN = "postgresql://u:hunter2@h/d"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ORRERY_", "PG", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", ORIGIN)


def test_defaults_are_those_of_the_page() -> None:
    settings = config.load({})
    assert (settings.listen, settings.admin) == (Address("127.0.0.1", 6432), Address("127.0.0.1", 6433))
    assert (settings.freshness, settings.ttl_floor, settings.ttl_cap) == ("auto", 1.0, 60.0)
    assert (settings.max_entry_bytes, settings.max_message_bytes) == (1 << 20, 64 << 20)
    assert (settings.pool, settings.cache, settings.local_ping) == ("transaction", True, False)
    assert 0 < settings.cache_bytes <= 1 << 30
    assert settings.max_clients >= 1


def test_an_option_wins_over_its_variable_and_that_over_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_TTL_CAP", "7")
    monkeypatch.setenv("ORRERY_LISTEN", "0.0.0.0:5432")
    monkeypatch.setenv("ORRERY_NEVER_CACHE", "a.b,c.*")
    settings = config.load({"ttl_cap": "9", "never_cache": []}, {"listen": "127.0.0.1:0", "admin": "off"})
    assert settings.ttl_cap == 9.0
    assert settings.listen == Address("0.0.0.0", 5432)
    assert settings.admin is None
    assert settings.never_cache == ("a.b", "c.*")


def test_the_origin_is_the_option_then_orrery_origin_then_database_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert config.load({}).origin.host == "h"
    monkeypatch.setenv("ORRERY_ORIGIN", "postgresql://u@i/d")
    assert config.load({}).origin.host == "i"
    assert config.load({"origin": "postgresql://u@j/d"}).origin.host == "j"


def test_without_any_origin_the_start_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(ConfigurationError, match="no origin: give --origin URL, or set"):
        config.load({})
    with pytest.raises(ConfigurationError, match="no origin: give URL, or set"):
        config.origin(None, "URL")


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_USERS", "")
    monkeypatch.setenv("ORRERY_ADMIN", "")
    assert config.load({}).users is None
    assert config.load({}, {"admin": "off"}).admin is None


def test_an_unknown_variable_stops_the_start_and_the_near_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORRERY_TTLCAP", "5")
    with pytest.raises(
        ConfigurationError, match="unknown variable ORRERY_TTLCAP: did you mean ORRERY_TTL_CAP"
    ):
        config.load({})


def test_what_kubernetes_injects_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("ORRERY_PORT", "tcp://10.0.0.1:5432")
    monkeypatch.setenv("ORRERY_PORT_5432_TCP_ADDR", "10.0.0.1")
    assert config.load({}).listen.port == 6432


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen", "6432"),
        ("listen", "127.0.0.1:99999"),
        ("admin", "on"),
        ("freshness", "always"),
        ("ttl_floor", "0"),
        ("ttl_cap", "nan"),
        ("audit_share", "1.5"),
        ("cache_bytes", "lots"),
        ("cache_bytes", "1"),
        ("max_clients", "0"),
        ("max_clients", "many"),
        ("login_seconds", "-1"),
        ("pool", "statement"),
        ("cache", "perhaps"),
        ("never_cache", "orders"),
        ("log_format", "xml"),
        ("origin", "mysql://u:hunter2@h/d"),
    ],
)
def test_a_malformed_value_stops_the_start_and_names_its_source(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError) as by_option:
        config.load({name: value})
    monkeypatch.setenv(config.variable(name), value)
    with pytest.raises(ConfigurationError) as by_variable:
        config.load({})
    assert str(by_option.value).startswith(f"{config.flag(name)}: ")
    assert str(by_variable.value).startswith(f"{config.variable(name)}: ")
    for error in (by_option, by_variable):
        assert "\n" not in str(error.value)
        assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("level", ["notify", "replication"])
def test_levels_that_do_not_exist_yet_stop_the_start(level: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--freshness: {level} is not available"):
        config.load({"freshness": level})


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="--ttl-floor is above --ttl-cap"):
        config.load({"ttl_floor": "61"})
    with pytest.raises(ConfigurationError, match="--tls-cert and --tls-key"):
        config.load({"tls_cert": "/c.pem"})


def test_no_repr_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_ADMIN_TOKEN", "hunter2")
    assert "hunter2" not in repr(config.load({}))


def test_a_child_gets_the_proxys_address_and_its_own_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:pw@h/shop?sslmode=require&schema=s")
    monkeypatch.setenv("PGCHANNELBINDING", "require")
    monkeypatch.setenv("PORT", "8000")
    settings = config.load({"origin": "postgresql://admin:root@h/shop?channel_binding=prefer"})
    environment = config.child_environment(settings, Address("127.0.0.1", 50000))
    assert environment["DATABASE_URL"] == "postgresql://app:pw@127.0.0.1:50000/shop?schema=s&sslmode=disable"
    assert environment["PORT"] == "8000"
    assert "PGCHANNELBINDING" not in environment


def test_a_child_without_a_url_of_its_own_gets_the_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    settings = config.load({"origin": ORIGIN})
    environment = config.child_environment(settings, Address("127.0.0.1", 1))
    assert environment["DATABASE_URL"] == "postgresql://u:hunter2@127.0.0.1:1/d?sslmode=disable"


def test_the_admin_address_is_the_option_then_the_variable_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert config.admin_address() == Address("127.0.0.1", 6433)
    monkeypatch.setenv("ORRERY_ADMIN", "127.0.0.1:7000")
    assert config.admin_address() == Address("127.0.0.1", 7000)
    assert config.admin_address("[::1]:1") == Address("::1", 1)
    with pytest.raises(ConfigurationError, match="--admin: expected"):
        config.admin_address("nowhere")
    with pytest.raises(ConfigurationError, match="off"):
        config.admin_address("off")


def test_the_page_lists_every_setting_and_nothing_else() -> None:
    rows = [
        line.replace("\\|", "/").split("|") for line in PAGE.read_text().splitlines() if "`ORRERY_" in line
    ]
    listed = {cells[2].strip(" `"): cells[1].strip(" `") for cells in rows if len(cells) == 6}
    assert listed == {config.variable(name): _usage(name) for name in config.Settings.model_fields}


def _usage(name: str) -> str:
    shown = f"{config.flag(name)} {config.metavar(name)}".rstrip()
    return "" if name == "admin_token" else shown.replace("|", "/")


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in config.Settings.model_fields.values())
