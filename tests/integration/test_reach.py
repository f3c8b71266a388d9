"""Whatever a statement changes, and however it is hidden in it, the next read of anybody shows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.integration import reaches
from tests.integration.place import Connection, Place, ask, remember
from tests.integration.reaches import PRELUDE, Case
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from tests.integration.proxy import Proxy
    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

CLOSURE: Final = reaches.CLOSURE
CODE: Final = (
    {text: Case(text) for text in reaches.PLACES}
    | reaches.STORED
    | reaches.ORDERED
    | reaches.TRIGGERED
    | reaches.PLANNED
)
HIDDEN: Final = reaches.HIDDEN
CLASSES: Final = reaches.CLASSES
_SETUPS: Final = list(dict.fromkeys(case.setup for case in (CLOSURE | CODE | HIDDEN | CLASSES).values()))


@dataclass(frozen=True, slots=True)
class System:
    """One database for all cases, two sessions through the proxy, and one at the origin itself."""

    writer: Connection
    reader: Connection
    origin: Connection

    def enter(self, case: Case) -> None:
        """All sessions begin anew, in the schema of the case."""
        for session in (self.writer, self.reader, self.origin):
            ask(session, "DISCARD ALL")
            ask(session, f"SET search_path = case_{_SETUPS.index(case.setup)}")


@contextmanager
def _system(cluster: Cluster, proxy: Proxy, name: str, cases: Iterable[Case]) -> Generator[System]:
    database = Database(cluster, name)
    database.create()
    for setup in dict.fromkeys(case.setup for case in cases):
        schema = f"case_{_SETUPS.index(setup)}"
        database.execute(
            f"CREATE SCHEMA {schema}; SET search_path = {schema}; {PRELUDE}; {setup}; DELETE FROM log"
        )
    place = Place(proxy, database)
    direct = psycopg.connect(database.url(), autocommit=True, prepare_threshold=None)
    with place.connect() as writer, place.connect() as reader, direct as origin:
        yield System(writer, reader, origin)
    database.drop()


@pytest.fixture(scope="module")
def system(cluster: Cluster, proxy: Proxy) -> Generator[System]:
    """Without a user's cast or ordering of a built-in type: one makes a suspect of every column."""
    with _system(cluster, proxy, "reach", (CLOSURE | CODE).values()) as made:
        yield made


@pytest.fixture(scope="module")
def system_with_casts(cluster: Cluster, proxy: Proxy) -> Generator[System]:
    with _system(cluster, proxy, "reach_by_casts", HIDDEN.values()) as made:
        yield made


@pytest.fixture(scope="module")
def system_with_classes(cluster: Cluster, proxy: Proxy) -> Generator[System]:
    with _system(cluster, proxy, "reach_by_classes", CLASSES.values()) as made:
        yield made


@pytest.mark.parametrize(
    "case",
    [
        *(pytest.param(case, id=name, marks=pytest.mark.soundness("5.1")) for name, case in CLOSURE.items()),
        *(pytest.param(case, id=name, marks=pytest.mark.soundness("5.3")) for name, case in CODE.items()),
    ],
)
def test_what_it_changes_is_seen_by_the_next_read(system: System, case: Case) -> None:
    _see_the_change(system, case)


@pytest.mark.soundness("5.3")
@pytest.mark.parametrize("case", HIDDEN.values(), ids=HIDDEN)
def test_what_it_changes_by_code_without_a_name_is_seen_as_well(
    system_with_casts: System, case: Case
) -> None:
    _see_the_change(system_with_casts, case)


@pytest.mark.soundness("5.3")
@pytest.mark.parametrize("case", CLASSES.values(), ids=CLASSES)
def test_what_it_changes_by_a_class_of_operators_is_seen_as_well(
    system_with_classes: System, case: Case
) -> None:
    _see_the_change(system_with_classes, case)


def _see_the_change(system: System, case: Case) -> None:
    system.enter(case)
    ask(system.writer, case.fill)
    before = remember(system.reader, case.read)
    ask(system.writer, case.write)
    seen = ask(system.reader, case.read)
    assert seen == ask(system.origin, case.read)
    assert seen != before
    assert ask(system.writer, case.read) == seen
