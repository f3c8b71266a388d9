"""The terminal's end of the window."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.admin.client import AdminWindow, WindowClosed
from proxy.admin.server import AdminServer
from proxy.option_types import Address
from tests.proxy.admin.house import MadeUpHouse


@pytest.fixture
def house() -> MadeUpHouse:
    return MadeUpHouse()


@pytest.fixture
async def address(house: MadeUpHouse) -> AsyncIterator[Address]:
    server = AdminServer(house, Address("127.0.0.1", 0), "hunter2")
    bound = server.bind()
    task = asyncio.create_task(server.serve())
    yield bound
    server.stop()
    await asyncio.wait_for(task, 10)


async def test_it_reads_and_purges(address: Address, house: MadeUpHouse) -> None:
    window = AdminWindow(address, "hunter2")
    assert (await asyncio.to_thread(window.stats))["outcomes"]["hit"] == 3
    assert (await asyncio.to_thread(window.queries))[0]["role"] == "ann"
    assert await asyncio.to_thread(window.purge, "public.planet") == 7
    assert house.purges == ["public.planet"]


async def test_a_refusal_says_what_to_do(address: Address) -> None:
    with pytest.raises(WindowClosed, match="ORRERY_ADMIN_TOKEN"):
        await asyncio.to_thread(AdminWindow(address, "wrong").stats)
    with pytest.raises(WindowClosed, match="404: no such table"):
        await asyncio.to_thread(AdminWindow(address, "hunter2").purge, "nowhere")


def test_a_closed_window_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = Address("127.0.0.1", unused.getsockname()[1])
    with pytest.raises(WindowClosed, match=f"no admin address at {address}") as raised:
        AdminWindow(address, "hunter2").stats()
    assert "hunter2" not in str(raised.value)
