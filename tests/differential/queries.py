"""Random SELECTs, each with what is known of the order of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.differential.constants import TYPES
from tests.differential.grammar import Grammar
from tests.differential.phrases import EXPRESSIONS, STATEMENTS
from tests.differential.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.differential.messages import Parameter
    from tests.differential.sources import Source

_KINDS: Final = tuple(kind for kind in TYPES if kind != "id")
# Kinds to group by: equal values of these look the same.
_COMPARABLE: Final = ("int", "text", "date", "bool", "mood", "stamp", "uuid", "small")
_FAILING: Final = 0.05
_USER_MADE: Final = 0.05
_UNORDERED: Final = 0.35


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT. ``ordered``: its ORDER BY is total."""

    sql: str
    ordered: bool = True
    parameters: list[Parameter] = field(default_factory=list)


def write_query(random: Random, *, parameters: bool) -> Query:
    """A new query; with ``parameters`` it may have some, and needs the extended protocol."""
    source = random.choice(SOURCES)
    grammar = Grammar(random, source.columns, [] if parameters else None)
    grammar.places.update(_places(source, grammar))
    ordered = random.random() > _UNORDERED
    sql = grammar.pick(STATEMENTS["ordered queries" if ordered else "unordered queries"])
    return Query(sql, ordered, grammar.parameters or [])


def _places(source: Source, grammar: Grammar) -> dict[str, Callable[[], str]]:
    """What the templates of queries have places for, beside expressions."""
    random = grammar.random
    columns = [column for kind in _COMPARABLE for column in source.columns.get(kind, [])]
    column = random.choice(columns)

    def several(section: str) -> str:
        return ", ".join(grammar.pick(EXPRESSIONS[section], 1) for _ in range(random.randint(1, 3)))

    return {
        "source": lambda: source.sql + grammar.pick(source.conditions),
        "key": lambda: source.key,
        "column": lambda: column,
        "items": lambda: _items(grammar),
        "group": lambda: grammar.expression(random.choice(_COMPARABLE), 1),
        "aggregates": lambda: several("aggregates"),
        "windows": lambda: several("windows"),
        "limit": lambda: grammar.pick(EXPRESSIONS["limit"]),
        "grouping": lambda: random.choice(EXPRESSIONS["grouping"]),
    }


def _items(grammar: Grammar) -> str:
    random = grammar.random
    items = [grammar.expression(random.choice(_KINDS)) for _ in range(random.randint(1, 5))]
    if random.random() < _FAILING:
        items.append(grammar.pick(EXPRESSIONS["failures"]))
    if random.random() < _USER_MADE:
        items.append(grammar.pick(EXPRESSIONS["user made"]))
    return ", ".join(items)
