"""The synchronous interface over the same engine."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres]


def test_the_synchronous_interface_works_the_same_way(rich_sync: Any, empty_database: Any) -> None:
    client = rich_sync.Prisma(datasource={"url": empty_database.url()})
    client.connect()
    try:
        with client.tx() as transaction:
            made = transaction.category.create({"name": "made synchronously"})
        assert client.category.find_unique(where={"id": made.id}) == made
    finally:
        client.disconnect()
