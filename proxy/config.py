"""Every option of ``orrery serve`` and ``orrery run``, from the command line and from ORRERY_*; read once.

The only reader of ``os.environ``. An option given on the command line wins over its variable; an empty
variable counts as absent (templates of manifests leave empty ones). docs/configuration.md lists them all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, InstanceOf, JsonValue, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from proxy import limits
from proxy.errors import ConfigurationError
from proxy.option_types import (
    Address,
    Bytes,
    ListenAddress,
    OptionalAddress,
    Patterns,
    Switch,
    address_or_off,
)
from proxy.origin_url import OriginUrl

PREFIX: Final = "ORRERY_"
# Kubernetes puts these into every container beside a service that is called "orrery".
_INJECTED: Final = ("ORRERY_SERVICE_", "ORRERY_PORT")
_MAX_CACHE_BYTES: Final = 1 << 30
# libpq would take these from the environment against the address of a rewritten URL.
_MISLEADING: Final = ("PGHOSTADDR", "PGCHANNELBINDING", "PGSSLNEGOTIATION", "PGGSSENCMODE", "PGREQUIREPEER")


def _option(
    metavar: str, description: str, default: object = ..., *, ge: float | None = None, le: float | None = None
) -> Any:
    """One setting; a callable ``default`` is computed at start."""
    extra: dict[str, JsonValue] = {"metavar": metavar}
    if callable(default):
        return Field(default_factory=default, description=description, json_schema_extra=extra, ge=ge, le=le)
    return Field(default=default, description=description, json_schema_extra=extra, ge=ge, le=le)


def _built(freshness: str) -> str:
    if freshness in ("notify", "replication"):
        raise ValueError(f"{freshness} is not available in this version: choose auto, ttl or wire")
    return freshness


def _cache_bytes() -> int:
    return min(limits.memory_limit_bytes() // 4, _MAX_CACHE_BYTES)


def _max_clients() -> int:
    return limits.clients_that_fit(limits.open_files()[1])


_Freshness = Annotated[Literal["auto", "ttl", "wire", "notify", "replication"], AfterValidator(_built)]


class Settings(BaseSettings):
    """All options, validated, as the rooms' own options are filled from them. Times are seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    origin: Annotated[InstanceOf[OriginUrl], NoDecode] = _option(
        "URL", "The database, as libpq reads a postgresql:// URL; else ORRERY_ORIGIN, else DATABASE_URL."
    )
    listen: ListenAddress = _option(
        "HOST:PORT",
        "Where SQL clients connect; port 0 is any free one. run: a free loopback port.",
        Address("127.0.0.1", 6432),
    )
    admin: OptionalAddress = _option(
        "HOST:PORT|off", "Where the HTTP window is. run: off unless asked for.", Address("127.0.0.1", 6433)
    )
    freshness: _Freshness = _option(
        "auto|ttl|wire|notify|replication",
        "auto: the best that holds. wire: you state that every writer comes through the proxy.",
        "auto",
    )
    ttl_floor: float = _option(
        "SECONDS", "The shortest time to live the adaptive TTL gives, at level ttl.", 1.0, ge=0.001, le=86400
    )
    ttl_cap: float = _option(
        "SECONDS", "The longest one: the promise at level ttl.", 60.0, ge=0.001, le=86400
    )
    cache_bytes: Bytes = _option(
        "BYTES",
        "Memory for answers; default a quarter of the container's or machine's, at most 1 GiB.",
        _cache_bytes,
        ge=1 << 20,
        le=1 << 40,
    )
    max_entry_bytes: Bytes = _option(
        "BYTES",
        "The largest answer remembered; a larger one streams through.",
        1 << 20,
        ge=1 << 10,
        le=1 << 30,
    )
    max_message_bytes: Bytes = _option(
        "BYTES", "The largest message taken from a client.", 64 << 20, ge=1 << 16, le=1 << 30
    )
    max_clients: int = _option(
        "N",
        "Clients at one time; default what the limit of open files allows, which is raised at start.",
        _max_clients,
        ge=1,
        le=1_000_000,
    )
    login_seconds: float = _option(
        "SECONDS", "How long a client may take to log in, the origin's answer included.", 15.0, ge=0.1, le=600
    )
    auth_query: str = _option(
        "auto|off|SQL",
        "Where other roles' secrets come from: pg_authid where readable, nowhere, or a query with one"
        " parameter, the user name, that gives name and secret.",
        "auto",
    )
    users: Path | None = _option(
        "FILE",
        "Further users, mode 0600: a name, white space, a password or SCRAM secret on each line.",
        None,
    )
    workers: int = _option(
        "N", "Processes that share the clients, each on a core of its own and with its part of the memory.",
        1, ge=1, le=64,
    )  # fmt: skip
    pool: Literal["transaction", "session"] = _option(
        "transaction|session",
        "When a client has an origin connection: for the length of a transaction, or from login to end.",
        "transaction",
    )
    pool_size: int = _option(
        "N", "Origin connections at one time that clients share (--pool transaction).", 60, ge=1, le=100_000
    )
    pool_wait_seconds: float = _option(
        "SECONDS", "How long a client waits for one of them.", 10.0, ge=0.1, le=3600
    )
    pool_idle_seconds: float = _option(
        "SECONDS", "How long one of them is kept without use.", 60.0, ge=0.1, le=86400
    )
    pool_lifetime_seconds: float = _option(
        "SECONDS", "How long one of them is kept at all, less a random fifth.", 3600.0, ge=1, le=86400
    )
    origin_statements: int = _option("N", "Prepared statements kept on each of them.", 200, ge=1, le=100_000)
    local_ping: Switch = _option(
        "",
        "Answer SELECT 1 and empty queries here while the origin's heartbeat is fresh.",
        default=False,
    )
    catalogue_seconds: float = _option(
        "SECONDS", "How often the origin's catalogue, roles and settings are looked at.", 5.0, ge=0.1, le=3600
    )
    never_cache: Patterns = _option(
        "PATTERN",
        "schema.table whose reads always go to the origin; repeatable (commas in the variable).",
        (),
    )
    cache: Switch = _option("on|off", "off: a plain proxy that remembers nothing.", default=True)
    audit_share: float = _option(
        "SHARE",
        "The share of hits that is asked for again at the origin and compared, 0 to 1; 0: none.",
        0.001,
        ge=0,
        le=1,
    )
    tls_cert: Path | None = _option(
        "FILE", "Serve TLS with this certificate (PEM, with its chain) and offer SCRAM-SHA-256-PLUS.", None
    )
    tls_key: Path | None = _option("FILE", "The key of --tls-cert (PEM, not encrypted).", None)
    drain_seconds: float = _option(
        "SECONDS", "How long running statements may take after SIGTERM.", 10.0, ge=0, le=3600
    )
    log_format: Literal["text", "json"] = _option("text|json", "The form of the log on stderr.", "text")
    admin_token: SecretStr | None = _option(
        "TOKEN",
        "What Authorization: Bearer must carry at the admin address (no option: those are public).",
        None,
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Settings:
        if self.ttl_floor > self.ttl_cap:
            raise ValueError("--ttl-floor is above --ttl-cap")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key need each other")
        return self


def option_names() -> list[str]:
    """The settings that are options too, in the order of the help; the token is a variable only."""
    return [name for name in Settings.model_fields if name != "admin_token"]


def load(options: Mapping[str, object], defaults: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. ``options``: from the command line, by field name, None where not given.

    ``defaults`` replace those of the model where neither an option nor a variable speaks.
    ConfigurationError: one sentence that names the option or variable.
    """
    _refuse_unknown(os.environ)
    given = {name: value for name, value in options.items() if value is not None and value != []}
    values: dict[str, Any] = dict(given)
    for name, value in (defaults or {}).items():
        if name not in values and not os.environ.get(variable(name)):
            values[name] = value
    values["origin"] = origin(given.get("origin"))
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_sentence(error, given)) from None


def origin(given: object = None, source: str = "--origin URL") -> OriginUrl:
    """The origin ``given`` by ``source``, else by ORRERY_ORIGIN, else by DATABASE_URL.

    ConfigurationError: none of them is there, or the first that is cannot be read.
    """
    for name, text in (
        (source.partition(" ")[0], given),
        ("ORRERY_ORIGIN", os.environ.get("ORRERY_ORIGIN")),
        ("DATABASE_URL", os.environ.get("DATABASE_URL")),
    ):
        if text:
            return _parsed(name, str(text))
    raise ConfigurationError(f"no origin: give {source}, or set ORRERY_ORIGIN or DATABASE_URL")


def child_environment(settings: Settings, address: Address) -> dict[str, str]:
    """The environment of ``orrery run``'s command: ours, with DATABASE_URL pointing at the proxy.

    The login is DATABASE_URL's own where it is set (the origin may have been given with another role).
    """
    text = os.environ.get("DATABASE_URL")
    url = _parsed("DATABASE_URL", text) if text else settings.origin
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return kept | {"DATABASE_URL": url.rewritten(address.host, address.port)}


def worker_environment() -> dict[str, str]:
    """The environment of a worker: ours, and it finds modules where we do, whatever folder we are in."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def admin_token() -> str | None:
    """What ``orrery top`` and ``orrery purge`` show at the admin address."""
    return os.environ.get(variable("admin_token")) or None


def admin_address(option: str | None = None) -> Address:
    """Where ``orrery top`` and ``orrery purge`` find the proxy."""
    text = option or os.environ.get(variable("admin"))
    try:
        address = address_or_off(text) if text else Settings.model_fields["admin"].default
    except ValueError as error:
        raise ConfigurationError(f"{'--admin' if option else variable('admin')}: {error}") from None
    if not isinstance(address, Address):
        raise ConfigurationError("the admin address is off: start the proxy with --admin HOST:PORT")
    return address


def variables() -> list[str]:
    """The environment variables of all settings."""
    return [variable(name) for name in Settings.model_fields]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """The command-line option of a setting."""
    return "--" + name.replace("_", "-")


def metavar(name: str) -> str:
    """What stands for a setting's value in usage texts; empty for one that is given by its mere name."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["metavar"]) if isinstance(extra, dict) else ""


def _parsed(source: str, text: str) -> OriginUrl:
    try:
        return OriginUrl.parse(text, os.environ)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: {error}") from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(_INJECTED):
            near = get_close_matches(name, known, 1)
            raise ConfigurationError(
                f"unknown variable {name}" + (f": did you mean {near[0]}?" if near else "")
            )


def _sentence(error: ValidationError, given: Mapping[str, object]) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    reason = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if not first["loc"]:
        return reason
    name = str(first["loc"][0])
    expected = reason if first["type"] == "value_error" else f"expected {reason}"
    return f"{flag(name) if name in given else variable(name)}: {expected}"
