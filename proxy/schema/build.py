"""From the rows of one database to its ``Catalogue``: an immutable picture, built in one go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from proxy.schema.answers import Rows
from proxy.schema.catalogue import FIRST_USER_OID, Catalogue, ForeignKey, Role, Schema, Trigger
from proxy.schema.fingerprint import RIGHTS_PARTS, parts_of
from proxy.schema.objects import Objects, build_objects, tuples

_K = TypeVar("_K")
_V = TypeVar("_V")

# Bits of pg_trigger.tgtype. Source: PostgreSQL, catalog/pg_trigger.h.
_ROW_BIT: Final = 1
_EVENT_BITS: Final = ((4, "insert"), (8, "delete"), (16, "update"), (32, "truncate"))
# The owner of a database is a member without being granted it. Source: PostgreSQL docs, predefined-roles.
_DATABASE_OWNER: Final = "pg_database_owner"


def build(rows: Rows, built_in: Objects) -> Catalogue:
    """The catalogue that the rows of ``queries.database_query`` tell of, together with what initdb made."""
    own = build_objects(rows)
    relations = built_in.relations | own.relations
    types = built_in.types | own.types
    parts = parts_of(rows["fingerprint"])
    return Catalogue(
        database=rows["database"],
        server_version=rows["server_version"],
        encoding=rows["encoding"],
        fingerprint=rows["fingerprint"],
        relations=relations,
        relation_names={(relation.schema, relation.name): oid for oid, relation in relations.items()},
        functions=built_in.functions | own.functions,
        function_names=_joined(built_in.function_names, own.function_names),
        types=types,
        type_names={(kind.schema, kind.name): oid for oid, kind in types.items()},
        operators=_joined(built_in.operators, own.operators),
        casts=built_in.casts | own.casts,
        foreign_keys_to=_foreign_keys(rows),
        triggers=_triggers(rows),
        extensions=frozenset(rows["extensions"]),
        foreign_servers=bool(rows["foreign_servers"]),
        login_triggers=bool(rows["login_triggers"]),
        command_triggers=bool(rows["command_triggers"]),
        rights={name: value for name, value in parts.items() if name in RIGHTS_PARTS},
        schemas=_schemas(rows),
        roles=_roles(rows),
        role_settings={(database, role): tuple(texts) for database, role, texts in rows["role_settings"]},
        databases={name: oid for oid, name, _ in rows["databases"]},
        trusted_languages=frozenset(name for _, name, trusted in rows["languages"] if trusted),
        untrusted_languages=any(
            oid >= FIRST_USER_OID and not trusted for oid, _, trusted in rows["languages"]
        ),
        id_is_public=bool(rows["public_id"]),
        nondeterministic_collations=frozenset(rows["collations"]),
        orderings={kind: frozenset(owners) for kind, owners in tuples(rows["orderings"]).items()},
    )


def _joined(first: dict[_K, tuple[_V, ...]], second: dict[_K, tuple[_V, ...]]) -> dict[_K, tuple[_V, ...]]:
    return first | {key: first.get(key, ()) + values for key, values in second.items()}


def _foreign_keys(rows: Rows) -> dict[int, tuple[ForeignKey, ...]]:
    return tuples(
        (target, ForeignKey(table, target, on_delete, on_update, tuple(columns), tuple(target_columns)))
        for table, target, on_delete, on_update, columns, target_columns in rows["foreign_keys"]
    )


def _triggers(rows: Rows) -> dict[int, tuple[Trigger, ...]]:
    return tuples(
        (table, Trigger(table, name, function, _events(bits), bool(bits & _ROW_BIT), enabled, conditional))
        for table, name, function, bits, enabled, conditional in rows["triggers"]
    )


def _events(bits: int) -> frozenset[str]:
    return frozenset(event for bit, event in _EVENT_BITS if bits & bit)


def _schemas(rows: Rows) -> dict[str, Schema]:
    return {name: Schema(oid, name, owner, frozenset(users)) for oid, name, owner, users in rows["schemas"]}


def _roles(rows: Rows) -> dict[str, Role]:
    granted = tuples(_memberships(rows))
    return {
        name: Role(oid, name, superuser, can_login, _inherited(oid, granted))
        for oid, name, superuser, can_login in rows["roles"]
    }


def _memberships(rows: Rows) -> Iterable[tuple[int, int]]:
    yield from rows["memberships"]
    owners = [owner for oid, _, owner in rows["databases"] if oid == rows["database"]]
    groups = [oid for oid, name, *_ in rows["roles"] if name == _DATABASE_OWNER]
    for member in owners:
        for group in groups:
            yield member, group


def _inherited(role: int, granted: dict[int, tuple[int, ...]]) -> frozenset[int]:
    found = {role}
    waiting = [role]
    while waiting:
        for group in granted.get(waiting.pop(), ()):
            if group not in found:
                found.add(group)
                waiting.append(group)
    return frozenset(found)
