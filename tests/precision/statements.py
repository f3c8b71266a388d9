"""Random reads and writes over a schema, most of them by equality, each in one of many disguises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Final, final

from tests.precision.schema import Schema
from tests.precision.values import KINDS, Statement, spell

_Saying = Callable[["Grammar", Statement], str]


@final
class Grammar:
    """Says statements over one schema; the same ``random`` says the same."""

    def __init__(self, schema: Schema, random: Random) -> None:
        self._tables = schema.tables
        self._random = random

    def read(self) -> Statement:
        """A SELECT whose answer is one multiset of rows."""
        statement = Statement()
        statement.text = self._pick(_READS)(self, statement)
        return statement

    def write(self) -> Statement:
        """A statement that may change rows, or fail."""
        statement = Statement()
        statement.text = self._pick(_WRITES)(self, statement)
        return statement

    def _pick(self, weighted: Mapping[_Saying, int]) -> _Saying:
        return self._random.choices(list(weighted), list(weighted.values()))[0]

    def _column(self, table: str) -> str:
        # Two of them more often than the others: reads and writes must meet.
        return self._random.choice(("id", "id", *list(self._tables[table])[:2], *self._tables[table]))

    def _shown(self, table: str, name: str) -> str:
        columns = [f"{name}.{self._column(table)}" for _ in range(self._random.randint(1, 2))]
        whole = (
            "*",
            f"{name}.*",
            name,
            "count(*)",
            f"count({name}.{self._column(table)})",
            f"row_to_json({name})",
        )
        return ", ".join(columns) if self._random.random() < 0.7 else self._random.choice(whole)

    def _equality(self, statement: Statement, table: str, name: str) -> str:
        column = self._column(table)
        value = spell(self._random, self._tables[table][column], statement)
        place = f"{name}.{column}" if name and self._random.random() < 0.8 else column
        return f"{place} = {value}" if self._random.random() < 0.8 else f"{value} = {place}"

    def _plain_equality(self) -> str:
        """Without disguise, so that many meet."""
        column = self._column("t")
        return f"{column} = '{self._random.choice(KINDS[self._tables['t'][column]][:2])}'"

    def _condition(self, statement: Statement, table: str, name: str) -> str:
        if self._random.random() < 0.75:
            return self._equality(statement, table, name)
        column = self._column(table)
        place = f"{name}.{column}" if name else column

        def value(_: re.Match[str]) -> str:
            return spell(self._random, self._tables[table][column], statement)

        # Each ? becomes a value; a parameter that stands nowhere would be an error.
        return re.sub(r"\?", value, self._random.choice(_OTHER_CONDITIONS).replace("@", place))

    def _where(self, statement: Statement, table: str, name: str = "") -> str:
        parts = [self._condition(statement, table, name) for _ in range(self._random.choice((0, 1, 1, 1, 2)))]
        return " WHERE " + " AND ".join(parts) if parts else ""

    # Reads

    def _simple(self, statement: Statement) -> str:
        if self._random.random() < 0.3:
            return f"SELECT {self._shown('t', 't')} FROM t WHERE {self._plain_equality()}"
        table = self._random.choice(("t", "t", "t", "u", "p", "p1", "v"))
        name = self._random.choice((table, "x"))
        return (
            f"SELECT {self._shown(table, name)} FROM {table} {'AS x' if name == 'x' else ''}"
            + self._where(statement, table, name)
        )

    def _join(self, statement: Statement) -> str:
        kind = self._random.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        on = "u.t_id = t.id"
        if kind != "FULL JOIN" and self._random.random() < 0.5:
            on += f" AND {self._equality(statement, *self._random.choice((('t', 't'), ('u', 'u'))))}"
        shown = self._random.choice(("t.id, u.name", "t.id, u.id, u.name, t.c2", "*", "count(*)"))
        table = self._random.choice(("t", "u"))
        return f"SELECT {shown} FROM t {kind} u ON {on}" + self._where(statement, table, table)

    def _twice(self, statement: Statement) -> str:
        return (
            f"SELECT a.id, b.c1 FROM t a JOIN t b ON a.c1 = b.c1 WHERE {self._equality(statement, 't', 'a')}"
        )

    def _nested(self, statement: Statement) -> str:
        where = self._equality(statement, "t", "t")
        inner = self._where(statement, "u", "u")
        return self._random.choice(
            (
                f"SELECT id, c1 FROM t WHERE {where} AND EXISTS (SELECT 1 FROM u{inner})",
                f"SELECT id FROM t WHERE {where} AND id IN (SELECT t_id FROM u)",
                f"SELECT id, (SELECT count(*) FROM u WHERE t_id = t.id) FROM t WHERE {where}",
                f"SELECT id, (SELECT count(*) FROM t z WHERE z.c1 = t.c1) FROM t WHERE {where}",
                f"SELECT count(*) FROM (SELECT id FROM t WHERE {where}) s",
                f"SELECT s.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE t_id = t.id) s WHERE {where}",
                f"WITH w AS (SELECT * FROM t) SELECT id FROM w AS t WHERE {where}",
                f"WITH t AS (SELECT * FROM p) SELECT c1 FROM t WHERE {self._equality(statement, 'p', 't')}",
                f"SELECT count(*) FROM t JOIN (v JOIN u ON {where.replace('t.', '')}) ON true",
                f"SELECT id FROM t WHERE {where} UNION ALL SELECT t_id FROM u",
                f"SELECT c1, count(*) FROM t WHERE {where} GROUP BY c1",
                f"SELECT id AS c1 FROM t WHERE {where} ORDER BY c1",
                "SELECT c1 FROM t AS t (c1, id)",
                f"SELECT t.id FROM t NATURAL JOIN v WHERE {where}",
                f"SELECT count(*) FROM t JOIN v USING (id) WHERE {where}",
            )
        )

    # Writes

    def _insert(self, statement: Statement) -> str:
        table = self._random.choice(("t", "t", "t", "u", "u", "p", "v"))
        columns = [c for c in self._tables[table] if c == "id" or self._random.random() < 0.6]
        self._random.shuffle(columns)
        rows = ", ".join(self._row(statement, table, columns) for _ in range(self._random.choice((1, 1, 2))))
        override = self._random.choice(("",) * 8 + ("OVERRIDING USER VALUE ",))
        text = f"INSERT INTO {table} ({', '.join(columns)}) {override}VALUES {rows}"
        if self._random.random() < 0.5:
            return text + self._random.choice(("", " ON CONFLICT DO NOTHING"))
        return (
            f"{text} ON CONFLICT (id) DO UPDATE SET {self._set(statement, table)}" if table == "t" else text
        )

    def _row(self, statement: Statement, table: str, columns: list[str]) -> str:
        values = (
            "DEFAULT"
            if self._random.random() < 0.05
            else spell(self._random, self._tables[table][c], statement)
            for c in columns
        )
        return f"({', '.join(values)})"

    def _plain_rows(self, _: Statement) -> str:
        """Without rows no write says anything."""
        table = self._random.choice(("t", "t", "u"))
        columns = [c for c in self._tables[table] if c != "g"]
        rows = (
            ", ".join(f"'{self._random.choice(KINDS[self._tables[table][c]][:2])}'" for c in columns)
            for _ in range(2)
        )
        values = ", ".join(f"({row})" for row in rows)
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values} ON CONFLICT DO NOTHING"

    def _copy_rows(self, statement: Statement) -> str:
        pattern = self._random.choice(
            (
                "INSERT INTO u SELECT 1, id, 'copied' FROM t",
                "INSERT INTO u (id, t_id) SELECT * FROM (VALUES (1, ?)) s",
                "INSERT INTO t (id) SELECT t_id FROM u ON CONFLICT DO NOTHING",
                "WITH w AS (DELETE FROM u WHERE t_id = ? RETURNING t_id) DELETE FROM t WHERE id IN (TABLE w)",
                "MERGE INTO t USING u ON u.t_id = t.id WHEN MATCHED THEN UPDATE SET c2 = NULL",
            )
        )
        return re.sub(r"\?", lambda _: spell(self._random, self._tables["t"]["id"], statement), pattern)

    def _set(self, statement: Statement, table: str) -> str:
        column = self._column(table)
        kind = self._tables[table][column]
        if kind in ("int2", "int4", "int8", "small") and self._random.random() < 0.2:
            return f"{column} = {table}.{column} + 1"
        value = spell(self._random, kind, statement)
        if self._random.random() < 0.1:
            other = next(c for c in self._tables[table] if c != column)
            second = spell(self._random, self._tables[table][other], statement)
            return f"({column}, {other}) = ({value}, {second})"
        return f"{column} = {value}"

    def _update(self, statement: Statement) -> str:
        if self._random.random() < 0.3:
            return f"UPDATE t SET {self._plain_equality()} WHERE {self._plain_equality()}"
        table = self._random.choice(("t", "t", "t", "t", "u", "u", "p", "v"))
        sets = self._set(statement, table)
        more = self._random.choice(("", "", "", " FROM u AS other" if table == "t" else ""))
        return f"UPDATE {table} SET {sets}{more}" + self._where(statement, table, table)

    def _delete(self, statement: Statement) -> str:
        table = self._random.choice(("t", "t", "u", "u", "p"))
        if self._random.random() < 0.1:
            return f"DELETE FROM t USING u WHERE u.t_id = t.id AND {self._equality(statement, 't', 't')}"
        return f"DELETE FROM {table}" + (self._where(statement, table, table) or " WHERE false")


_OTHER_CONDITIONS: Final = (
    "(@ = ? OR @ = ?)",
    "@ IN (?, ?)",
    "@ BETWEEN ? AND ?",
    "@ IS NULL",
    "NOT @ = ?",
    "@ <> ?",
    "@::text = ?",
    "(@ = ?) IS NOT TRUE",
    "(@, 1) = (?, 1)",
    "@ IS NOT DISTINCT FROM ?",
    "@ = ANY (ARRAY[?, ?])",
    "CASE WHEN @ = ? THEN true ELSE false END",
)
_READS: Final[Mapping[_Saying, int]] = {
    Grammar._simple: 8,
    Grammar._join: 4,
    Grammar._twice: 1,
    Grammar._nested: 4,
}
_WRITES: Final[Mapping[_Saying, int]] = {
    Grammar._plain_rows: 3,
    Grammar._insert: 5,
    Grammar._update: 7,
    Grammar._delete: 2,
    Grammar._copy_rows: 1,
}
