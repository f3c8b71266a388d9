"""The whole check, against real servers and against none."""

from __future__ import annotations

import socket

import pytest

from proxy.check.findings import Report
from proxy.check.run import examine
from proxy.origin_url import OriginUrl
from tests.postgres import Cluster, Database


async def report(url: str) -> Report:
    return await examine(OriginUrl.parse(url, {}))


def last(found: Report) -> str:
    return found.findings[-1].sentence


@pytest.mark.postgres
async def test_an_embedded_server_works(database: Database) -> None:
    found = await report(database.url())
    assert found.works
    assert found.freshness is not None
    assert found.freshness.level == "ttl"
    assert "a primary" in found.as_text()


async def test_a_dead_port_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    found = await report(f"postgresql://u:hunter2@127.0.0.1:{port}/d")
    assert not found.works
    assert "connection refused" in last(found)
    assert "hunter2" not in found.as_text() + found.as_json()


@pytest.mark.postgres
async def test_a_wrong_password_and_an_unknown_role_are_told_alike(database: Database) -> None:
    wrong = await report(database.url(password="hunter2"))
    unknown = await report(database.url(user="nobody_here"))
    assert not wrong.works
    assert last(wrong) == "the password of postgres is wrong or missing, or the role does not exist (28P01)"
    assert "28P01" in last(unknown)
    assert "hunter2" not in wrong.as_text()


@pytest.mark.postgres
async def test_an_unknown_database_is_named(cluster: Cluster) -> None:
    assert last(await report(cluster.url("no_such"))) == "the database no_such does not exist (3D000)"


@pytest.mark.postgres
async def test_a_database_without_the_right_to_connect(database: Database) -> None:
    role = f"stranger_{database.name}"
    database.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; REVOKE CONNECT ON DATABASE {database.name} FROM PUBLIC"
    )
    try:
        assert "no right to connect" in last(await report(database.url(role, "pw")))
    finally:
        database.execute(f"DROP ROLE {role}")


@pytest.mark.postgres
async def test_a_server_that_is_not_what_the_url_asks_for(database: Database) -> None:
    found = await report(database.url(target_session_attrs="standby"))
    assert not found.works
    assert last(found) == "the session is not what target_session_attrs=standby asks for"


@pytest.mark.postgres
@pytest.mark.slow
async def test_a_replica_works_and_says_what_would_raise_the_level(cluster: Cluster) -> None:
    with cluster.replica() as replica:
        found = await report(replica.url())
    assert found.works
    assert found.freshness is not None
    assert found.freshness.why == "because this is a replica"


@pytest.mark.tls
async def test_over_tls_it_logs_in_too(tls_cluster: Cluster) -> None:
    url = tls_cluster.url(sslmode="verify-full", sslrootcert=str(tls_cluster.authority))
    assert (await report(url)).works


async def test_something_else_than_postgresql_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=1&sslmode=disable"
        found = await report(url)
    assert not found.works
    assert "did not answer in time" in last(found)
