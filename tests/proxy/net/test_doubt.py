"""net.doubt: when is the backend gone that may still commit?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from proxy.net import doubt

if TYPE_CHECKING:
    from tests.postgres import Database

pytestmark = pytest.mark.postgres


async def test_a_backend_is_there_as_long_as_its_process_id_may_be_its_own(database: Database) -> None:
    connection = await asyncpg.connect(database.url())
    pid = connection.get_server_pid()
    start = await connection.fetchval(
        f"SELECT {doubt._STARTED} FROM pg_catalog.pg_stat_activity WHERE pid = $1", pid
    )
    for told, is_gone in ((start, False), ("1", True), ("", False)):
        assert await connection.fetchval(doubt._GONE, pid, told) is is_gone
    assert await connection.fetchval(doubt._GONE, 0, "") is True
    await connection.close()
