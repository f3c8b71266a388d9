"""session.shared: paces belong to templates, and are bounded."""

from __future__ import annotations

from tests.proxy.session.world import World


def test_one_template_of_one_database_has_one_pace() -> None:
    shared = World().shared
    assert shared.pace(5, "SELECT $1") is shared.pace(5, "SELECT $1")
    assert shared.pace(5, "SELECT $1") is not shared.pace(6, "SELECT $1")


def test_the_oldest_pace_makes_room() -> None:
    shared = World().shared
    shared._max_paces = 2
    first = shared.pace(5, "a")
    shared.pace(5, "b")
    shared.pace(5, "c")
    assert shared.pace(5, "a") is not first
