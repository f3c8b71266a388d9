"""Where the origin is and how to log in to it: a connection URL, read as libpq reads it.

Sources: PostgreSQL docs, libpq-connect, "Connection URIs" and "Parameter Key Words"; libpq-envars,
"Environment Variables". No sentence raised here repeats a value: it may be a piece of the password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from proxy import connection_uri
from proxy.errors import ConfigurationError
from proxy.passfile import password_for

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT: Final = 5432
# A suspended serverless origin takes seconds to wake; libpq itself would wait for ever.
DEFAULT_CONNECT_SECONDS: Final = 15.0
_SECONDS: Final = re.compile("-?[0-9]{1,9}")

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_ENVIRONMENT: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "require_auth": "PGREQUIREAUTH",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_CHOICES: Final = {
    "sslmode": SSL_MODES,
    "sslnegotiation": ("postgres", "direct"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "sslaccept": ("strict", "accept_invalid_certs"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
_REFUSED: Final = {
    "service": "give the connection itself",
    "require_auth": "the proxy logs in by SCRAM, by md5, or by a cleartext password inside TLS",
    "replication": "the proxy carries ordinary sessions",
    "requirepeer": "give a host name and sslmode=verify-full",
    "sslcrldir": "give one file by sslcrl",
    "sslidentity": "give sslcert and sslkey",
}
# What describes the way to the origin: it ends at the proxy, so a rewritten URL does not carry it.
_WAY: Final = frozenset(
    {
        *("host", "hostaddr", "port", "user", "password", "dbname", "passfile"),
        *("ssl", "sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"),
        *("sslcompression", "sslsni", "sslcertmode", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("sslaccept", "channel_binding", "gssencmode", "krbsrvname", "gsslib", "gssdelegation"),
    }
)


@dataclass(frozen=True, slots=True)
class OriginUrl:
    """One origin, one user, one database. ``repr`` never shows the password.

    ``host`` is a name, an address, or the directory of a Unix socket. ``connect_seconds`` bounds one attempt.
    ``application`` holds what the URL says to the application's driver (Prisma's ``schema`` and the like).
    """

    host: str
    port: int
    user: str
    database: str
    password: str | None = field(default=None, repr=False)
    scheme: str = "postgresql"
    hostaddr: str | None = None
    sslmode: str = "prefer"
    sslnegotiation: str = "postgres"
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
    sslcrl: str | None = None
    sslpassword: str | None = field(default=None, repr=False)
    ssl_min_protocol_version: str = "TLSv1.2"
    channel_binding: str = "prefer"
    connect_seconds: float = DEFAULT_CONNECT_SECONDS
    application_name: str = ""
    options: str = ""
    target_session_attrs: str = "any"
    application: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str, environ: Mapping[str, str]) -> OriginUrl:
        """Read ``text``; what it leaves open comes from ``environ`` (PG* names) and from the password file.

        ConfigurationError: one sentence that names the wrong part.
        """
        scheme, parameters = connection_uri.read(text)
        _refuse(parameters)
        application = tuple((name, value) for name, value in parameters.items() if name not in _WAY)
        for name, variable in _ENVIRONMENT.items():
            if environ.get(variable):
                parameters.setdefault(name, environ[variable])
        _refuse_combinations(parameters)
        user = parameters.get("user") or _system_user()
        host = _one(parameters.get("host", ""), "host") or parameters.get("hostaddr") or "localhost"
        port = _port(_one(parameters.get("port", ""), "port"))
        database = parameters.get("dbname") or user
        password = parameters.get("password") or password_for(
            _password_file(parameters, environ), host, port, database, user
        )
        return cls(
            host,
            port,
            user,
            database,
            password,
            scheme,
            hostaddr=_one(parameters.get("hostaddr", ""), "hostaddr") or None,
            connect_seconds=_connect_seconds(parameters.get("connect_timeout", "")),
            application=application,
            **_texts(parameters),
            **_tls(parameters, environ),
        )

    @property
    def socket_directory(self) -> str | None:
        """The directory of the Unix socket, or None where the origin is reached over TCP."""
        return self.host if self.host.startswith(("/", "@")) else None

    @property
    def connect_host(self) -> str:
        """What to connect to; ``host`` stays the name that a certificate must carry."""
        return self.hostaddr or self.host

    @property
    def endpoint_options(self) -> str:
        """The words of ``options`` that a provider routes by (Neon's endpoint); every login carries them."""
        return " ".join(word for word in self.options.split() if _routes(word))

    def rewritten(self, host: str, port: int) -> str:
        """Give the URL by which an application reaches the same database through the proxy at this address.

        It names sslmode=disable: PGSSLMODE=require in the application's environment would else break the
        plain hop inside one machine; libpq, asyncpg, psycopg, node-postgres and Prisma all accept it.
        """
        login = quote(self.user, safe="")
        if self.password is not None:
            login += ":" + quote(self.password, safe="")
        kept = [
            (name, _without_endpoint(value) if name == "options" else value)
            for name, value in self.application
        ]
        query = [(name, value) for name, value in kept if value or name != "options"]
        query.append(("sslmode", "disable"))
        rest = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        name = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{login}@{name}:{port}/{quote(self.database, safe='')}?{rest}"

    def __str__(self) -> str:
        """Give user, place and database, for people: no password, no parameters."""
        name = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        return (
            f"{self.scheme}://{quote(self.user, safe='')}@{name}:{self.port}/{quote(self.database, safe='')}"
        )


def _refuse(parameters: dict[str, str]) -> None:
    for name in parameters:
        # A misspelt sslmode would silently weaken the connection; other unknown names are the application's.
        if name.startswith(("ssl", "channel")) and name not in _WAY and name not in _REFUSED:
            raise ConfigurationError(
                "the origin URL has a parameter that begins with ssl or channel and is unknown"
            )
    if parameters.pop("ssl", "").lower() == "true":  # libpq takes it so, for the sake of JDBC's URLs
        parameters.setdefault("sslmode", "require")


def _refuse_combinations(parameters: Mapping[str, str]) -> None:
    for name, instead in _REFUSED.items():
        if parameters.get(name):
            raise ConfigurationError(
                f"{name} (or {_ENVIRONMENT.get(name, 'its variable')}) is not supported: {instead}"
            )
    for name, choices in _CHOICES.items():
        if parameters.get(name) and parameters[name] not in choices:
            raise ConfigurationError(f"{name} of the origin must be one of {', '.join(choices)}")


def _one(value: str, part: str) -> str:
    if "," in value:
        raise ConfigurationError(
            f"the origin URL names more than one {part}: a proxy stands before one origin"
        )
    if "@" in value[1:] or "\0" in value:
        raise ConfigurationError(f"the {part} of the origin URL holds a character that no {part} has")
    return value


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 65535 and len(text) <= 6):
        raise ConfigurationError(
            "the port of the origin URL is not a number from 1 to 65535"
            " (a '/' or ':' in a password must be percent-encoded)"
        )
    return int(text)


def _connect_seconds(text: str) -> float:
    """Whole seconds; zero, a negative number or none: our own bound, for every wait has one."""
    if not text:
        return DEFAULT_CONNECT_SECONDS
    if not _SECONDS.fullmatch(text):
        raise ConfigurationError("connect_timeout of the origin must be a whole number of seconds")
    return float(text) if int(text) > 0 else DEFAULT_CONNECT_SECONDS


def _texts(parameters: Mapping[str, str]) -> dict[str, str]:
    names = ("sslnegotiation", "channel_binding", "application_name", "options", "target_session_attrs")
    return {name: parameters[name] for name in names if parameters.get(name)}


def _tls(parameters: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Read the TLS parameters; next to sslaccept, sslcert means the authority's certificate, as in Prisma."""
    names = (
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslpassword",
        "ssl_min_protocol_version",
    )
    found = {name: parameters[name] for name in names if parameters.get(name)}
    if "sslaccept" in parameters:
        if "sslcert" in found and "sslkey" not in found:
            found.setdefault("sslrootcert", found.pop("sslcert"))
        if parameters["sslaccept"] == "strict":
            found["sslmode"] = "verify-full"
    for name, file in (
        ("sslrootcert", "root.crt"),
        ("sslcert", "postgresql.crt"),
        ("sslkey", "postgresql.key"),
    ):
        default = _home(environ) / ".postgresql" / file
        if name not in found and default.is_file():
            found[name] = str(default)
    if found.get("sslrootcert") == "system" and found.setdefault("sslmode", "verify-full") != "verify-full":
        raise ConfigurationError("sslrootcert=system needs sslmode=verify-full")
    return found


def _password_file(parameters: Mapping[str, str], environ: Mapping[str, str]) -> Path:
    return Path(parameters.get("passfile") or _home(environ) / ".pgpass")


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "/nonexistent")


def _system_user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        raise ConfigurationError("the origin URL names no user") from None


def _routes(word: str) -> bool:
    return word.startswith(("endpoint=", "project="))


def _without_endpoint(options: str) -> str:
    return " ".join(word for word in options.split(" ") if not _routes(word)).strip()
