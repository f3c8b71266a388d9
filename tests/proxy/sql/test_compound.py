"""Statements that hold others: their reach is that of what runs inside."""

from __future__ import annotations

import pytest

from proxy.sql.analysis import NOTHING, UNKNOWN, Lock
from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    ("reach", "text"),
    [
        ({"moons"}, "COPY moons FROM STDIN"),
        ("nothing", "COPY moons TO STDOUT"),
        ("nothing", "COPY (SELECT * FROM planets) TO STDOUT"),
        ({"moons"}, "COPY (INSERT INTO moons VALUES (1) RETURNING id) TO STDOUT"),
        ("unknown", "COPY (SELECT writer()) TO STDOUT"),
        ("unknown", "COPY moons FROM PROGRAM 'cat'"),
        ("unknown", "COPY moons FROM STDIN WHERE tick(id) > 1"),
        ({"planets", "moons"}, "TRUNCATE planets"),
        ("nothing", "EXPLAIN DELETE FROM planets"),
        ({"planets", "moons"}, "EXPLAIN ANALYZE DELETE FROM planets"),
        ("unknown", "EXPLAIN SELECT writer()"),
        ("unknown", "EXPLAIN ANALYZE EXECUTE p"),
        ("nothing", "PREPARE p AS DELETE FROM planets"),
        ("nothing", "DECLARE c CURSOR FOR SELECT * FROM planets"),
        ("unknown", "DECLARE c CURSOR WITH HOLD FOR SELECT writer()"),
        ({"moons"}, "WITH d AS (DELETE FROM moons RETURNING *) SELECT * FROM d"),
        ("unknown", "SELECT * FROM v_writer"),
        ("unknown", "SELECT * FROM watched"),
        ("nothing", "SELECT * FROM secret"),
    ],
)
def test_the_reach_is_that_of_what_runs(sky: Observatory, reach: str | set[str], text: str) -> None:
    assert sky.reach(text) == reach


def test_prepare_tells_what_one_run_does(sky: Observatory) -> None:
    named = sky.statement("PREPARE p (int) AS UPDATE moons SET id = $1").named
    assert named is not None
    assert named.inner is not None
    assert sky.names(named.inner.reach.tables) == {"moons"}


@pytest.mark.parametrize(("text", "reach"), [("EXECUTE p(1 + 1)", NOTHING), ("EXECUTE p(writer())", UNKNOWN)])
def test_arguments_of_execute_may_write_too(sky: Observatory, text: str, reach: object) -> None:
    statement = sky.statement(text)
    assert statement.named is not None
    assert statement.named.arguments == reach
    assert not statement.reach.proven


def test_a_held_cursor_says_so(sky: Observatory) -> None:
    named = sky.statement("DECLARE c CURSOR WITH HOLD FOR SELECT 1").named
    assert named is not None
    assert named.hold
    named = sky.statement("DECLARE c SCROLL CURSOR WITHOUT HOLD FOR SELECT 1").named
    assert named is not None
    assert not named.hold


@pytest.mark.soundness("4.2")
@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("SELECT pg_advisory_lock(1)", Lock.SESSION),
        ("SELECT pg_try_advisory_lock_shared(1, 2)", Lock.SESSION),
        ("SELECT pg_advisory_xact_lock(1)", Lock.TRANSACTION),
        ("SELECT id FROM planets FOR NO KEY UPDATE", Lock.TRANSACTION),
        ("INSERT INTO moons SELECT pg_advisory_lock(1)", Lock.SESSION),
        ("SELECT id FROM planets", Lock.NONE),
    ],
)
def test_explicit_locks_are_told(sky: Observatory, text: str, lock: Lock) -> None:
    assert sky.statement(text).lock == lock


def test_unlocking_everything_is_told(sky: Observatory) -> None:
    assert sky.statement("SELECT pg_advisory_unlock_all()").releases_locks


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    ("text", "types", "numbers"),
    [
        ("SELECT id FROM planets WHERE created_at > $1 AND name = $2", (), (1,)),
        ("SELECT id FROM planets WHERE name = $1", (), ()),
        ("SELECT id FROM planets WHERE name = $1", (25,), ()),
        ("SELECT id FROM planets WHERE created_at > $1", (1114,), (1,)),
        ("SELECT id FROM planets WHERE created_at > $1::timestamp", (25,), (1,)),
        ("SELECT $1::date, id FROM planets", (), (1,)),
        ("SELECT concat($1), id FROM planets", (1114,), (1,)),
        ("SELECT id FROM planets WHERE created_at = ANY($1)", (), (1,)),
        ("SELECT id FROM planets WHERE id = ANY($1) LIMIT $2 OFFSET $3", (), ()),
        ("SELECT id FROM planets WHERE ts_rank(to_tsvector(name), $1) > 0.5", (), ()),
        ("SELECT id FROM zoo WHERE ts && $1", (), (1,)),
        ("SELECT id FROM zoo WHERE p = $1", (), (1,)),
        ("SELECT created_at FROM planets UNION ALL SELECT $1", (), (1,)),
    ],
)
def test_parameters_that_may_be_read_as_dates_are_named(
    sky: Observatory, text: str, types: tuple[int, ...], numbers: tuple[int, ...]
) -> None:
    statement = sky.statement(text, types)
    assert statement.reason == ""
    assert statement.date_parameters == numbers


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    ("text", "types", "reason"),
    [
        ("SELECT id FROM planets WHERE at_time > $1::timetz", (), "date"),
        ("SELECT id FROM planets WHERE $1 IS NOT NULL", (2205,), "regtype"),
        ("SELECT id FROM planets WHERE ($1::text || 'w')::date = discovered", (), "date"),
        ("SELECT id FROM planets WHERE discovered + $1 > '2020-01-01'", (), "date"),
    ],
)
def test_parameters_of_types_that_depend_on_today_deny(
    sky: Observatory, text: str, types: tuple[int, ...], reason: str
) -> None:
    assert sky.reason(text, types) == reason
