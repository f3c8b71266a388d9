"""Which code of users' making a write into one relation runs: expressions, types, operator classes, policies.

Nothing here parses: expressions are handed to the caller's ``harmless``, and what has no text is denied
unless an extension that is trusted owns it. A label (IMMUTABLE ...) proves nothing, so none is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from proxy.schema.catalogue import FIRST_USER_OID, Catalogue, Relation, Type


def unproven_code(
    catalogue: Catalogue,
    relation: Relation,
    stores: bool,
    harmless: Callable[[str], bool],
    trusted: frozenset[str],
) -> str:
    """One word for the first thing that may write something else, "" if there is none.

    ``stores``: rows are written, not only removed. Triggers and rules are the caller's to look at.
    The words: view, policy, function, index, domain, type.
    """
    if relation.definition is not None and not harmless(f"({relation.definition})"):
        return "view"
    if relation.row_security and not all(map(harmless, relation.policies)):
        return "policy"
    if not relation.index_extensions <= trusted or _is_compared(catalogue, relation, trusted):
        # A DELETE as well finds the rows that refer to its own by the operators of its index.
        return "index"
    if not stores:
        return ""
    if not all(map(harmless, _stored_expressions(relation))):
        return "function"
    return _types_hazard(catalogue, (column.type_oid for column in relation.columns), harmless, trusted)


def _is_compared(catalogue: Catalogue, relation: Relation, trusted: frozenset[str]) -> bool:
    """May an index, or an expression, compare values of this table by a user's functions?

    PostgreSQL's own operators of arrays, rows and ranges call those of what is inside. A class that a user
    made for a built-in type counts there alone: by itself it is another's only in an index that names it.
    """
    made = {oid for oid, extensions in catalogue.orderings.items() if not extensions <= trusted}
    columns = [column.type_oid for column in relation.columns] if made else []
    return not made.isdisjoint(_with_parts(catalogue, (oid for oid in columns if _has_parts(catalogue, oid))))


def _has_parts(catalogue: Catalogue, oid: int) -> bool:
    kind = catalogue.types.get(oid)
    if kind is not None and kind.kind == "d":
        return _has_parts(catalogue, kind.base)
    return oid >= FIRST_USER_OID or kind is None or any(_parts(catalogue, kind))


def _stored_expressions(relation: Relation) -> Iterable[str]:
    yield from relation.expressions
    yield from (column.default for column in relation.columns if column.default is not None)


def _types_hazard(
    catalogue: Catalogue, oids: Iterable[int], harmless: Callable[[str], bool], trusted: frozenset[str]
) -> str:
    for oid in _with_parts(catalogue, oids):
        if oid >= FIRST_USER_OID:
            kind = catalogue.types.get(oid)
            word = "type" if kind is None else _type_hazard(kind, harmless, trusted)
            if word:
                return word
    return ""


def _with_parts(catalogue: Catalogue, oids: Iterable[int]) -> Iterator[int]:
    """These types, and all that they are made of."""
    seen: set[int] = set()
    waiting = list(oids)
    while waiting:
        oid = waiting.pop()
        if oid not in seen:
            seen.add(oid)
            yield oid
            kind = catalogue.types.get(oid)
            waiting += () if kind is None else _parts(catalogue, kind)


def _type_hazard(kind: Type, harmless: Callable[[str], bool], trusted: frozenset[str]) -> str:
    """What the type brings itself; its parts are looked at by themselves."""
    if kind.kind == "d":
        default = () if kind.default is None else (kind.default,)
        return "" if all(map(harmless, (*kind.checks, *default))) else "domain"
    if kind.extension is not None:
        return "" if kind.extension in trusted else "type"
    if kind.kind in "ec" or (kind.category == "A" and kind.element):
        return ""
    if kind.kind in "rm":
        return "" if kind.input_code < FIRST_USER_OID else "type"
    return "type"


def _parts(catalogue: Catalogue, kind: Type) -> Iterable[int]:
    yield from (kind.element, kind.base, kind.subtype)
    relation = catalogue.relations.get(kind.relation)
    if relation is not None:
        yield from (column.type_oid for column in relation.columns)
