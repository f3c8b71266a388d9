"""The application: its guard stands before every path."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from proxy.admin.app import create_app
from proxy.admin.auth import Guard
from tests.proxy.admin.house import MadeUpHouse


@pytest.fixture
async def locked() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(MadeUpHouse(), Guard("0.0.0.0", is_loopback=False, token="hunter2"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cache:6433") as client:
        yield client


async def test_without_the_token_every_path_is_closed(locked: httpx.AsyncClient) -> None:
    for path in ("/stats", "/queries", "/metrics", "/purge", "/nowhere", "/docs", "/openapi.json"):
        answer = await locked.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "hunter2" not in answer.text


async def test_the_token_opens(locked: httpx.AsyncClient) -> None:
    answer = await locked.get("/stats", headers={"Authorization": "Bearer hunter2"})
    assert answer.status_code == 200


async def test_there_are_no_documentation_pages(locked: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await locked.get(path, headers={"Authorization": "Bearer hunter2"})).status_code == 404


@pytest.mark.parametrize("body", ['{"table": "\\ud800"}', '{"table": NaN}', '{"x": 1e999}', "{"])
async def test_a_body_that_cannot_be_said_again_is_refused_without_it(
    locked: httpx.AsyncClient, body: str
) -> None:
    headers = {"Authorization": "Bearer hunter2", "Content-Type": "application/json"}
    answer = await locked.post("/purge", content=body, headers=headers)
    assert answer.status_code == 422
    assert all(set(fault) == {"loc", "msg"} for fault in answer.json()["detail"])
