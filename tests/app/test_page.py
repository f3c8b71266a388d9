"""The page at ``/``."""

from __future__ import annotations

import httpx
import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_the_page_says_what_this_is_and_loads_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    response = await api.get("/")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "GET /planets" in response.text
    assert "http://" not in response.text
    assert "https://" not in response.text
