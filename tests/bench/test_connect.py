"""One short run: the figures are no matter here, only that the reads come from memory."""

from __future__ import annotations

import pytest

from bench import connect
from bench.load import SCHEMA
from bench.stage import stage


@pytest.mark.postgres
def test_a_visit_after_the_second_is_answered_from_memory() -> None:
    with stage(SCHEMA, 0.0) as place:
        for _ in range(2):
            connect.visit(place.port)
        before = place.outcomes()["hit"]
        assert all(connect.visit(place.port) > 0 for _ in range(3))
        assert place.outcomes()["hit"] - before == 3
