"""One case for each rule of precision: a read and a write that only this rule keeps from being independent.

Each must stay right as it is; and each is found wrong once its rule is taken away (``test_precision``).
"""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.precision.values import Parameter


@dataclass(frozen=True, slots=True)
class Case:
    """``ddl`` makes tables and rows; ``read`` is remembered, then ``write`` runs."""

    ddl: str
    read: str
    write: str
    parameters: tuple[Parameter, ...] = ()  # of the write


_ITEM: Final = (
    "CREATE TABLE item (id int, n int, name text); INSERT INTO item VALUES (1, 1, 'a'), (2, 2, 'b');"
)
_SHORT: Final = "CREATE TABLE item (name varchar(3)); INSERT INTO item VALUES ('abc');"
_PADDED: Final = "CREATE TABLE item (id int, name char(4)); INSERT INTO item VALUES (1, 'a'), (2, 'b');"
_PRICED: Final = "CREATE TABLE item (price numeric(4,1)); INSERT INTO item VALUES (2.5);"
_KEYED: Final = "CREATE TABLE item (id int PRIMARY KEY, n int, name text); INSERT INTO item VALUES (1, 1, 'a'), (2, 2, 'b');"
_PART: Final = "CREATE TABLE part (item_id int, label text); INSERT INTO part VALUES (1, 'x'), (2, 'y');"
_TREE: Final = """CREATE TABLE item (id int PRIMARY KEY, up int REFERENCES item (id) ON DELETE CASCADE);
INSERT INTO item VALUES (1, NULL), (2, 1);"""
_MADE: Final = """CREATE TABLE item (id int, n int, made int GENERATED ALWAYS AS (n + 1) STORED);
INSERT INTO item (id, n) VALUES (1, 1);"""
_SPLIT: Final = """CREATE TABLE item (id int, n int) PARTITION BY LIST (id); CREATE TABLE one PARTITION OF item FOR VALUES IN (1);
CREATE TABLE two PARTITION OF item FOR VALUES IN (2); INSERT INTO item VALUES (1, 1), (2, 2);"""
_KEPT: Final = """CREATE TABLE item (id int, n int, name tsvector); INSERT INTO item VALUES (1, 1, ''), (2, 2, '');
ALTER TABLE item ADD body text;
CREATE TRIGGER w BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(name, 'pg_catalog.simple', body);"""
FOLDING: Final = """CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE item (name text COLLATE folding, n int); INSERT INTO item VALUES ('a', 1);"""

CASES: Final = {
    "an update makes rows with its new value": Case(
        _ITEM, "SELECT name FROM item WHERE id = 2", "UPDATE item SET id = 2 WHERE id = 1"
    ),
    "an unknown new value may be any": Case(
        _ITEM, "SELECT name FROM item WHERE id = 2", "UPDATE item SET id = id + 1 WHERE id = 1"
    ),
    "OR does not confine a write": Case(
        _ITEM, "SELECT name FROM item WHERE id = 2", "DELETE FROM item WHERE id = 1 OR n = 2"
    ),
    "OR does not confine a read": Case(
        _ITEM, "SELECT name FROM item WHERE id = 1 OR n = 2", "DELETE FROM item WHERE id = 2"
    ),
    "an outer join's ON restricts nothing": Case(
        _ITEM + _PART,
        "SELECT count(*) FROM item LEFT JOIN part ON part.item_id = item.id AND item.id = 1",
        "DELETE FROM item WHERE id = 2",
    ),
    "a name in ON means the two sides alone": Case(
        _ITEM + _PART + "CREATE VIEW named AS SELECT 'a'::text AS name, label FROM part;",
        "SELECT count(*) FROM item JOIN (named JOIN part ON name = 'a') ON true",
        "DELETE FROM item WHERE name = 'b'",
    ),
    "every occurrence of a table counts": Case(
        _ITEM, "SELECT a.name, b.name FROM item a, item b WHERE a.id = 1", "DELETE FROM item WHERE id = 2"
    ),
    "a view's table is an occurrence too": Case(
        _ITEM + "CREATE VIEW items AS SELECT * FROM item;",
        "SELECT item.name, items.name FROM item, items WHERE item.id = 1",
        "DELETE FROM item WHERE id = 2",
    ),
    "a star mentions everything": Case(
        _ITEM, "SELECT * FROM item WHERE id = 1", "UPDATE item SET name = 'z' WHERE n = 1"
    ),
    "a whole row mentions everything": Case(
        _ITEM, "SELECT item FROM item WHERE id = 1", "UPDATE item SET name = 'z' WHERE n = 1"
    ),
    "rows that come are seen without being mentioned": Case(
        _ITEM, "SELECT count(*) FROM item", "INSERT INTO item (id) VALUES (3)"
    ),
    "NATURAL mentions what both have": Case(
        _ITEM + "CREATE TABLE other (name text); INSERT INTO other VALUES ('a');",
        "SELECT id FROM item NATURAL JOIN other",
        "UPDATE item SET name = 'z' WHERE id = 1",
    ),
    "a generated column changes with any other": Case(
        _MADE, "SELECT made FROM item WHERE id = 1", "UPDATE item SET n = 7 WHERE id = 1"
    ),
    "a value is rounded when it is stored": Case(
        _ITEM, "SELECT name FROM item WHERE id = 3", "INSERT INTO item (id, name) VALUES (2.6, 'z')"
    ),
    "a string is cut when it is stored": Case(
        _SHORT, "SELECT count(*) FROM item WHERE name = 'abc'", "INSERT INTO item VALUES ('abc  ')"
    ),
    "char(n) is equal whatever its padding": Case(
        _PADDED, "SELECT id FROM item WHERE name = 'a'", "DELETE FROM item WHERE name = 'a  '"
    ),
    "a number is equal whatever its scale": Case(
        _PRICED, "SELECT count(*) FROM item WHERE price = 2.5", "DELETE FROM item WHERE price = 2.50"
    ),
    "a numeric is rounded to its scale": Case(
        _PRICED, "SELECT count(*) FROM item WHERE price = 2.6", "INSERT INTO item VALUES (2.55)"
    ),
    "a parameter in two places has a type of either": Case(
        _ITEM,
        "SELECT name FROM item WHERE id = 2",
        "UPDATE item SET name = $1 WHERE $1 = '2' AND (id = 1 OR id = 2)",
        (Parameter(0, 0, b"2"),),
    ),
    "a foreign key leads back to its own table": Case(
        _TREE, "SELECT count(*) FROM item WHERE id = 2", "DELETE FROM item WHERE id = 1"
    ),
    "a built-in trigger sets columns too": Case(
        _KEPT, "SELECT name FROM item WHERE id = 1", "UPDATE item SET body = 'word' WHERE id = 1"
    ),
    "an upsert updates what it does not name": Case(
        _KEYED,
        "SELECT name FROM item WHERE n = 1",
        "INSERT INTO item VALUES (1, 5, 'z') ON CONFLICT (id) DO UPDATE SET name = 'z'",
    ),
    "a partition is a part of its parent": Case(
        _SPLIT, "SELECT n FROM item WHERE id = 1", "UPDATE one SET n = 7 WHERE n = 1"
    ),
    "two types of one number are one value": Case(
        _ITEM,
        "SELECT name FROM item WHERE id = 2",
        "DELETE FROM item WHERE id = $1",
        (Parameter(20, 1, (2).to_bytes(8, "big")),),
    ),
    "a spelling that is not plain is any value": Case(
        _ITEM,
        "SELECT name FROM item WHERE id = 2",
        "DELETE FROM item WHERE id = $1",
        (Parameter(23, 0, b" +2 "),),
    ),
}  # fmt: skip
FOLDED: Final = Case(FOLDING, "SELECT n FROM item WHERE name = 'a'", "DELETE FROM item WHERE name = 'A'")
