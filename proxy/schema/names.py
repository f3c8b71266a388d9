"""Which object a name means: PostgreSQL's rules of search_path over a ``Catalogue``.

Temporary objects are not in a catalogue: a session that has some must not ask here.
Source: PostgreSQL docs, ddl-schemas, "The Schema Search Path"; runtime-config-client, "search_path".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from proxy.schema.catalogue import Catalogue, Function, Operator, Relation, Role, Schema, Type

SYSTEM_SCHEMA: Final = "pg_catalog"
# NAMEDATALEN - 1, in bytes. Source: PostgreSQL docs, sql-syntax-lexical, "Identifiers and Key Words".
MAX_NAME_BYTES: Final = 63
_SPACE: Final = " \t\n\r\f\v"
# Members of these roles may use every schema. Source: PostgreSQL docs, predefined-roles.
_READS_ALL: Final = frozenset({"pg_read_all_data", "pg_write_all_data"})
# PostgreSQL folds only ASCII letters in a multi-byte encoding.
_FOLD: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


def effective_path(setting: str, user: str) -> tuple[str, ...]:
    """The schemas that ``search_path = setting`` names for the current role ``user``, in order.

    pg_catalog stands first unless it is listed. A malformed list gives an empty path: nothing resolves.
    Schemas that do not exist or may not be used are still in it: see ``usable_path``.
    """
    names = split_identifiers(setting)
    if names is None:
        return ()
    path = dict.fromkeys(user if name == "$user" else name for name in names)
    return tuple(path) if SYSTEM_SCHEMA in path else (SYSTEM_SCHEMA, *path)


def usable_path(catalogue: Catalogue, path: Iterable[str], user: str) -> tuple[str, ...]:
    """``path`` without the schemas that PostgreSQL skips for ``user``: absent, or without the right USAGE.

    An unknown role, made after the catalogue was read, can use what PUBLIC can.
    """
    role = catalogue.roles.get(user)
    return tuple(name for name in path if _may_use(catalogue, catalogue.schemas.get(name), role))


def _may_use(catalogue: Catalogue, schema: Schema | None, role: Role | None) -> bool:
    if schema is None:
        return False
    if role is None:
        return 0 in schema.users
    if role.superuser or 0 in schema.users or not role.inherits.isdisjoint(schema.users):
        return True
    everywhere = {catalogue.roles[name].oid for name in _READS_ALL if name in catalogue.roles}
    return not role.inherits.isdisjoint(everywhere)


def split_identifiers(text: str) -> tuple[str, ...] | None:
    """The names of a comma-separated list, unquoted and folded as PostgreSQL does; None if malformed.

    Source: PostgreSQL, utils/adt/varlena.c, SplitIdentifierString.
    """
    names: list[str] = []
    rest = text.strip(_SPACE)
    while rest:
        head = _quoted(rest) if rest[0] == '"' else _bare(rest)
        if head is None:
            return None
        name, rest = head
        names.append(_truncate(name))
        if not rest:
            break
        rest = rest[1:].lstrip(_SPACE) if rest[0] == "," else ""
        if not rest:
            return None
    return tuple(names)


def _quoted(text: str) -> tuple[str, str] | None:
    # The closing quote is the first that is not doubled.
    stop = text.find('"', 1)
    while stop >= 0 and text[stop + 1 : stop + 2] == '"':
        stop = text.find('"', stop + 2)
    if stop < 0:
        return None
    return text[1:stop].replace('""', '"'), text[stop + 1 :].lstrip(_SPACE)


def _bare(text: str) -> tuple[str, str] | None:
    stop = next((at for at, char in enumerate(text) if char == "," or char in _SPACE), len(text))
    return (text[:stop].translate(_FOLD), text[stop:].lstrip(_SPACE)) if stop else None


def _truncate(name: str) -> str:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8, of a database in SQL_ASCII: they count as they are
        return name.encode("utf-8", "surrogateescape")[:MAX_NAME_BYTES].decode("utf-8", "surrogateescape")
    return encoded[:MAX_NAME_BYTES].decode(errors="ignore")


def resolve_relation(
    catalogue: Catalogue, schema: str | None, name: str, path: Iterable[str]
) -> Relation | None:
    """The relation that ``[schema.]name`` means along ``path``, or None."""
    oid = _first(catalogue.relation_names, schema, name, path)
    return None if oid is None else catalogue.relations[oid]


def resolve_type(catalogue: Catalogue, schema: str | None, name: str, path: Iterable[str]) -> Type | None:
    """The type that ``[schema.]name`` means along ``path``, or None; ``name`` is pg_type's (int4, _text)."""
    oid = _first(catalogue.type_names, schema, name, path)
    return None if oid is None else catalogue.types[oid]


def _first(
    names: Mapping[tuple[str, str], int], schema: str | None, name: str, path: Iterable[str]
) -> int | None:
    for place in path if schema is None else (schema,):
        oid = names.get((place, name))
        if oid is not None:
            return oid
    return None


def functions(
    catalogue: Catalogue, schema: str | None, name: str, argument_count: int | None, path: Iterable[str]
) -> tuple[Function, ...]:
    """Every function that a call of ``[schema.]name`` with so many arguments may mean, nearest schema first.

    ``argument_count`` None: any number, in any notation. Of two with equal argument types in two schemas only
    the nearer one is visible, unless the names of arguments tell them apart.
    Source: PostgreSQL docs, typeconv-func, "Function Type Resolution"; sql-syntax-calling-funcs.
    """
    places = (schema,) if schema is not None else tuple(path)
    overloads = [catalogue.functions[oid] for oid in catalogue.function_names.get(name, ())]
    if argument_count is None:
        return tuple(function for place in places for function in overloads if function.schema == place)
    seen: dict[tuple[int, ...], Function] = {}
    for place in places:
        for function in overloads:
            if function.schema == place and takes(function, argument_count):
                seen.setdefault(function.arguments, function)
    return tuple(seen.values())


def takes(function: Function, argument_count: int) -> bool:
    """Can ``function`` be called with so many arguments, by its defaults or as VARIADIC?"""
    most = len(function.arguments)
    if argument_count > most:
        return function.variadic != 0
    return argument_count >= most - function.defaults


def operators(
    catalogue: Catalogue, schema: str | None, name: str, path: Iterable[str]
) -> tuple[Operator, ...]:
    """Every operator that ``[OPERATOR(schema.]name`` may mean, nearest schema first.

    Of two with equal operand types in two schemas only the nearer one is visible.
    Source: PostgreSQL docs, typeconv-oper, "Operator Type Resolution".
    """
    places = (schema,) if schema is not None else tuple(path)
    overloads = catalogue.operators.get(name, ())
    seen: dict[tuple[int, int], Operator] = {}
    for place in places:
        for operator in overloads:
            if operator.schema == place:
                seen.setdefault((operator.left, operator.right), operator)
    return tuple(seen.values())
