"""Commands that are no queries, by what they reach."""

from __future__ import annotations

import pytest

from proxy.sql.analysis import Control, Doubt, Lock, Named, Transaction
from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    ("reach", "text"),
    [
        *(
            ("nothing", text)
            for text in (
                "CHECKPOINT",
                "COMMENT ON TABLE planets IS 'x'",
                "LISTEN a",
                "UNLISTEN *",
                "NOTIFY a, 'b'",
                "SHOW search_path",
                "SET CONSTRAINTS ALL IMMEDIATE",
                "CLOSE ALL",
                "DEALLOCATE ALL",
                "VACUUM",
                "VACUUM ANALYZE planets",
                "ANALYZE",
                "REINDEX TABLE planets",
                "CREATE INDEX ON planets (name, id)",
                "CREATE TEMP TABLE x (id int)",
                "CREATE TEMP TABLE x AS SELECT * FROM moons",
                "SELECT * INTO TEMP x FROM moons",
                "ROLLBACK PREPARED 'x'",
                "LOCK TABLE planets",
                "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
                "DISCARD ALL",
            )
        ),
        *(
            ("ddl", text)
            for text in (
                "CREATE TABLE x (id int)",
                "CREATE TABLE x AS SELECT * FROM moons",
                "SELECT * INTO x FROM moons",
                "ALTER TABLE planets ADD COLUMN z int DEFAULT 3",
                "DROP TABLE planets",
                "CREATE VIEW x AS SELECT 1",
                "GRANT SELECT ON planets TO PUBLIC",
                "ALTER TABLE planets RENAME TO stars",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'",
                "VACUUM FULL planets",
                "ALTER TYPE mood ADD VALUE 'wild'",
                "CREATE POLICY p ON planets USING (true)",
                "TRUNCATE nothing_known; DROP TABLE x",
            )
            if not text.startswith("TRUNCATE")
        ),
        *(
            ("unknown", text)
            for text in (
                "DO $$ begin end $$",
                "CALL f()",
                "COMMIT PREPARED 'x'",
                "CREATE EXTENSION citext",
                "REFRESH MATERIALIZED VIEW mv",
                "ALTER TABLE planets ADD COLUMN z int DEFAULT writer()",
                "ALTER TABLE planets ALTER id TYPE int USING tick(id)",
                "ALTER TABLE vault ADD COLUMN z guarded",
                "CREATE TABLE x AS SELECT writer()",
                "CREATE INDEX ON planets (tick(id))",
                "CREATE TABLE e2 PARTITION OF events FOR VALUES FROM (writer()) TO (3)",
            )
        ),
        *(
            ("origin", text)
            for text in (
                "CREATE ROLE x",
                "ALTER ROLE x SET search_path = y",
                "GRANT a TO b",
                "DROP DATABASE x",
                "ALTER DATABASE x RENAME TO y",
                "ALTER ROLE x RENAME TO y",
                "GRANT CONNECT ON DATABASE x TO y",
                "ALTER SYSTEM SET work_mem = 1",
                "DROP OWNED BY x",
            )
        ),
        *(
            ("unknown", text)
            for text in (
                "LOAD 'x'",
                "EXECUTE x",
                "FETCH 1 FROM c",
                "PREPARE TRANSACTION 'x'",
            )
        ),
    ],
)
def test_a_command_reaches_as_far_as_it_can_and_no_further(sky: Observatory, reach: str, text: str) -> None:
    assert sky.reach(text) == reach


@pytest.mark.parametrize("text", ["DO $$ begin end $$", "CALL f()", "VACUUM", "DROP DATABASE x"])
def test_what_commits_by_itself_says_so(sky: Observatory, text: str) -> None:
    assert sky.statement(text).commits_itself


@pytest.mark.parametrize(
    "text", ["CALL f()", "SELECT writer()", "EXECUTE x", "CREATE EXTENSION x", "LOAD 'x'"]
)
def test_what_is_not_proven_puts_the_session_in_doubt(sky: Observatory, text: str) -> None:
    assert Doubt() in sky.statement(text).state


@pytest.mark.parametrize(
    ("text", "transaction"),
    [
        ("BEGIN", Transaction(Control.BEGIN)),
        ("START TRANSACTION ISOLATION LEVEL REPEATABLE READ", Transaction(Control.BEGIN, "repeatable read")),
        ("END", Transaction(Control.COMMIT)),
        ("COMMIT AND CHAIN", Transaction(Control.COMMIT, chain=True)),
        ("ABORT", Transaction(Control.ROLLBACK)),
        ("SAVEPOINT a", Transaction(Control.SAVEPOINT, savepoint="a")),
        ("ROLLBACK TO a", Transaction(Control.ROLLBACK_TO, savepoint="a")),
        ("RELEASE a", Transaction(Control.RELEASE, savepoint="a")),
        ("PREPARE TRANSACTION 'x'", Transaction(Control.PREPARE_TRANSACTION)),
    ],
)
def test_transaction_commands_are_told_apart(sky: Observatory, text: str, transaction: Transaction) -> None:
    assert sky.statement(text).transaction == transaction


def test_names_of_cursors_and_prepared_statements_are_told(sky: Observatory) -> None:
    assert sky.statement("CLOSE c").named == Named("close", "c")
    assert sky.statement("CLOSE ALL").named == Named("close", "")
    assert sky.statement("DEALLOCATE PREPARE p").named == Named("deallocate", "p")
    assert sky.statement("FETCH ALL IN c").named == Named("fetch", "c")
    assert sky.statement("MOVE c").verb == "move"


@pytest.mark.soundness("2.2")
@pytest.mark.parametrize(
    "text",
    [
        "CREATE TEMP TABLE x (id int)",
        "CREATE TABLE pg_temp.x (id int)",
        "CREATE TABLE pg_temp_3.x (id int)",
        "CREATE TABLE pg_temp_3.x AS SELECT 1 AS id",
        "SELECT 1 AS id INTO pg_temp_3.x",
        "EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1 AS id",
        "CREATE TEMP SEQUENCE x",
        "CREATE SEQUENCE pg_temp_3.x",
        "CREATE TEMP VIEW x AS SELECT 1 AS id",
        "CREATE VIEW pg_temp_3.x AS SELECT 1 AS id",
        "CREATE TYPE pg_temp.date AS ENUM ('2020-01-01')",
    ],
)
def test_whatever_makes_a_temporary_object_is_told(sky: Observatory, text: str) -> None:
    assert sky.statement(text).temporary


def test_a_permanent_object_is_no_temporary_one(sky: Observatory) -> None:
    for text in ("CREATE TABLE x (id int)", "CREATE SEQUENCE x", "EXPLAIN SELECT 1"):
        assert not sky.statement(text).temporary


@pytest.mark.soundness("4.2")
def test_lock_table_takes_a_lock_of_the_transaction(sky: Observatory) -> None:
    assert sky.statement("LOCK TABLE planets IN ROW EXCLUSIVE MODE").lock == Lock.TRANSACTION
