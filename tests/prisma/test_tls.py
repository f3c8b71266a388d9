"""TLS parameters of the URL, against a server with a certificate for localhost and 127.0.0.1."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.prisma.commands import prisma, succeed

pytestmark = [
    pytest.mark.prisma,
    pytest.mark.postgres,
    pytest.mark.tls,
    pytest.mark.asyncio(loop_scope="session"),
]

_USES_TLS = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


async def _uses_tls(rich: Any, url: str) -> bool:
    client = rich.Prisma(datasource={"url": url})
    await client.connect(timeout=timedelta(seconds=3))
    try:
        return bool((await client.query_first(_USES_TLS))["ssl"])
    finally:
        await client.disconnect()


async def _refusal(rich: Any, url: str) -> str:
    client = rich.Prisma(datasource={"url": url})
    with pytest.raises(rich.engine.errors.EngineConnectionError) as caught:
        await client.connect(timeout=timedelta(seconds=1))
    return str(caught.value.__cause__)


async def test_the_mode_decides_whether_tls_is_used(rich: Any, tls_cluster: Cluster) -> None:
    assert await _uses_tls(rich, tls_cluster.url())
    assert await _uses_tls(rich, tls_cluster.url(sslmode="require"))
    assert not await _uses_tls(rich, tls_cluster.url(sslmode="disable"))


async def test_a_verified_server_must_be_signed_by_the_authority(rich: Any, tls_cluster: Cluster) -> None:
    authority = str(tls_cluster.authority)
    assert await _uses_tls(rich, tls_cluster.url(sslmode="verify-full", sslrootcert=authority))
    assert await _uses_tls(rich, tls_cluster.url(sslmode="verify-ca", sslrootcert=authority))
    assert await _uses_tls(rich, tls_cluster.url(sslmode="require", sslaccept="strict", sslcert=authority))
    for parameters in ({"sslmode": "verify-full"}, {"sslmode": "require", "sslaccept": "strict"}):
        assert "Error opening a TLS connection" in await _refusal(rich, tls_cluster.url(**parameters))
    missing = tls_cluster.url(sslmode="verify-full", sslrootcert="/nowhere.crt")
    assert "`sslrootcert` names cannot be read" in await _refusal(rich, missing)


async def test_channel_binding_is_used_and_can_be_demanded(
    rich: Any, tls_cluster: Cluster, cluster: Cluster
) -> None:
    assert await _uses_tls(rich, tls_cluster.url(sslmode="require", channel_binding="require"))
    assert await _uses_tls(rich, tls_cluster.url(sslmode="require", channel_binding="disable"))
    assert "`channel_binding=require`" in await _refusal(rich, cluster.url(channel_binding="require"))


async def test_the_command_line_honours_the_same_parameters(tls_cluster: Cluster) -> None:
    authority = str(tls_cluster.authority)
    url = tls_cluster.url("made_over_tls", sslmode="verify-full", sslrootcert=authority)
    succeed("migrate", "deploy", url=url)
    assert (
        "P1011"
        in prisma("migrate", "status", url=tls_cluster.url("made_over_tls", sslmode="verify-full")).stdout
    )
