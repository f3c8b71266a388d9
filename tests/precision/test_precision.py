"""No answer is wrongly kept; and with any of the rules taken away, some answer is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from pglast import ast, enums

from proxy.sql import values
from proxy.sql.proof import equalities, footprint, row_changes
from tests.postgres import Database
from tests.precision.cases import CASES, FOLDED, Case
from tests.precision.judge import Judge, Tally, play, renew
from tests.precision.values import Statement
from tests.proxy.schema.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from proxy.schema.catalogue import Relation
    from proxy.sql.rows import RowChange, Value
    from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("5.6")]

SEEDS: Final = 5
ROUNDS: Final = 30


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Generator[Database]:
    """A database for all of this module: each test renews its schema."""
    database = Database(cluster, "precision")
    database.create()
    yield database
    database.drop()


@pytest.fixture(scope="module")
def folding(tls_cluster: Cluster) -> Generator[Database]:
    """The same with ICU, so with collations that fold."""
    database = Database(tls_cluster, "precision")
    database.create()
    yield database
    database.drop()


def judged(database: Database, case: Case) -> Tally:
    renew(database, case.ddl)
    tally = Tally()
    with psycopg.connect(database.url(), autocommit=True) as connection:
        judge = Judge(connection, Origin(database).catalogue())
        judge.remember(Statement(case.read))
        assert judge.remembered == 1
        judge.write(Statement(case.write, list(case.parameters)), tally)
    assert tally.writes == 1
    return tally


@pytest.mark.parametrize("icu", [False, True])
def test_no_answer_is_wrongly_kept_whatever_is_written(icu: bool, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue("folding" if icu else "ground")
    tally = Tally()
    for seed in range(SEEDS):
        play(database, str(seed), ROUNDS, tally, icu=icu)
    assert not tally.found, tally.found[0]
    assert tally.kept > tally.dropped / 2, tally.line()
    assert tally.precise > tally.writes / 10, tally.line()


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_keeps_a_read_and_a_write_together(ground: Database, rule: str) -> None:
    tally = judged(ground, CASES[rule])
    assert (tally.kept, tally.moved) == (0, 1), tally.found


def test_a_folding_collation_keeps_a_read_and_a_write_together(folding: Database) -> None:
    tally = judged(folding, FOLDED)
    assert (tally.kept, tally.moved) == (0, 1), tally.found


# Rules taken away, each by its case.


def _only_old_images(_: object, __: object, targets: list[ast.ResTarget]) -> tuple[Value, ...]:
    return ()


def _any_part(node: ast.Node | None) -> Iterator[ast.Node]:
    if isinstance(node, ast.BoolExpr):
        for part in node.args or ():
            yield from _any_part(part)
    elif node is not None:
        yield node


class _EveryJoin:
    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class _Joins:
    class JoinType:
        JOIN_INNER = _EveryJoin()

    SetOperation = enums.SetOperation


def _all_of_from(
    reader: equalities.Equalities, node: ast.SelectStmt, tables: dict[int, equalities.Table]
) -> dict[int, tuple[int, Value]]:
    joins = [item for item in footprint._items(node.fromClause) if isinstance(item, ast.JoinExpr)]
    found = [one for join in joins for one in reader.among(join.quals, tuple(tables.values()))]
    return {one.relation.oid: (column.number, value) for one, column, value in found}


class _CountsOnce(Counter[int]):
    def update(self, relations: object = (), /, **_: object) -> None:
        for oid in relations if isinstance(relations, frozenset) else ():
            self[oid] = 1


def _no_stars(reference: ast.ColumnRef, one: equalities.Table, harmless: set[str]) -> set[int]:
    return _MEANT(reference, one, harmless) or set()


def _rows_as_columns(change: Callable[..., RowChange | None]) -> Callable[..., RowChange | None]:
    def changed(*given: object) -> RowChange | None:
        found = change(*given)
        return found and replace(found, changed=frozenset({99}))

    return changed


def _nothing_generated(*given: object) -> RowChange | None:
    found = _UPDATE(*given)  # type: ignore[arg-type]
    return found and replace(found, changed=frozenset({2}))


def _truncates(node: ast.A_Const) -> equalities._Source | None:
    if isinstance(node.val, ast.Float):
        return equalities._Source(23, int(float(node.val.fval or "0")))
    return _CONSTANT(node)


def _never_cut(self: equalities.Equalities, column: object, node: ast.Node | None) -> Value:
    source = self._source(node)
    assert source is not None
    return equalities._settled(source, 25)


def _no_conflict(found: equalities.Equalities, node: ast.InsertStmt, relation: Relation) -> RowChange | None:
    plain = ast.InsertStmt(cols=node.cols, selectStmt=node.selectStmt, override=node.override)
    return _INSERT(found, plain, relation)


_MEANT, _UPDATE, _CONSTANT, _INSERT = (
    footprint._meant,
    row_changes._update,
    equalities._constant,
    row_changes._insert,
)
FAULTS: Final[dict[str, tuple[object, str, object]]] = {
    "an update makes rows with its new value": (row_changes, "_after", _only_old_images),
    "an unknown new value may be any": (row_changes, "_after", _only_old_images),
    "OR does not confine a write": (equalities, "conjuncts", _any_part),
    "OR does not confine a read": (equalities, "conjuncts", _any_part),
    "an outer join's ON restricts nothing": (footprint, "enums", _Joins),
    "a name in ON means the two sides alone": (footprint, "_fixed", _all_of_from),
    "every occurrence of a table counts": (footprint, "Counter", _CountsOnce),
    "a view's table is an occurrence too": (footprint, "Counter", _CountsOnce),
    "a star mentions everything": (footprint, "_meant", _no_stars),
    "a whole row mentions everything": (footprint, "_meant", _no_stars),
    "rows that come are seen without being mentioned": (row_changes, "_insert", _rows_as_columns(_INSERT)),
    "NATURAL mentions what both have": (footprint, "_is_plain", lambda *_: True),
    "a generated column changes with any other": (row_changes, "_update", _nothing_generated),
    "a value is rounded when it is stored": (equalities, "_constant", _truncates),
    "a string is cut when it is stored": (equalities.Equalities, "assigned", _never_cut),
    "a foreign key leads back to its own table": (row_changes, "_is_left_alone", lambda *_: True),
    "a built-in trigger sets columns too": (row_changes, "_is_left_alone", lambda *_: True),
    "an upsert updates what it does not name": (row_changes, "_insert", _no_conflict),
}  # fmt: skip


@pytest.mark.parametrize("rule", FAULTS)
def test_a_rule_that_is_taken_away_is_missed(
    ground: Database, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*FAULTS[rule])
    assert judged(ground, CASES[rule]).found


def test_a_folding_collation_that_is_overlooked_is_missed(
    folding: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        equalities.Equalities, "_may_confine", lambda _, column: column.type_oid in values.KNOWN
    )
    assert judged(folding, FOLDED).found


def test_a_rule_that_is_taken_away_is_found_by_chance_too(
    ground: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprint, "_meant", _no_stars)
    tally = Tally()
    for seed in range(60):
        play(ground, str(seed), ROUNDS, tally)
        if tally.found:
            return
    pytest.fail(f"nothing was found: {tally.line()}")
