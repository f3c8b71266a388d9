"""Probes."""

from __future__ import annotations

import httpx
import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_a_probe_of_a_whole_application_is_ok(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
