"""The window on a real socket."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest

from proxy.admin.server import AdminServer
from proxy.errors import ConfigurationError
from proxy.option_types import Address
from tests.proxy.admin.house import MadeUpHouse


async def test_it_answers_on_the_port_it_got_and_stops_when_told() -> None:
    handlers = signal.getsignal(signal.SIGTERM)
    server = AdminServer(MadeUpHouse(), Address("127.0.0.1", 0), None)
    address = server.bind()
    task = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{address}/stats")
        assert answer.status_code == 200
        assert "server" not in answer.headers
    assert signal.getsignal(signal.SIGTERM) is handlers
    server.stop()
    await asyncio.wait_for(task, 10)


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(
            ConfigurationError, match=f"^--admin {address} cannot be opened: Address already in use$"
        ):
            AdminServer(MadeUpHouse(), address, None).bind()
