"""What a real origin answers."""

from __future__ import annotations

import pytest

from proxy.check.questions import Facts, ask, log_in
from proxy.origin_url import OriginUrl
from tests.postgres import Database

pytestmark = pytest.mark.postgres


async def facts(url: str) -> Facts:
    connection = await log_in(OriginUrl.parse(url, {}), None)
    try:
        return await ask(connection)
    finally:
        await connection.close()


async def test_a_superuser_sees_everything(database: Database) -> None:
    found = await facts(database.url())
    assert found.version_number // 10000 in range(15, 20)
    assert (found.in_recovery, found.superuser, found.reads_secrets, found.sees_backends) == (
        False,
        True,
        True,
        True,
    )
    assert found.pids == {found.login_pid}
    assert found.subscriptions == 0
    assert "plpgsql" in found.extensions
    assert (found.foreign_servers, found.is_pgpool) == (0, False)
    assert found.round_trip_ms > 0


async def test_an_ordinary_role_sees_less(database: Database) -> None:
    role = f"plain_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
    try:
        found = await facts(database.url(role, "pw"))
    finally:
        database.execute(f"DROP ROLE {role}")
    assert (found.user_name, found.reads_secrets, found.sees_backends) == (role, False, False)


async def test_other_clients_of_the_database_are_seen(database: Database) -> None:
    other = await log_in(OriginUrl.parse(database.url(), {}), None)
    try:
        assert (await facts(database.url())).others == ("orrery check of postgres",)
    finally:
        await other.close()
