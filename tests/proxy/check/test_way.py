"""The way to an origin, each obstacle by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import pytest

from proxy.check.way import explore
from proxy.origin_url import OriginUrl
from tests.postgres import Cluster


def parse(text: str) -> OriginUrl:
    return OriginUrl.parse(text, {})


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[int]:
    """Answer the first packet with ``answer``, or, for b"", never."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError):
            await reader.read(8)
            writer.write(answer)
            if not answer:
                await reader.read()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


async def test_a_name_that_does_not_resolve() -> None:
    way = await explore(parse("postgresql://u@nowhere.invalid/d"))
    assert not way.is_open
    assert way.findings[-1].sentence == "the name nowhere.invalid does not resolve"


async def test_a_dead_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    way = await explore(parse(f"postgresql://u@127.0.0.1:{port}/d"))
    assert not way.is_open
    assert "connection refused" in way.findings[-1].sentence


async def test_a_server_without_tls_is_noted_or_refused_by_sslmode() -> None:
    async with server(b"N") as port:
        way = await explore(parse(f"postgresql://u@127.0.0.1:{port}/d"))
        assert (way.is_open, way.context, way.findings[-1].verdict) == (True, None, "note")
        way = await explore(parse(f"postgresql://u@127.0.0.1:{port}/d?sslmode=require"))
        assert (way.is_open, way.findings[-1].name) == (False, "tls")


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async with server(b"") as port:
        way = await explore(parse(f"postgresql://u@127.0.0.1:{port}/d?connect_timeout=1"))
    assert not way.is_open
    assert "did not answer within 1 s" in way.findings[-1].sentence


async def test_sslmode_disable_asks_nothing() -> None:
    async with server(b"") as port:
        way = await explore(parse(f"postgresql://u@127.0.0.1:{port}/d?sslmode=disable"))
    assert (way.is_open, way.context) == (True, None)


async def test_a_socket_directory_is_no_network() -> None:
    assert (await explore(parse("postgresql://u@%2Frun%2Fpostgresql/d"))).is_open


@pytest.mark.tls
async def test_tls_tells_version_and_what_was_verified(tls_cluster: Cluster) -> None:
    authority = str(tls_cluster.authority)
    for query, told in (
        ({"sslmode": "require"}, "not verified"),
        ({"sslmode": "verify-full", "sslrootcert": authority}, "certificate verified for 127.0.0.1"),
        ({"sslmode": "verify-ca", "sslrootcert": authority}, "name not compared"),
    ):
        way = await explore(parse(tls_cluster.url(**query)))
        assert way.is_open
        assert way.findings[-1].sentence.startswith("TLSv1.3, ")
        assert told in way.findings[-1].sentence


@pytest.mark.tls
async def test_a_certificate_of_an_unknown_authority_is_refused(tls_cluster: Cluster) -> None:
    way = await explore(parse(tls_cluster.url(sslmode="verify-full")))
    assert not way.is_open
    assert "does not satisfy sslmode=verify-full" in way.findings[-1].sentence
