"""Relations: views proven from their definitions, and the reach of writes into tables."""

from __future__ import annotations

import pytest

from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory


@pytest.mark.soundness("2.3")
@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ("v_planets", ""),
        ("v_deep", ""),
        ("v_now", "time"),
        ("v_user", "keyword"),
        ("v_word", "date"),
        ("v_writer", "function"),
    ],
)
def test_a_view_is_as_good_as_its_definition(sky: Observatory, view: str, reason: str) -> None:
    assert sky.reason(f"SELECT id FROM {view}") == reason


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("INSERT INTO moons VALUES (1)", {"moons"}),
        ("INSERT INTO planets (name) VALUES ('x')", {"planets"}),
        ("DELETE FROM planets", {"planets", "moons"}),
        ("UPDATE planets SET name = 'x'", {"planets"}),
        ("INSERT INTO v_planets (name) VALUES ('x')", {"planets", "v_planets"}),
        ("DELETE FROM events_1", {"events", "events_1"}),
        ("DELETE FROM child", {"base", "child"}),
        ("INSERT INTO zoo (e) VALUES ('a@b')", {"zoo"}),
        ("INSERT INTO evil (n) VALUES (1)", "unknown"),
        ("INSERT INTO trig VALUES (1)", "unknown"),
        ("DELETE FROM trig", {"trig"}),
        ("INSERT INTO vault VALUES (1)", "unknown"),
        ("INSERT INTO watched VALUES (1)", "unknown"),
        ("INSERT INTO secret VALUES (1)", {"secret"}),
        ("INSERT INTO mv VALUES (1)", "unknown"),
        ("DELETE FROM pg_class", "unknown"),
        ("DELETE FROM not_known", "unknown"),
    ],
)
def test_a_write_reaches_what_it_may_change(sky: Observatory, text: str, reach: str | set[str]) -> None:
    assert sky.reach(text) == reach


@pytest.mark.soundness("2.3", "7.6")
def test_views_within_views_are_followed_to_a_bound(sky: Observatory, ground: Origin) -> None:
    steps = ["CREATE VIEW deep_0 AS SELECT id FROM moons"]
    steps += [f"CREATE VIEW deep_{n} AS SELECT id FROM deep_{n - 1}" for n in range(1, 20)]
    ground.execute("; ".join(steps))
    deep = Observatory(ground.catalogue(), sky.context)
    ground.execute("DROP VIEW deep_0 CASCADE")
    assert deep.reason("SELECT id FROM deep_19") == "depth"
    assert deep.reason("SELECT id FROM deep_5") == ""
