"""A server, a proxy in front of it, and one pair of twins for this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential.run import stage
from tests.transparency.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="package")
def sides() -> Generator[Sides]:
    """Both sides."""
    with stage() as nursery, nursery.databases() as urls:
        yield Sides(*urls)
