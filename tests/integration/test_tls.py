"""TLS on both sides, with channel binding where both ends can."""

from __future__ import annotations

import signal
import ssl
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from tests.integration.place import PLANETS, Place, ask, last, remember
from tests.integration.proxy import Proxy, until
from tests.postgres import Database
from tools.certificates import Certificate, issue

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of the proxy's own."""
    return issue(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def tls_proxy(cluster: Cluster, certificate: Certificate) -> Generator[Proxy]:
    """A proxy that serves TLS, before an origin without."""
    options = ("--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key))
    with Proxy(cluster.url(), "--freshness", "wire", "--catalogue-seconds", "3600", *options) as proxy:
        yield proxy


@pytest.fixture
def tls_place(tls_proxy: Proxy, database: Database) -> Place:
    """The test's database behind TLS."""
    database.execute(PLANETS)
    return Place(tls_proxy, database)


def test_a_client_verifies_the_proxy_and_binds_the_channel(
    tls_place: Place, certificate: Certificate
) -> None:
    tls = {"sslmode": "verify-full", "sslrootcert": str(certificate.authority)}
    with tls_place.connect(**tls, channel_binding="require") as connection:
        assert connection.info.host == "127.0.0.1"
        assert connection.pgconn.ssl_in_use
        remember(connection)


def test_clients_without_tls_are_served_as_well(tls_place: Place) -> None:
    with tls_place.connect(sslmode="disable") as connection:
        remember(connection)


def test_a_wrong_password_over_tls_is_a_wrong_password(tls_place: Place) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        tls_place.connect(password="wrong", sslmode="require", channel_binding="require")


async def test_asyncpg_over_tls(tls_place: Place, certificate: Certificate) -> None:
    context = ssl.create_default_context(cafile=str(certificate.authority))
    connection = await asyncpg.connect(tls_place.url(), ssl=context)
    assert len(await connection.fetch("SELECT * FROM planets")) == 3
    await connection.close()


def test_a_large_answer_over_tls_arrives_whole(tls_place: Place) -> None:
    with tls_place.connect(sslmode="require") as connection:
        rows = ask(connection, "SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        assert len(rows) == 20_000
        assert {len(str(row[0])) for row in rows} == {1000}


def test_a_cancel_comes_over_tls_too(tls_place: Place) -> None:
    with tls_place.connect(sslmode="require", options="-c statement_timeout=20s") as connection:
        ask(connection, "SELECT 1")
        connection.cancel_safe()
        assert ask(connection, "SELECT 1") == [(1,)]


def test_a_certificate_is_read_again_at_sighup(cluster: Cluster, tmp_path: Path) -> None:
    mine = issue(tmp_path)
    options = ("--tls-cert", str(mine.chain), "--tls-key", str(mine.key))
    with Proxy(cluster.url(), *options) as proxy:
        place = Place(proxy, Database(cluster, "postgres"))
        tls = {"sslmode": "verify-full", "sslrootcert": str(mine.authority), "channel_binding": "require"}
        place.connect(**tls).close()
        old = mine.authority.read_bytes()
        issue(tmp_path)
        assert mine.authority.read_bytes() != old
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            place.connect(**tls)
        proxy.signal(signal.SIGHUP)
        until(lambda: "event=reloaded" in proxy.log(), "the certificate is read again")
        place.connect(**tls).close()


@pytest.mark.tls
@pytest.mark.parametrize("mode", ["verify-full", "require", "prefer"])
def test_the_origin_is_reached_by_tls(tls_cluster: Cluster, mode: str) -> None:
    tls = {"sslmode": mode, **({"sslrootcert": str(tls_cluster.authority)} if mode == "verify-full" else {})}
    tls_cluster.execute("DROP TABLE IF EXISTS planets")
    tls_cluster.execute(PLANETS)
    with Proxy(tls_cluster.url(**tls), "--freshness", "wire", "--catalogue-seconds", "3600") as proxy:
        place = Place(proxy, Database(tls_cluster, "postgres"))
        with place.connect(sslmode="disable") as connection:
            assert ask(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [(True,)]
            remember(connection)


@pytest.mark.tls
def test_the_channel_to_the_origin_is_bound(tls_cluster: Cluster) -> None:
    url = tls_cluster.url(
        sslmode="verify-full", sslrootcert=str(tls_cluster.authority), channel_binding="require"
    )
    with Proxy(url) as proxy, Place(proxy, Database(tls_cluster, "postgres")).connect() as connection:
        ask(connection, "SELECT 1")
        assert last(connection)[0] == "bypass"


@pytest.mark.tls
def test_a_wrong_authority_is_an_origin_that_cannot_be_reached(
    tls_cluster: Cluster, certificate: Certificate
) -> None:
    url = tls_cluster.url(sslmode="verify-full", sslrootcert=str(certificate.authority))
    with (
        Proxy(url) as proxy,
        pytest.raises(psycopg.OperationalError, match=r"cannot be reached|TLS|could not be asked"),
    ):
        Place(proxy, Database(tls_cluster, "postgres")).connect()
