"""What drivers, poolers and migration tools say between their work leaves the memory as it was."""

# ruff: noqa: E501 - texts stand as they are sent
from __future__ import annotations

from typing import Final

import pytest

from tests.integration.place import NAMES, PLANETS, Place, ask, last, remember

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("5.5")]

# Source: each one's own code, and the logs of servers that they were used with.
SAID: Final = {
    "asyncpg, at release": "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
    "pgbouncer": "DISCARD ALL",
    "Npgsql": """SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *;
                 SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP""",
    "JDBC": "SET extra_float_digits = 3; SET application_name = 'jdbc'; SHOW TRANSACTION ISOLATION LEVEL",
    "Rails": "SET client_min_messages TO 'warning'; SET standard_conforming_strings = on; SHOW max_identifier_length",
    "Rails, migrating": "SELECT pg_try_advisory_lock(4711); SELECT pg_advisory_unlock(4711)",
    "Django": "SELECT set_config('TimeZone', 'UTC', false); SELECT setval(pg_get_serial_sequence('moons', 'id'), 5)",
    "Django, atomic": "BEGIN; SAVEPOINT s1_x1; RELEASE SAVEPOINT s1_x1; SAVEPOINT s1_x2; ROLLBACK TO SAVEPOINT s1_x2; COMMIT",
    "Django, constraints": "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; COMMIT",
    "Django, iterator()": "DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT name FROM planets; FETCH 2 FROM c; CLOSE c",
    "SQLAlchemy": "BEGIN; SELECT pg_catalog.version(); SHOW standard_conforming_strings; ROLLBACK",
    "Prisma migrate": "SELECT pg_advisory_lock(72707369); SELECT pg_advisory_unlock(72707369)",
    "pgx": "DEALLOCATE ALL; -- ping",
    "Hibernate": "SELECT nextval('moons_id_seq')",
    "a health check": "SELECT pg_is_in_recovery(), pg_current_wal_lsn(), txid_current()",
    "monitoring": "SELECT * FROM pg_stat_activity; SELECT * FROM pg_locks; SELECT * FROM pg_stat_user_tables",
    "psql's \\d": "SELECT c.relname, pg_get_userbyid(c.relowner), pg_table_is_visible(c.oid) FROM pg_class c",
    "pg_dump": "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; LOCK TABLE planets IN ACCESS SHARE MODE; COMMIT",
    "upkeep": "ANALYZE planets",
    "upkeep of all": "ANALYZE",
    "vacuum": "VACUUM planets",
    "a new index": "CREATE INDEX ON planets (name)",
    "an index rebuilt": "REINDEX TABLE planets",
    "a comment": "COMMENT ON TABLE planets IS 'x'",
    "a channel": "LISTEN a; NOTIFY a, 'x'; SELECT pg_notify('a', 'y'); UNLISTEN a",
    "a plan": "EXPLAIN UPDATE planets SET name = 'X'",
    "a write that was undone": "BEGIN; UPDATE planets SET name = 'X'; SELECT 1; ROLLBACK",
}  # fmt: skip


def test_it_empties_nothing(place: Place) -> None:
    place.direct(f"{PLANETS}; CREATE TABLE moons (id serial)")
    with place.connect() as reader:
        remember(reader)
        for who, said in SAID.items():
            with place.connect() as speaker:
                for text in said.split(";"):
                    ask(speaker, text)
            ask(reader, NAMES)
            assert last(reader) == ("hit", None), who
