"""The law above all others: no client ever reads what PostgreSQL could not have told it at that moment."""

from __future__ import annotations

import pytest

from tests.proxy.session.histories import History


@pytest.mark.parametrize("seed", range(60))
def test_no_read_is_older_than_what_was_committed_when_it_was_sent(seed: int) -> None:
    History(seed).play(250)


def test_histories_are_not_won_by_never_remembering() -> None:
    history = History(1)
    history.play(1000)
    assert history.world.counters.hit > 20
    assert history.world.counters.fill > 20
    assert history.world.counters.write > 20
