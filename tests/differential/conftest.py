"""One server, one proxy and the template of the twins for this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential.run import stage

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.differential.twins import Nursery


@pytest.fixture(scope="package")
def nursery() -> Generator[Nursery]:
    """Where twins come from."""
    with stage() as ready:
        yield ready
