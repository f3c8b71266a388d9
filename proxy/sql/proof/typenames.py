"""Type names in SQL, the common type of several expressions, and casts.

Source: PostgreSQL docs, typeconv-union-case, "UNION, CASE, and Related Constructs"; sql-createcast, "Notes".
"""

from __future__ import annotations

from collections.abc import Iterable

from pglast import ast

from proxy.schema import names
from proxy.schema.catalogue import FIRST_USER_OID
from proxy.sql.proof import oids
from proxy.sql.proof.candidates import can_coerce
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import checks_write_nothing


def type_named(proof: Proof, type_name: ast.TypeName, path: tuple[str, ...]) -> int:
    """The oid that a type name means, 0 if it does not resolve."""
    words: tuple[ast.String, ...] = type_name.names or ()
    if type_name.setof or type_name.pct_type or not 0 < len(words) <= 2:
        return oids.UNTYPED
    schema = words[0].sval if len(words) == 2 else None
    found = names.resolve_type(proof.knowledge.catalogue, schema, words[-1].sval or "", path)
    if found is None:
        return oids.UNTYPED
    return proof.knowledge.arrays.get(found.oid, oids.UNTYPED) if type_name.arrayBounds else found.oid


def use_type(proof: Proof, oid: int) -> None:
    """A value is made of, or read as, this type: its input, checks and parts must be PostgreSQL's own."""
    if oid == oids.UNTYPED:
        proof.deny_unseen("type")
        return
    if oid >= FIRST_USER_OID:
        proof.user_types.add(oid)
    word = proof.knowledge.taint(oid)
    if word:
        proof.deny(word)
    if proof.knowledge.runs_unseen_code(oid):
        proof.deny_unseen("type")


def convert(proof: Proof, node: ast.Node | None, source: int, target: int) -> None:
    """Judge ``CAST(node AS target)`` where ``node`` has the type ``source``."""
    use_type(proof, target)
    if proof.knowledge.checks(target):
        proof.deny("type")
        if not checks_write_nothing(proof.knowledge, target):
            proof.pure = False
    if source == oids.UNKNOWN:
        if node is not None:
            proof.settle(node, target)
        return
    if proof.knowledge.holds_dates(target) and proof.knowledge.holds_text(source) and source != target:
        if isinstance(node, ast.ParamRef):
            # Its value is known when it matters, and is looked at then.
            proof.await_target(node, node.number or 0)
        else:
            # A row may hold 'now'. (A record may hold anything.)
            proof.deny("date")
    _judge_entry(proof, source, target)


def _judge_entry(proof: Proof, source: int, target: int) -> None:
    """Judge the way that pg_cast names between two types, or the one through their text."""
    knowledge = proof.knowledge
    if source == target:
        return
    if source == oids.UNTYPED:
        if target in knowledge.user_cast_targets or target >= FIRST_USER_OID:
            proof.deny_unseen("cast")
        return
    entry = knowledge.catalogue.casts.get((source, target))
    if entry is not None:
        word = knowledge.cast_denial(entry)
        if word == "cast":
            proof.deny_unseen("cast")
        elif word:
            proof.deny(word)
        return
    inner = knowledge.base(source), knowledge.base(target)
    if inner == (source, target):
        inner = knowledge.element(source), knowledge.element(target)
    if all(inner):
        _judge_entry(proof, *inner)
    elif _is_row(proof, source) and _is_row(proof, target):
        # Field by field, by whatever casts the fields need.
        proof.deny_unseen("cast")


def _is_row(proof: Proof, oid: int) -> bool:
    kind = proof.knowledge.catalogue.types.get(oid)
    return oid == oids.RECORD or (kind is not None and kind.kind == "c")


def common_type(proof: Proof, types: Iterable[int]) -> int:
    """The type that CASE, UNION, VALUES and their like settle on; 0 where it is not sure."""
    known = [kind for kind in types if kind != oids.UNKNOWN]
    if not known:
        return oids.TEXT
    knowledge = proof.knowledge
    chosen = known[0]
    for kind in known[1:]:
        if kind == chosen:
            continue
        left, right = knowledge.base(chosen), knowledge.base(kind)
        if oids.UNTYPED in (left, right) or knowledge.category(left) != knowledge.category(right):
            if knowledge.converts_by_user(left, right) or knowledge.converts_by_user(right, left):
                proof.deny_unseen("cast")
            return oids.UNTYPED
        chosen = left
        if left not in oids.PREFERRED and can_coerce(knowledge, left, right):
            chosen = left if can_coerce(knowledge, right, left) else right
    if any(knowledge.converts_by_user(kind, chosen) for kind in known):
        proof.deny_unseen("cast")
    return chosen


def agree(proof: Proof, parts: Iterable[tuple[ast.Node | None, int]]) -> int:
    """The common type of ``parts``; literals and parameters among them are taken for it."""
    pairs = list(parts)
    common = common_type(proof, [kind for _, kind in pairs])
    for node, kind in pairs:
        if kind == oids.UNKNOWN and node is not None:
            proof.settle(node, common)
    return common
