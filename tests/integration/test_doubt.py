"""After a statement that may have done anything, the proxy asks the origin what has become of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.far import far
from tests.integration.place import NAMES, PLANETS, Place, ask, last
from tests.integration.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.postgres import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def far_place(database: Database) -> Generator[Place]:
    """The test's database 40 ms away: what a client says next overtakes every answer of the origin."""
    options = ("--freshness", "wire", "--catalogue-seconds", "3600")
    with far(database.cluster, 20) as url, Proxy(url, *options) as proxy:
        yield Place(proxy, database)


def test_a_busy_session_gets_out_of_doubt(far_place: Place) -> None:
    far_place.direct(PLANETS)
    with far_place.connect() as connection:
        ask(connection, "DO 'BEGIN END'")
        outcomes = []
        for _ in range(3):
            ask(connection, NAMES)
            outcomes.append(last(connection)[0])
        assert outcomes == ["fill", "hit", "hit"]


@pytest.mark.soundness("3.3")
def test_settings_changed_in_a_function_are_known_before_the_next_read(far_place: Place) -> None:
    far_place.direct(
        PLANETS
        + """;
        CREATE SCHEMA inner_system; CREATE TABLE inner_system.planets (id int, name text);
        INSERT INTO inner_system.planets VALUES (1, 'Mercury');
        CREATE FUNCTION move() RETURNS text LANGUAGE sql AS
          $$ SELECT set_config('search_path', 'inner_system', false) $$
        """
    )
    with far_place.connect() as connection:
        for _ in range(2):
            assert ask(connection, NAMES) == [("Mercury",), ("Venus",), ("Mars",)]
        ask(connection, "SELECT move()")
        for _ in range(3):
            assert ask(connection, NAMES) == [("Mercury",)]
        assert last(connection) == ("hit", None)
