"""show: the sentences say what was measured, also when that is bad news."""

from __future__ import annotations

import pytest

from tools.demo import show
from tools.demo.measure import Figures, Freshness

SLOW, FAST = Figures(120, 90, 85, 110), Figures(130, 6, 5, 20)


def test_the_verdict_compares_the_medians() -> None:
    sentence = show.verdict(SLOW, FAST, second_from_memory=True)
    assert sentence == "The median is 17.0 times faster; the second request came from memory."


def test_the_verdict_does_not_claim_a_hit_that_was_none() -> None:
    assert "from PostgreSQL" in show.verdict(SLOW, FAST, second_from_memory=False)


@pytest.mark.parametrize(("seen", "verb"), [(True, "showed"), (False, "DID NOT SHOW")])
def test_a_stale_answer_would_be_told(seen: bool, verb: str) -> None:
    assert f"the very next GET {verb} the new name" in show.freshness(Freshness(200, 90, 5, seen))
