"""Oids of built-in types, by PostgreSQL's names. Source: PostgreSQL, catalog/pg_type.dat."""

from __future__ import annotations

from typing import Final

# Our own mark for "no type could be inferred"; it is PostgreSQL's InvalidOid.
UNTYPED: Final = 0

BOOL: Final = 16
BYTEA: Final = 17
NAME: Final = 19
INT8: Final = 20
INT4: Final = 23
TEXT: Final = 25
OID: Final = 26
JSON: Final = 114
XML: Final = 142
FLOAT8: Final = 701
UNKNOWN: Final = 705
INET: Final = 869
BPCHAR: Final = 1042
VARCHAR: Final = 1043
DATE: Final = 1082
TIME: Final = 1083
TIMESTAMP: Final = 1114
TIMESTAMPTZ: Final = 1184
INTERVAL: Final = 1186
TIMETZ: Final = 1266
BIT: Final = 1560
VARBIT: Final = 1562
NUMERIC: Final = 1700
RECORD: Final = 2249
CSTRING: Final = 2275
ANY: Final = 2276
ANYARRAY: Final = 2277
INTERNAL: Final = 2281
ANYELEMENT: Final = 2283
RECORD_ARRAY: Final = 2287
ANYNONARRAY: Final = 2776
JSONB: Final = 3802
ANYENUM: Final = 3500
ANYRANGE: Final = 3831
ANYMULTIRANGE: Final = 4537
ANYCOMPATIBLEMULTIRANGE: Final = 4538
ANYCOMPATIBLE: Final = 5077
ANYCOMPATIBLEARRAY: Final = 5078
ANYCOMPATIBLENONARRAY: Final = 5079
ANYCOMPATIBLERANGE: Final = 5080

# Types whose input reads 'now', 'today', 'tomorrow' and 'yesterday' as moving moments.
# Source: PostgreSQL docs, datatype-datetime, "Special Values".
DATES: Final = frozenset({DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ})

# Polymorphic parameters, by what they stand for. Source: PostgreSQL docs, extend-type-system,
# "Polymorphic Types".
ELEMENTS: Final = frozenset({ANYELEMENT, ANYNONARRAY, ANYENUM, ANYCOMPATIBLE, ANYCOMPATIBLENONARRAY})
ARRAYS: Final = frozenset({ANYARRAY, ANYCOMPATIBLEARRAY})
RANGES: Final = frozenset({ANYRANGE, ANYCOMPATIBLERANGE})
MULTIRANGES: Final = frozenset({ANYMULTIRANGE, ANYCOMPATIBLEMULTIRANGE})
COMPATIBLE: Final = frozenset(
    {
        ANYCOMPATIBLE,
        ANYCOMPATIBLEARRAY,
        ANYCOMPATIBLENONARRAY,
        ANYCOMPATIBLERANGE,
        ANYCOMPATIBLEMULTIRANGE,
    }
)
POLYMORPHIC: Final = ELEMENTS | ARRAYS | RANGES | MULTIRANGES

# pg_type.typispreferred. Source: PostgreSQL, catalog/pg_type.dat.
PREFERRED: Final = frozenset({BOOL, TEXT, FLOAT8, OID, TIMESTAMPTZ, INTERVAL, INET, VARBIT})

# The text of these depends on names in the catalogue (and on search_path), or on roles.
# Source: PostgreSQL docs, datatype-oid, "Object Identifier Types"; aclitem prints role names.
NAMING: Final = frozenset({24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191, 8326, 1033})

# Names of text search configurations and dictionaries, as arguments of functions: they change by DDL alone.
TEXT_SEARCH: Final = frozenset({3734, 3769})

# No built-in default btree operator class: an ORDER BY of one would use a user-made class.
# Source: PostgreSQL, catalog/pg_opclass.dat.
UNORDERED: Final = frozenset(
    {JSON, XML, 600, 601, 602, 603, 604, 628, 718, 1790, 28, 29, 2970, 4072, 194, 5038, 4600, 4601, 3642}
)
