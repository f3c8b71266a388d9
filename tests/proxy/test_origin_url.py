"""The origin's URL: what it means, what it refuses, and what a child process is given instead."""

from __future__ import annotations

from pathlib import Path

import psycopg.conninfo
import pytest

from proxy import connection_uri
from proxy.errors import ConfigurationError
from proxy.origin_url import OriginUrl

NEON = (
    "postgresql://ann:pa%3Ass@ep-cool-1.eu-central-1.aws.neon.tech/shop"
    "?sslmode=require&channel_binding=require&options=endpoint%3Dep-cool-1"
)


def parse(text: str, **environ: str) -> OriginUrl:
    return OriginUrl.parse(text, environ)


def test_a_neon_url_is_understood() -> None:
    url = parse(NEON)
    assert (url.user, url.password, url.database) == ("ann", "pa:ss", "shop")
    assert (url.host, url.port) == ("ep-cool-1.eu-central-1.aws.neon.tech", 5432)
    assert (url.sslmode, url.channel_binding) == ("require", "require")
    assert url.endpoint_options == "endpoint=ep-cool-1"


def test_the_environment_fills_what_the_url_leaves_open() -> None:
    url = parse("postgresql://", PGHOST="h", PGPORT="6000", PGUSER="u", PGPASSWORD="pw", PGSSLMODE="require")
    assert (url.host, url.port, url.user, url.password, url.database) == ("h", 6000, "u", "pw", "u")
    assert url.sslmode == "require"
    assert parse("postgresql://v@i:1/d", PGHOST="h", PGPORT="6000", PGUSER="u").host == "i"


def test_without_a_word_it_is_localhost_and_the_usual_port() -> None:
    url = parse("postgresql://u@")
    assert (url.host, url.port, url.database, url.sslmode) == ("localhost", 5432, "u", "prefer")


def test_a_socket_directory_and_an_address_beside_the_name() -> None:
    assert parse("postgresql://u@%2Frun%2Fpostgresql/d").socket_directory == "/run/postgresql"
    url = parse("postgresql://u@db.example/d?hostaddr=10.0.0.7")
    assert (url.host, url.connect_host, url.socket_directory) == ("db.example", "10.0.0.7", None)


def test_the_password_file_is_asked_last(tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    file.write_text("h:5432:d:u:from-file\n")
    file.chmod(0o600)
    assert parse("postgresql://u@h/d", HOME=str(tmp_path)).password == "from-file"
    assert parse("postgresql://u:own@h/d", HOME=str(tmp_path)).password == "own"
    assert parse("postgresql://u@h/d", PGPASSFILE=str(file)).password == "from-file"


def test_certificates_of_the_home_directory_are_found_as_libpq_finds_them(tmp_path: Path) -> None:
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert parse("postgresql://u@h/d", HOME=str(tmp_path)).sslrootcert == f"{tmp_path}/.postgresql/root.crt"
    assert parse("postgresql://u@h/d?sslrootcert=/x", HOME=str(tmp_path)).sslrootcert == "/x"


def test_ssl_true_means_require() -> None:
    assert parse("postgresql://u@h/d?ssl=true").sslmode == "require"
    assert parse("postgresql://u@h/d?ssl=true&sslmode=verify-full").sslmode == "verify-full"


def test_the_system_store_means_verify_full() -> None:
    assert parse("postgresql://u@h/d?sslrootcert=system").sslmode == "verify-full"
    with pytest.raises(ConfigurationError, match="verify-full"):
        parse("postgresql://u@h/d?sslrootcert=system&sslmode=require")


def test_prismas_strict_verification_is_not_loosened() -> None:
    url = parse("postgresql://u@h/d?sslmode=require&sslaccept=strict&sslcert=/ca.pem")
    assert (url.sslmode, url.sslrootcert, url.sslcert) == ("verify-full", "/ca.pem", None)


def test_no_repr_and_no_str_shows_the_password() -> None:
    url = parse("postgresql://ann:hunter2@h/d?sslpassword=hunter2&schema=s")
    assert "hunter2" not in repr(url) + str(url)
    assert str(url) == "postgresql://ann@h:5432/d"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("h1,h2/d", "more than one host"),
        ("h:1,2/d", "more than one"),
        ("h:http/d", "port"),
        ("h:0/d", "port"),
        ("h:65536/d", "port"),
        ("h:\u0661/d", "port"),
        ("h/d?sslmode=maybe", "sslmode"),
        ("h/d?sslmod=require", "begins with ssl"),
        ("h/d?channel_bindng=require", "begins with ssl or channel"),
        ("h/d?channel_binding=yes", "channel_binding"),
        ("h/d?service=prod", "service"),
        ("h/d?gssencmode=require", "gssencmode"),
        ("h/d?require_auth=none", "require_auth"),
        ("h/d?connect_timeout=soon", "connect_timeout"),
        ("h/d?connect_timeout=1-", "connect_timeout"),
        (f"h/d?connect_timeout={'9' * 5000}", "connect_timeout"),
        ("h/d?replication=database", "replication"),
    ],
)
def test_a_wrong_part_is_named_and_the_password_is_not(parameters: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as raised:
        parse(f"postgresql://u:hunter2@{parameters}")
    assert "hunter2" not in str(raised.value)


def test_a_slash_in_the_password_does_not_print_it() -> None:
    with pytest.raises(ConfigurationError, match="percent-encoded") as raised:
        parse("postgresql://u:hunter/2@h/d")
    assert "hunter" not in str(raised.value)


def test_connect_timeout_is_bounded_even_when_the_url_waits_for_ever() -> None:
    assert parse("postgresql://u@h/d?connect_timeout=3").connect_seconds == 3.0
    assert parse("postgresql://u@h/d?connect_timeout=0").connect_seconds == 15.0


def test_a_rewritten_url_keeps_the_login_and_drops_the_way_to_the_origin() -> None:
    url = parse(NEON + "&schema=app&connection_limit=3&application_name=planets&sslrootcert=/x")
    assert url.rewritten("127.0.0.1", 6432) == (
        "postgresql://ann:pa%3Ass@127.0.0.1:6432/shop"
        "?schema=app&connection_limit=3&application_name=planets&sslmode=disable"
    )


def test_options_beside_the_endpoint_stay_the_applications() -> None:
    url = parse("postgres://u:p@h/d?options=endpoint%3Dep%20-c%20TimeZone%3DUTC")
    parameters = connection_uri.read(url.rewritten("::1", 1))[1]
    assert parameters["options"] == "-c TimeZone=UTC"
    assert parameters["host"] == "::1"


def test_drivers_read_a_rewritten_url_as_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    text = parse("postgresql://u%40x:p%2F%3A%25@h/my%20db?sslmode=verify-full&sslrootcert=/x").rewritten(
        "127.0.0.1", 77
    )
    libpq = psycopg.conninfo.conninfo_to_dict(text)
    assert libpq == {
        "user": "u@x",
        "password": "p/:%",
        "dbname": "my db",
        "host": "127.0.0.1",
        "port": "77",
        "sslmode": "disable",
    }
    again = parse(text)
    assert (again.user, again.password, again.database, again.sslmode) == ("u@x", "p/:%", "my db", "disable")
