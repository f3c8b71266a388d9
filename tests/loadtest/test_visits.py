"""visits: when users ask and what, by the seed alone."""

from __future__ import annotations

from random import Random

import pytest

from loadtest.popularity import Popularity
from loadtest.visits import (
    EDITS_PER_SESSION,
    LIST_SHARE,
    READER_SECONDS,
    Arrivals,
    Rounds,
    editors_for,
    edits_per_second,
    read,
    seeded,
)


def test_the_same_user_asks_the_same_and_another_one_does_not() -> None:
    popularity = Popularity(range(1, 100))

    def asked(number: int) -> list[str]:
        random = seeded(7, "reader", number)
        return [read(random, popularity).path for _ in range(50)]

    assert asked(0) == asked(0)
    assert asked(0) != asked(1)


def test_the_list_has_its_share_of_the_reads() -> None:
    random, popularity = Random(1), Popularity([3])
    names = [read(random, popularity).name for _ in range(10_000)]
    assert names.count("/planets") / len(names) == pytest.approx(LIST_SHARE, abs=0.02)
    assert set(names) == {"/planets", "/planets/{id}"}


def test_arrivals_have_their_mean_gap() -> None:
    arrivals, now = Arrivals(Random(1), 2.0, 100.0), 100.0
    for _ in range(5_000):
        now += arrivals.wait(now)
    assert (now - 100.0) / 5_000 == pytest.approx(2.0, rel=0.05)


def test_a_slow_answer_moves_no_later_moment() -> None:
    punctual, late = Arrivals(Random(1), 1.0, 0.0), Arrivals(Random(1), 1.0, 0.0)
    moments = [0.0]
    for _ in range(3):
        moments.append(moments[-1] + punctual.wait(moments[-1]))
    assert late.wait(0.0) == moments[1]
    assert late.wait(moments[2] + 0.5) == 0.0
    assert late.wait(moments[2] + 0.5) == max(moments[3] - moments[2] - 0.5, 0.0)


def test_rounds_are_regular_after_a_first_one_by_chance() -> None:
    rounds = Rounds(Random(1), 30.0, 100.0)
    first = rounds.wait(100.0)
    assert 0 <= first < 30
    assert rounds.wait(100.0 + first) == pytest.approx(30.0)
    assert rounds.wait(100.0 + first + 70) == 0


@pytest.mark.parametrize("percent", [0.0, 1.0, 10.0, 25.0])
def test_edits_are_the_share_of_all_requests_that_was_asked_for(percent: float) -> None:
    edits = edits_per_second(20, percent)
    requests = 20 / READER_SECONDS + edits * (2 + 1 / EDITS_PER_SESSION)
    assert edits / requests == pytest.approx(percent / 100)


def test_without_edits_there_is_no_editor_and_with_many_there_are_several() -> None:
    assert editors_for(0.0) == 0
    assert editors_for(0.1) == 1
    assert editors_for(10.0) > 5
