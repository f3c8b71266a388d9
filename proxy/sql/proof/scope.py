"""Which columns a name may mean at one query level, and in the levels around it.

Source: PostgreSQL docs, queries-table-expressions, "The FROM Clause"; parser/parse_relation.c.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final

from pglast import ast

from proxy.sql.proof import oids

# A column that is not there: ``scope.find`` and ``scope.find_in`` answer it.
MISSING: Final = -1
# System columns of a table: tableoid names a table, the others move with every write, even a rolled-back one.
# Source: PostgreSQL docs, ddl-system-columns.
SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})

Columns = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Range:
    """One item of FROM. ``open``: its column names are not known here (a function that returns a record).

    ``row``: the type of the whole row, or of the value where a function returns a scalar.
    """

    alias: str
    columns: Columns
    schema: str = ""
    row: int = oids.RECORD
    open: bool = False
    table: bool = False


@final
class Scope:
    """One query level: its items of FROM, the WITH queries it sees, and the level around it."""

    __slots__ = ("ctes", "outer", "path", "ranges")

    def __init__(self, path: tuple[str, ...], outer: Scope | None = None) -> None:
        self.path: Final = path
        self.outer: Final = outer
        self.ranges: list[Range] = []
        self.ctes: dict[str, Columns | None] = {}

    def levels(self) -> Iterator[Scope]:
        """This level, then those around it."""
        level: Scope | None = self
        while level is not None:
            yield level
            level = level.outer

    def knows_cte(self, name: str) -> bool:
        """Is ``name`` a WITH query here?"""
        return any(name in level.ctes for level in self.levels())

    def cte(self, name: str) -> Columns | None:
        """The columns of the WITH query; None while they are not worked out yet."""
        return next(level.ctes[name] for level in self.levels() if name in level.ctes)

    def column(self, name: str) -> int:
        """The type of an unqualified column, 0 if items of FROM disagree, ``MISSING`` if there is none."""
        for level in self.levels():
            found = {kind for item in level.ranges if (kind := column_of(item, name)) != MISSING}
            if found:
                return found.pop() if len(found) == 1 else oids.UNTYPED
            if any(item.open for item in level.ranges):
                # It may well be a column here, and hides what the levels around call so.
                return oids.UNTYPED
        return MISSING

    def range(self, alias: str, schema: str = "") -> Range | None:
        """The nearest item of FROM that goes by ``[schema.]alias``."""
        for level in self.levels():
            for item in level.ranges:
                if item.alias == alias and schema in ("", item.schema):
                    return item
        return None


def column_of(item: Range, name: str) -> int:
    """The type of one column of ``item``, ``MISSING`` if it has none of that name."""
    for column, kind in item.columns:
        if column == name:
            return kind
    return MISSING


@dataclass(frozen=True, slots=True)
class Output:
    """What a query returns. ``literals``: parse nodes by column that are still without a type, which the
    other arms of a set operation will give them."""

    columns: Columns = ()
    literals: tuple[tuple[ast.Node, ...], ...] = ()


def renamed(columns: Columns, aliases: Iterable[ast.String] | None) -> Columns:
    """Columns under the names of an alias list, which may be shorter."""
    given = [alias.sval or "" for alias in aliases or ()]
    return tuple((given[at] if at < len(given) else name, kind) for at, (name, kind) in enumerate(columns))
