"""What queries read: tables, joins, views, functions, subqueries; with columns by kind and a total order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.differential.grammar import Columns

_CONDITIONS: Final = ("", "", " WHERE {bool}", " WHERE {bool}", " WHERE {bool} AND NOT {bool}")

# Columns by kind, as "kind: names". Those of the first table of a source are what most expressions use.
_TABLES: Final = {
    "star": {
        "int": "id", "text": "name", "char": "class", "varchar": "label", "bool": "visible", "mood": "kind",
        "small": "small", "big": "big", "num": "magnitude", "real": "heat", "float": "distance",
        "date": "born", "stamp": "seen", "moment": "noted", "time": "rises", "period": "period",
        "uuid": "tag", "jsonb": "info", "json": "raw", "bytes": "image", "ints": "codes", "texts": "names",
        "span": "span", "place": "spot", "inet": "net",
    },
    "planet": {"int": "id star_id", "text": "name", "num": "mass twice", "date": "found"},
    "moon": {"int": "id planet_id size", "text": "name"},
    "reading": {"int": "id", "date": "day", "num": "amount"},
    "body": {"int": "id size", "text": "name"},
    "gauge": {"int": "id level", "mood": "kind"},
    "scratch": {"int": "id size", "text": "name"},
    "log": {"int": "id", "text": "word"},
    "note": {"int": "id", "text": "owner body"},
    "bright": {"int": "id", "text": "name", "num": "magnitude", "mood": "kind"},
    "system": {"int": "star planet", "text": "star_name planet_name", "num": "mass"},
    "mine": {"int": "id", "text": "body reader"},
    "heavy": {"int": "star_id", "num": "mass"},
    "numbers": {"int": "n", "text": "word"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """``sql`` goes behind FROM. ``key``: ORDER BY these and no two rows are tied, unless they are equal."""

    sql: str
    key: str
    columns: Columns

    @property
    def conditions(self) -> tuple[str, ...]:
        """Templates of what may follow ``sql``."""
        return (" AND {bool}",) if " WHERE " in self.sql.rpartition(")")[2] else _CONDITIONS


def _source(sql: str, key: str, **tables: str) -> Source:
    """``tables``: which table's columns each alias of ``sql`` has."""
    columns: Columns = {}
    for alias, table in tables.items():
        for kind, names in _TABLES[table].items():
            columns.setdefault(kind, []).extend(f"{alias}.{name}" for name in names.split())
    return Source(sql, key, columns)


# The alias s is in each: templates of expressions use it for the whole row.
SOURCES: Final = (
    _source("star s", "s.id", s="star"),
    _source("star s", "s.id", s="star"),
    _source("ONLY star AS s", "s.id", s="star"),
    _source("planet s", "s.id", s="planet"),
    _source("public.planet s", "s.id", s="planet"),
    _source("lab.planet s", "s.id", s="planet"),
    _source("moon s", "s.id", s="moon"),
    _source("reading s", "s.id, s.day", s="reading"),
    _source("reading_2025 s", "s.id, s.day", s="reading"),
    _source("body s", "s.id, s.name, s.size", s="body"),
    _source("ONLY body s", "s.id, s.name, s.size", s="body"),
    _source("gauge s", "s.id", s="gauge"),
    _source("scratch s", "s.id", s="scratch"),
    _source("archive s", "s.id, s.planet_id, s.name, s.size", s="moon"),
    _source("log s", "s.id", s="log"),
    _source("note s", "s.id", s="note"),
    _source("bright s", "s.id", s="bright"),
    _source("system s", "s.star, s.planet", s="system"),
    _source("mine s", "s.id", s="mine"),
    _source("heavy s", "s.star_id", s="heavy"),
    _source("star s JOIN planet p ON p.star_id = s.id", "s.id, p.id", s="star", p="planet"),
    _source("star s LEFT JOIN planet p ON p.star_id = s.id AND p.mass > 2", "s.id, p.id",
            s="star", p="planet"),
    _source("planet s RIGHT JOIN moon m ON m.planet_id = s.id", "m.id, s.id", s="planet", m="moon"),
    _source("planet s FULL JOIN moon m ON m.planet_id = s.id", "s.id, m.id", s="planet", m="moon"),
    _source("planet s CROSS JOIN gauge g", "s.id, g.id", s="planet", g="gauge"),
    _source("planet s JOIN moon m USING (name)", "s.id, m.id", s="planet", m="moon"),
    _source("gauge s NATURAL JOIN (SELECT id, size FROM moon) m", "s.id, m.id", s="gauge"),
    _source("star s, planet p, moon m WHERE p.star_id = s.id AND m.planet_id = p.id", "s.id, p.id, m.id",
            s="star", p="planet", m="moon"),
    _source(
        "star s CROSS JOIN LATERAL (SELECT * FROM planet q WHERE q.star_id = s.id"
        " ORDER BY q.mass DESC, q.id LIMIT 2) p", "s.id, p.id", s="star", p="planet",
    ),
    _source(
        "planet s LEFT JOIN LATERAL (SELECT count(*)::int AS n, min(m.name) AS word FROM moon m"
        " WHERE m.planet_id = s.id) c ON true", "s.id", s="planet", c="numbers",
    ),
    _source("(SELECT * FROM star WHERE id < 6) AS s", "s.id", s="star"),
    _source("(VALUES (1, 'a'), (2, NULL), (NULL, 'c')) AS s (n, word)", "s.n, s.word", s="numbers"),
    _source("planet p JOIN (VALUES (1, 'a'), (2, 'b')) AS s (n, word) ON s.n = p.star_id", "p.id, s.n",
            s="numbers", p="planet"),
    _source("planets_of(2) s", "s.id", s="planet"),
    _source("generate_series(1, 5) WITH ORDINALITY AS s (n, word)", "s.n", s="numbers"),
    _source("moon m, unnest(ARRAY['a', 'b']) WITH ORDINALITY AS s (word, n)", "m.id, s.n",
            s="numbers", m="moon"),
    _source("planet s JOIN lab.planet l ON l.id = s.id", "s.id, l.id", s="planet", l="planet"),
    _source("star s JOIN body b ON b.id = s.id JOIN reading r ON r.id = b.id",
            "s.id, b.id, b.name, b.size, r.day", s="star", b="body", r="reading"),
)  # fmt: skip
