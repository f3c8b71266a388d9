"""A small catalogue written by hand: what a conversation about planets needs, and no server."""

from __future__ import annotations

from typing import Final

from proxy.schema.catalogue import (
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Operator,
    Relation,
    Role,
    Schema,
    Type,
)

DATABASE: Final = 5
OWNER: Final = 10
PLANET: Final = 16400
MOON: Final = 16410
STAR: Final = 16420

_BOOL, _INT8, _INT4, _TEXT, _DATE, _VOID = 16, 20, 23, 25, 1082, 2278
_TYPES: Final = (
    Type(_BOOL, "pg_catalog", "bool", "b", "B"),
    Type(_INT8, "pg_catalog", "int8", "b", "N"),
    Type(_INT4, "pg_catalog", "int4", "b", "N"),
    Type(_TEXT, "pg_catalog", "text", "b", "S"),
    Type(_DATE, "pg_catalog", "date", "b", "D"),
    Type(_VOID, "pg_catalog", "void", "p", "P"),
)


def _function(oid: int, name: str, arguments: tuple[int, ...], result: int, volatility: str) -> Function:
    return Function(oid, "pg_catalog", name, arguments, result, volatility, "f")


_FUNCTIONS: Final = (
    _function(65, "int4eq", (_INT4, _INT4), _BOOL, "i"),
    _function(67, "texteq", (_TEXT, _TEXT), _BOOL, "i"),
    _function(154, "int4div", (_INT4, _INT4), _INT4, "i"),
    _function(1086, "date_eq", (_DATE, _DATE), _BOOL, "i"),
    _function(2880, "pg_advisory_lock", (_INT8,), _VOID, "v"),
    _function(2892, "pg_advisory_unlock_all", (), _VOID, "v"),
    Function(16500, "public", "mystery", (), _INT4, "v", "f", language="plpgsql"),
)
_OPERATORS: Final = (
    Operator(96, "pg_catalog", "=", _INT4, _INT4, _BOOL, 65),
    Operator(98, "pg_catalog", "=", _TEXT, _TEXT, _BOOL, 67),
    Operator(1093, "pg_catalog", "=", _DATE, _DATE, _BOOL, 1086),
    Operator(528, "pg_catalog", "/", _INT4, _INT4, _INT4, 154),
)


def table(oid: int, name: str, *columns: tuple[str, int], schema: str = "public") -> Relation:
    """A permanent table of alice."""
    numbered = enumerate(columns, 1)
    made = tuple(Column(number, column, kind, -1, 0, not_null=False) for number, (column, kind) in numbered)
    return Relation(oid, schema, name, "r", "p", OWNER, columns=made)


PLANETS: Final = table(PLANET, "planet", ("id", _INT4), ("name", _TEXT), ("discovered", _DATE))
MOONS: Final = table(MOON, "moon", ("id", _INT4), ("planet_id", _INT4))
STARS: Final = table(STAR, "star", ("id", _INT4), ("name", _TEXT))


def catalogue(*relations: Relation, fingerprint: str = "first") -> Catalogue:
    """planet, moon (its rows go with their planet) and star; ``relations`` are there as well."""
    known = {relation.oid: relation for relation in (PLANETS, MOONS, STARS, *relations)}
    by_name: dict[str, tuple[Operator, ...]] = {}
    for operator in _OPERATORS:
        by_name[operator.name] = (*by_name.get(operator.name, ()), operator)
    return Catalogue(
        database=DATABASE,
        server_version=160000,
        fingerprint=fingerprint,
        relations=known,
        relation_names={(relation.schema, relation.name): oid for oid, relation in known.items()},
        functions={function.oid: function for function in _FUNCTIONS},
        function_names={function.name: (function.oid,) for function in _FUNCTIONS},
        types={kind.oid: kind for kind in _TYPES},
        type_names={(kind.schema, kind.name): kind.oid for kind in _TYPES},
        operators=by_name,
        casts={},
        foreign_keys_to={PLANET: (ForeignKey(MOON, PLANET, "c", "c", (2,), (1,)),)},
        triggers={},
        schemas={
            "pg_catalog": Schema(11, "pg_catalog", OWNER, frozenset((0,))),
            "public": Schema(2200, "public", OWNER, frozenset((0,))),
            "other": Schema(2300, "other", OWNER, frozenset((0,))),
        },
        roles={"alice": Role(OWNER, "alice", superuser=True, can_login=True, inherits=frozenset((OWNER,)))},
        databases={"sky": DATABASE},
        trusted_languages=frozenset(("plpgsql", "sql")),
    )
