"""One half of a catalogue's named objects, built from rows: what initdb made, or what users made.

The first half is built once per origin and shared by all catalogues of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from proxy.schema.answers import Rows
from proxy.schema.catalogue import Cast, Column, Function, Operator, Relation, Type

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects with names of one half of a catalogue: of initdb's making, or of the users'."""

    relations: dict[int, Relation]
    functions: dict[int, Function]
    function_names: dict[str, tuple[int, ...]]
    types: dict[int, Type]
    operators: dict[str, tuple[Operator, ...]]
    casts: dict[tuple[int, int], Cast]


def build_objects(rows: Rows) -> Objects:
    """The objects that ``rows`` tell of, be they of ``queries.built_in_query`` or of ``database_query``."""
    functions = {function.oid: function for function in _functions(rows)}
    return Objects(
        relations=_relations(rows),
        functions=functions,
        function_names=tuples((function.name, function.oid) for function in functions.values()),
        types=_types(rows),
        operators=tuples((operator.name, operator) for operator in _operators(rows)),
        casts={(row[0], row[1]): Cast(*row) for row in rows["casts"]},
    )


def tuples(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, tuple[_V, ...]]:
    """The values of each key, in their order."""
    grouped: defaultdict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        grouped[key].append(value)
    return {key: tuple(values) for key, values in grouped.items()}


def _schema_names(rows: Rows) -> dict[int, str]:
    return {oid: name for oid, name, *_ in rows["schemas"]}


def _functions(rows: Rows) -> Iterable[Function]:
    schemas = _schema_names(rows)
    languages = {oid: name for oid, name, _ in rows["languages"]}
    owners = {oid: owner for is_function, oid, owner in rows.get("members", ()) if is_function}
    for oid, schema, name, arguments, result, volatility, kind, is_set, variadic, defaults, language in rows[
        "functions"
    ]:
        yield Function(
            oid=oid,
            schema=schemas[schema],
            name=name,
            arguments=tuple(map(int, arguments.split())),
            result=result,
            volatility=volatility,
            kind=kind,
            set_returning=is_set,
            variadic=variadic,
            defaults=defaults,
            language=languages[language],
            extension=owners.get(oid),
        )


def _types(rows: Rows) -> dict[int, Type]:
    schemas = _schema_names(rows)
    owners = {oid: owner for is_function, oid, owner in rows.get("members", ()) if not is_function}
    checks = tuples(rows["domain_checks"])
    subtypes = {oid: row[2] for row in rows["ranges"] for oid in row[:2]}
    input_codes = {oid: row[3] for row in rows["ranges"] for oid in row[:2]}
    return {
        oid: Type(
            oid=oid,
            schema=schemas[schema],
            name=name,
            kind=kind,
            category=category,
            element=element,
            base=base,
            relation=relation,
            subtype=subtypes.get(oid, 0),
            checks=checks.get(oid, ()),
            # An array type belongs to nobody: its element's owner answers for it.
            extension=owners.get(oid) or owners.get(element),
            default=default,
            input_code=input_codes.get(oid, 0),
        )
        for oid, schema, name, kind, category, element, base, relation, default in rows["types"]
    }


def _operators(rows: Rows) -> Iterable[Operator]:
    schemas = _schema_names(rows)
    for oid, schema, name, left, right, result, function in rows["operators"]:
        yield Operator(oid, schemas[schema], name, left, right, result, function)


def _relations(rows: Rows) -> dict[int, Relation]:
    schemas = _schema_names(rows)
    columns = _columns(rows)
    parents = tuples(rows.get("inherits", ()))
    children = tuples((parent, child) for child, parent in rows.get("inherits", ()))
    definitions = dict(rows.get("views", ()))
    rules = frozenset(rows.get("rules", ()))
    uses = tuples(rows.get("uses", ()))
    expressions = tuples(rows.get("expressions", ()))
    policies = tuples(rows.get("policies", ()))
    owners = tuples(rows.get("index_owners", ()))
    return {
        oid: Relation(
            oid=oid,
            schema=schemas[schema],
            name=name,
            kind=kind,
            persistence=persistence,
            owner=owner,
            columns=columns.get(oid, ()),
            parents=parents.get(oid, ()),
            children=children.get(oid, ()),
            row_security=row_security,
            definition=definitions[oid].removesuffix(";") if oid in definitions else None,
            write_rules=oid in rules,
            expressions=expressions.get(oid, ()),
            options=tuple(options or ()),
            uses=uses.get(oid, ()) if kind == "v" else (),
            policies=policies.get(oid, ()),
            heap=heap,
            index_extensions=frozenset(owners.get(oid, ())),
        )
        for oid, schema, name, kind, persistence, owner, row_security, options, heap in rows["relations"]
    }


def _columns(rows: Rows) -> dict[int, tuple[Column, ...]]:
    defaults = {(relation, number): text for relation, number, text in rows.get("defaults", ())}
    pairs = (
        (
            relation,
            Column(
                number,
                name,
                type_oid,
                typmod,
                collation,
                not_null,
                default=defaults.get((relation, number)),
                generated=generated,
                identity=identity,
            ),
        )
        for relation, number, name, type_oid, typmod, collation, not_null, generated, identity in sorted(
            rows.get("columns", ())
        )
    )
    return tuples(pairs)
