"""The short form of ``make differential``, and proof that it would see what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential.run import run

if TYPE_CHECKING:
    from tests.differential.twins import Nursery

SEED = 20
STATEMENTS = 400


@pytest.mark.postgres
def test_answers_through_the_proxy_equal_direct_ones_byte_by_byte(nursery: Nursery) -> None:
    result = run(nursery, SEED, STATEMENTS)
    assert not result.found, "\n".join(result.lines(SEED))
    assert result.tally.hits > STATEMENTS / 10, "hardly anything was served from memory: this proves nothing"
