"""What goes wrong is told with Prisma's own codes and classes, and in one sentence."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.postgres import PASSWORD, Cluster

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

_BRIEFLY = timedelta(seconds=1)


async def test_each_violated_rule_has_its_class(client: Any, rich: Any) -> None:
    errors = rich.errors
    user = await client.user.create({"email": "a@example.org", "posts": {"create": [{"title": "t"}]}})
    with pytest.raises(errors.UniqueViolationError, match="email"):
        await client.user.create({"email": "a@example.org"})
    with pytest.raises(errors.ForeignKeyViolationError):
        await client.user.delete(where={"id": user.id})
    with pytest.raises(errors.RecordNotFoundError):
        await client.post.create({"title": "t", "author": {"connect": {"id": "nobody"}}})
    with pytest.raises(errors.MissingRequiredValueError):
        await client.post.create({})
    with pytest.raises(errors.FieldNotFoundError):
        await client.post.find_first(where={"nothing": 1})
    with pytest.raises(errors.RawQueryError, match='relation "nowhere"'):
        await client.query_raw("SELECT * FROM nowhere")


async def test_an_error_leaves_the_client_usable(client: Any, rich: Any) -> None:
    with pytest.raises(rich.errors.RawQueryError):
        await client.query_raw("SELECT 1/0")
    assert await client.query_raw("SELECT 1 AS one") == [{"one": 1}]


async def _reason(rich: Any, url: str) -> str:
    """Why ``connect`` failed, as its exception says at the end of its chain."""
    client = rich.Prisma(datasource={"url": url})
    with pytest.raises(rich.engine.errors.EngineConnectionError) as caught:
        await client.connect(timeout=_BRIEFLY)
    assert isinstance(caught.value.__cause__, rich.errors.DataError)
    return f"{caught.value.__cause__.code} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a:secret@127.0.0.1:1/db", "P1001 Can't reach database server at `127.0.0.1:1`."),
        (
            "postgresql://a:secret@h/db?sslmode=full",
            "P1013 The provided database string is invalid: `sslmode`",
        ),
        (
            "postgresql://a:secret@h/db?connection_limit=x",
            "P1013 The provided database string is invalid: `conn",
        ),
        ("secret", "P1013 The provided database string is invalid: it is no URL."),
        ("mysql://a:secret@h/db", "P1013 The provided database string is invalid: it must start with"),
    ],
)
async def test_a_url_that_leads_nowhere_is_told_in_a_sentence(rich: Any, url: str, expected: str) -> None:
    reason = await _reason(rich, url)
    assert reason.startswith(expected)
    assert "secret" not in reason


async def test_a_refused_login_is_told_in_a_sentence(rich: Any, cluster: Cluster) -> None:
    assert (await _reason(rich, cluster.url(password="secret"))).startswith("P1000 Authentication failed")
    assert (await _reason(rich, cluster.url(password=""))).startswith("P1000 Authentication failed")
    assert (await _reason(rich, cluster.url("nowhere"))).startswith("P1003 Database `nowhere` does not exist")
    assert (await _reason(rich, cluster.url(sslmode="require"))).startswith("P1011 Error opening a TLS")


async def test_a_server_that_returns_is_used_again(rich: Any, rich_database: Any) -> None:
    # a server of its own: others use the shared one meanwhile
    with Cluster() as server:
        client = rich.Prisma(datasource={"url": server.url()})
        await client.connect()
        assert await client.query_raw("SELECT 1 AS one") == [{"one": 1}]
        server.stop()
        for _ in range(20):
            with pytest.raises(rich.errors.DataError) as caught:
                await client.query_raw("SELECT 1 AS one")
        assert caught.value.code == "P1001"
        server.start()
        assert await client.query_raw("SELECT 1 AS one") == [{"one": 1}]
        await client.disconnect()


async def test_a_session_that_the_server_ends_in_a_transaction_is_an_error_for_it_alone(
    client: Any, rich: Any, cluster: Cluster
) -> None:
    async def lose_the_session() -> None:
        async with client.tx() as transaction:
            [row] = await transaction.query_raw("SELECT pg_backend_pid() AS pid")
            cluster.execute(f"SELECT pg_terminate_backend({row['pid']}, 5000)")
            await transaction.category.create({"name": "a"})

    with pytest.raises(rich.errors.PrismaError):
        await lose_the_session()
    assert await client.category.count() == 0


async def test_the_password_is_in_no_error(client: Any, rich: Any) -> None:
    with pytest.raises(rich.errors.RawQueryError) as caught:
        await client.query_raw("SELECT wrong")
    assert PASSWORD not in json.dumps(caught.value.data)
