"""Relations: which may be read by a remembered answer, what a view reads, what writing to one evaluates.

Verdicts depend on the catalogue alone and are worked out once.
Source: PostgreSQL docs, catalog-pg-class; rules-views; ddl-rowsecurity.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from pglast import ast, parser

from proxy.schema.catalogue import FIRST_USER_OID, Relation
from proxy.schema.closure import closure
from proxy.sql.analysis import ELSEWHERE, NOTHING, UNKNOWN, Extent, Reach
from proxy.sql.nesting import is_too_deep
from proxy.sql.proof import queries
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context, Proof
from proxy.sql.proof.purity import (
    CATALOG_PATH,
    constants_write_nothing,
    expressions_write_nothing,
    parse_expression,
)
from proxy.sql.proof.scope import Scope
from proxy.sql.proof.volatility import EXTENSIONS

# Views over views. PostgreSQL has no bound; this one keeps the interpreter's stack.
MAX_VIEW_DEPTH: Final = 16

_SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema", "pg_toast"})
# Why a kind of relation is not read from memory, by pg_class.relkind.
_KINDS: Final = {
    "f": "foreign",
    "S": "sequence",
    "m": "matview",
    "c": "relation",
    "i": "relation",
    "I": "relation",
    "t": "system",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reading a relation means. ``reads``: tables, descendants included. ``mentions``: views as well."""

    reason: str = ""
    pure: bool = True
    reads: frozenset[int] = frozenset()
    mentions: frozenset[int] = frozenset()


def is_system(relation: Relation) -> bool:
    """Did initdb make it? Its functions are built in and write nothing."""
    return relation.schema in _SYSTEM_SCHEMAS and relation.oid < FIRST_USER_OID


def reading(knowledge: Knowledge, relation: Relation, depth: int = 0) -> Verdict:
    """What reading ``relation`` means, seen from ``depth`` views above it."""
    key = ("reading", relation.oid)
    verdict = knowledge.memory.recall(key, lambda: _reading(knowledge, relation, depth))
    if verdict.reason == "depth":
        # True of the place where the question was asked, not of the relation.
        knowledge.memory.forget(key)
    return verdict


def _reading(knowledge: Knowledge, relation: Relation, depth: int) -> Verdict:
    if is_system(relation):
        here = frozenset({relation.oid})
        return Verdict("system", mentions=here)
    if relation.kind == "v":
        return _view(knowledge, relation, depth)
    family = descendants(knowledge, relation)
    words = (_table_denial(member) or _planning_denial(knowledge, member) for member in family)
    oids = frozenset(member.oid for member in family)
    pure = all(
        _reads_purely(knowledge, member) and not _planning_denial(knowledge, member) for member in family
    )
    return Verdict(next((word for word in words if word), ""), pure, oids, oids)


def descendants(knowledge: Knowledge, relation: Relation) -> list[Relation]:
    """The relation, its partitions and all that inherit from it."""
    found, waiting = {relation.oid: relation}, list(relation.children)
    while waiting:
        child = knowledge.catalogue.relations.get(waiting.pop())
        if child is not None and child.oid not in found:
            found[child.oid] = child
            waiting += child.children
    return list(found.values())


def _table_denial(relation: Relation) -> str:
    if relation.persistence == "t":
        return "temporary"
    if relation.kind not in "rp":
        return _KINDS.get(relation.kind, "relation")
    if relation.row_security:
        return "rls"
    return "" if relation.heap else "relation"


def _planning_denial(knowledge: Knowledge, relation: Relation) -> str:
    """What runs when a query of this table is planned, or looks into an index: code of users' by its label.

    PostgreSQL works out the constant parts of its checks, predicates and keys; and a class of operators that
    a user made may serve PostgreSQL's own =.
    Source: PostgreSQL, optimizer/util/plancat.c; utils/cache/relcache.c.
    """
    if "" in relation.index_extensions:
        return "operator"
    return "" if constants_write_nothing(knowledge, relation.expressions) else "function"


def _reads_purely(knowledge: Knowledge, relation: Relation) -> bool:
    """Foreign tables run their wrapper's code; policies and virtual columns are evaluated at a read."""
    if relation.kind == "f" or not relation.heap:
        return False
    expressions = [*relation.policies] if relation.row_security else []
    expressions += [c.default for c in relation.columns if c.generated and c.default is not None]
    return expressions_write_nothing(knowledge, expressions)


def _view(knowledge: Knowledge, relation: Relation, depth: int) -> Verdict:
    here = frozenset({relation.oid})
    if depth >= MAX_VIEW_DEPTH:
        return Verdict("depth", pure=False, mentions=here)
    if relation.definition is None or is_too_deep(relation.definition):
        return Verdict("view", pure=False, mentions=here)
    if knowledge.catalogue.may_be_misread(relation.definition):
        return Verdict("view", pure=False, mentions=here)
    try:
        (raw,) = parser.parse_sql(relation.definition)
    except (parser.ParseError, ValueError):
        return Verdict("view", pure=False, mentions=here)
    proof = Proof(knowledge, Context(CATALOG_PATH), depth=depth + 1)
    queries.query(proof, Scope(CATALOG_PATH), raw.stmt)
    proof.finish()
    if proof.date_parameters() or proof.writes or proof.state or proof.lock:
        proof.deny_unseen("view")
    return Verdict(proof.reason, proof.pure, frozenset(proof.reads), here | proof.mentions)


def never_cached(knowledge: Knowledge, mentions: set[int], patterns: tuple[str, ...]) -> bool:
    """Does one of the operator's globs name a relation that is read?"""
    for oid in mentions if patterns else ():
        relation = knowledge.catalogue.relations[oid]
        name = f"{relation.schema}.{relation.name}"
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return True
    return False


def reach_of_writes(proof: Proof) -> Reach:
    """What the writes noted in ``proof`` may change: the closure of their tables if all of it is proven.

    Code that nobody vouches for may hold DDL as well: a trigger that makes partitions, a function that makes
    triggers.
    """
    if not proof.pure:
        return UNKNOWN
    reach = NOTHING
    for oid, events in proof.writes:
        key = ("closure", oid, events)
        reach |= proof.knowledge.memory.recall(
            key,
            lambda oid=oid, events=events: _closure(proof.knowledge, oid, events),  # type: ignore[misc]  # bound now
        )
    return reach


def _closure(knowledge: Knowledge, oid: int, events: frozenset[str]) -> Reach:
    reached = closure(
        knowledge.catalogue,
        oid,
        events,
        harmless=lambda text: _is_harmless(knowledge, text),
        trusted_extensions=EXTENSIONS,
    )
    if reached.unknown == "foreign":
        return ELSEWHERE
    if reached.unknown or any(_is_suspect(knowledge, table) for table in reached.tables):
        return UNKNOWN
    return Reach(Extent.TABLES, reached.tables)


def _is_suspect(knowledge: Knowledge, table: int) -> bool:
    """May the statements by which foreign keys are kept run code of users' here?"""
    relation = knowledge.catalogue.relations[table]
    return not reading(knowledge, relation).pure or knowledge.is_referred_by_user(table)


def _is_harmless(knowledge: Knowledge, text: str) -> bool:
    """Does evaluating this printed expression, or a view's SELECT in parentheses, write nothing?"""
    if not text.startswith("("):
        return expressions_write_nothing(knowledge, (text,))
    tree = parse_expression(text)
    if isinstance(tree, ast.SubLink):
        proof = Proof(knowledge, Context(CATALOG_PATH), depth=1)
        queries.query(proof, Scope(CATALOG_PATH), tree.subselect)
        return proof.pure
    return expressions_write_nothing(knowledge, (text,))


def use(proof: Proof, relation: Relation) -> None:
    """Note that the statement reads ``relation``."""
    verdict = reading(proof.knowledge, relation, proof.depth)
    proof.reads |= verdict.reads
    proof.mentions |= verdict.mentions
    if verdict.reason:
        proof.deny(verdict.reason)
    if not verdict.pure:
        proof.pure = False
