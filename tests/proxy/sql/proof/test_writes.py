"""Data-modifying statements: every part that is evaluated counts."""

# ruff: noqa: E501, ISC004 - statements stand as they are sent
from __future__ import annotations

import pytest

from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO moons (id) VALUES (DEFAULT), (writer())",
        "INSERT INTO moons SELECT writer()",
        "INSERT INTO moons VALUES (1) RETURNING writer()",
        "INSERT INTO moons VALUES (1) ON CONFLICT (id) DO UPDATE SET id = writer()",
        "INSERT INTO moons VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1 WHERE writer() = 1",
        "INSERT INTO moons VALUES (1) ON CONFLICT (tick(id)) DO NOTHING",
        "UPDATE moons SET id = writer()",
        "UPDATE moons SET (id, name) = (SELECT writer(), 'x')",
        "UPDATE moons SET id = 1 WHERE tick(id) = 1",
        "UPDATE moons SET id = 1 FROM v_writer",
        "UPDATE planets SET tags[writer()] = 'x'",
        "DELETE FROM moons WHERE writer() = 1",
        "DELETE FROM moons USING v_writer v WHERE v.id = moons.id",
        "DELETE FROM moons WHERE CURRENT OF c",
        "MERGE INTO moons USING planets p ON writer() = 1 WHEN MATCHED THEN DELETE",
        "MERGE INTO moons USING planets p ON true WHEN NOT MATCHED THEN INSERT VALUES (writer())",
        "WITH x AS (SELECT writer()) DELETE FROM moons",
        "DELETE FROM moons RETURNING moons.size",
    ],
)
def test_a_users_function_anywhere_makes_the_reach_unknown(sky: Observatory, text: str) -> None:
    assert sky.reach(text) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO moons AS m (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name || m.name RETURNING *",
        "INSERT INTO moons SELECT * FROM unnest($1::int[], $2::int[], $3::text[])",
        "INSERT INTO moons (id, name) SELECT nextval('counter'), md5(random()::text)",
        "UPDATE moons SET name = upper(moons.name), planet_id = DEFAULT FROM planets p WHERE p.id = moons.planet_id",
        "UPDATE moons SET name = now()::text RETURNING old.name, new.name, id",
        "DELETE FROM moons m USING planets p WHERE p.id = m.planet_id AND p.name IN ('a', 'b') RETURNING m.*, p.name",
        "MERGE INTO moons m USING planets p ON p.id = m.planet_id WHEN MATCHED AND m.id > 1 THEN UPDATE SET name = p.name "
        "WHEN NOT MATCHED THEN INSERT (id) VALUES (p.id)",
        "WITH gone AS (DELETE FROM moons RETURNING id) SELECT * FROM gone",
    ],
)  # fmt: skip
def test_ordinary_writes_reach_their_table(sky: Observatory, text: str) -> None:
    assert sky.reach(text) == {"moons"}
    assert sky.reason(text) == "write"


def test_storing_through_a_users_cast_is_unknown(trickster: Observatory) -> None:
    assert trickster.reach("INSERT INTO beach (s) VALUES (1)") == "unknown"
    assert trickster.reach("UPDATE beach SET s = 1") == "unknown"
    assert trickster.reach("DELETE FROM beach") == {"beach"}


def test_merge_reaches_by_what_its_clauses_do(sky: Observatory) -> None:
    head = "MERGE INTO planets p USING zoo z ON z.id = p.id WHEN"
    assert sky.reach(f"{head} MATCHED THEN DELETE") == {"planets", "moons"}
    assert sky.reach(f"{head} NOT MATCHED THEN INSERT (name) VALUES ('x')") == {"planets"}


def test_several_writes_in_one_statement_add_up(sky: Observatory) -> None:
    text = "WITH a AS (DELETE FROM moons RETURNING id), b AS (UPDATE base SET n = 1) INSERT INTO zoo (id) SELECT id FROM a"
    assert sky.reach(text) == {"moons", "base", "child", "zoo"}
