"""metrics.audits: shares by age, counted from what was compared alone."""

from __future__ import annotations

import pytest

from proxy.metrics.audits import Audits, percent


def test_an_answer_counts_on_every_scale_that_is_not_below_its_age() -> None:
    audits = Audits()
    audits.checked(0.05, fresh=True)
    audits.checked(3.0, fresh=False)
    figures = audits.figures()
    assert figures["checked_within"] == {"0.1": 1, "1": 1, "5": 2, "60": 2}
    assert figures["fresh_within"] == {"0.1": 1, "1": 1, "5": 1, "60": 1}
    assert figures["fresh_share"] == {"0.1": 1.0, "1": 1.0, "5": 0.5, "60": 0.5}
    assert figures["answers"] == {"fresh": 1, "different": 1, "excused": 0}


def test_what_was_excused_or_skipped_says_nothing_of_freshness() -> None:
    audits = Audits()
    audits.excused += 1
    audits.skip("busy")
    audits.skip("busy")
    figures = audits.figures()
    assert figures["skipped"] == {"busy": 2}
    assert figures["answers"]["excused"] == 1
    assert figures["fresh_share"] == {"0.1": None, "1": None, "5": None, "60": None}


@pytest.mark.parametrize(
    ("share", "shown"), [(None, "-"), (1.0, "100.00 %"), (0.999999, "99.99 %"), (0.5, "50.00 %")]
)
def test_only_all_of_them_are_a_hundred_per_cent(share: float | None, shown: str) -> None:
    assert percent(share) == shown
