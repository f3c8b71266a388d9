"""How far a write goes, and how much a read rests on: the relations behind one relation.

A write into a table may change others by foreign keys, through views, and up and down an inheritance tree;
and it may run code (triggers, rules, defaults, checks ...) that could do anything. Such code is either proven
harmless by the caller, who can parse, or the reach is unknown. Source: PostgreSQL docs, ddl-constraints,
"Foreign Keys"; ddl-inherit, "Caveats"; sql-createview, "Updatable Views"; rules-update; trigger-definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from proxy.schema.catalogue import FIRST_USER_OID, Catalogue, ForeignKey, Relation, Trigger
from proxy.schema.code import unproven_code

INSERT: Final = "insert"
UPDATE: Final = "update"
DELETE: Final = "delete"
TRUNCATE: Final = "truncate"

# What a foreign key does to the referring table. Source: PostgreSQL docs, catalog-pg-constraint.
_ON_DELETE: Final = {"c": frozenset({DELETE}), "n": frozenset({UPDATE}), "d": frozenset({UPDATE})}
_ON_UPDATE: Final = {"c": frozenset({UPDATE}), "n": frozenset({UPDATE}), "d": frozenset({UPDATE})}
_NOTHING: Final[frozenset[str]] = frozenset()
# An UPDATE of a partitioned table may move a row: out of one partition, into another.
_MOVES: Final = frozenset({UPDATE, DELETE, INSERT})


@dataclass(frozen=True, slots=True)
class Closure:
    """What a write may change: ``tables`` (oids, views and ancestors among them) if ``unknown`` is empty.

    Else ``unknown`` says in one word why they are not all: foreign (the change leaves this database),
    trigger, rule, function, domain, type, index, policy, view, storage, system, relation.
    """

    tables: frozenset[int]
    unknown: str = ""


def closure(
    catalogue: Catalogue,
    table: int,
    events: frozenset[str],
    harmless: Callable[[str], bool],
    trusted_extensions: frozenset[str] = frozenset(),
) -> Closure:
    """Everything that ``events`` (insert, update, delete, truncate) on the relation ``table`` may change.

    ``harmless(text)`` must be true only if evaluating ``text`` writes nothing: an SQL expression, for a view
    its SELECT in parentheses, printed with search_path = pg_catalog. ``trusted_extensions``: those whose
    types and operator classes are known to write nothing. TRUNCATE counts as CASCADE: without it PostgreSQL
    refuses a table that others refer to.
    """
    walk = _Walk(catalogue, harmless, trusted_extensions)
    walk.visit(table, events)
    unknown = "foreign" if "foreign" in walk.unknown else next(iter(walk.unknown), "")
    return Closure(frozenset(walk.events), unknown)


class _Walk:
    """The relations seen so far with the events that reach them, and why their sum is not known."""

    __slots__ = ("_catalogue", "_harmless", "_trusted", "events", "unknown")

    def __init__(
        self, catalogue: Catalogue, harmless: Callable[[str], bool], trusted: frozenset[str]
    ) -> None:
        self._catalogue = catalogue
        self._harmless = harmless
        self._trusted = trusted
        self.events: dict[int, frozenset[str]] = {}
        self.unknown: dict[str, None] = {}  # an ordered set: the first word is the one told

    def visit(self, start: int, events: frozenset[str]) -> None:
        """Follow ``events`` from ``start`` to the end; each relation is looked at once for each event."""
        waiting = [(start, events)]
        while waiting:
            oid, arriving = waiting.pop()
            seen = self.events.get(oid)
            fresh = arriving - (seen or _NOTHING)
            if seen is not None and not fresh:
                continue
            self.events[oid] = (seen or _NOTHING) | arriving
            relation = self._catalogue.relations.get(oid)
            if relation is None:
                self.unknown["relation"] = None
                continue
            word = self._hazard(relation, fresh)
            if word:
                self.unknown[word] = None
            waiting.extend(self._next(relation, fresh))

    def _next(self, relation: Relation, events: frozenset[str]) -> Iterable[tuple[int, frozenset[str]]]:
        yield from ((oid, events) for oid in relation.uses)
        yield from _below(relation, events)
        # What an ancestor shows has changed, and who refers to it may be affected, but no code of its own
        # runs: it is reached without events, so that the way down to the siblings is not taken either.
        yield from ((oid, _NOTHING) for oid in relation.parents)
        yield from self._referring(relation.oid, events)
        for ancestor in _ancestors(self._catalogue, relation):
            yield from self._referring(ancestor, events)

    def _referring(self, target: int, events: frozenset[str]) -> Iterable[tuple[int, frozenset[str]]]:
        for key in self._catalogue.foreign_keys_to.get(target, ()):
            consequences = _consequences(key, events)
            if consequences:
                yield key.table, consequences

    def _hazard(self, relation: Relation, events: frozenset[str]) -> str:
        if not events:
            return ""
        if relation.oid < FIRST_USER_OID:
            return "system"
        if relation.kind not in "rpv":
            return "foreign" if relation.kind == "f" else "relation"
        if relation.write_rules:
            return "rule"
        if any(_may_do_more(trigger, events) for trigger in self._catalogue.triggers.get(relation.oid, ())):
            return "trigger"
        if not relation.heap:
            return "storage"
        stores = not events.isdisjoint({INSERT, UPDATE})
        return unproven_code(self._catalogue, relation, stores, self._harmless, self._trusted)


def _below(relation: Relation, events: frozenset[str]) -> Iterable[tuple[int, frozenset[str]]]:
    # What is inserted into a parent that is no partitioned table stays there; all else may go down.
    below = events if relation.kind == "p" else events - {INSERT}
    if relation.kind == "p" and UPDATE in events:
        below |= _MOVES
    return ((oid, below) for oid in relation.children) if below else ()


def _consequences(key: ForeignKey, events: frozenset[str]) -> frozenset[str]:
    deleted = _ON_DELETE.get(key.on_delete, _NOTHING) if DELETE in events else _NOTHING
    updated = _ON_UPDATE.get(key.on_update, _NOTHING) if UPDATE in events else _NOTHING
    return deleted | updated | (events & {TRUNCATE})


def _ancestors(catalogue: Catalogue, relation: Relation) -> frozenset[int]:
    found: set[int] = set()
    waiting = list(relation.parents)
    while waiting:
        oid = waiting.pop()
        if oid not in found:
            found.add(oid)
            parent = catalogue.relations.get(oid)
            waiting.extend(parent.parents if parent else ())
    return frozenset(found)


def _may_do_more(trigger: Trigger, events: frozenset[str]) -> bool:
    # PostgreSQL's own trigger functions change at most the row at hand; a condition may call others.
    proven = trigger.function < FIRST_USER_OID and not trigger.conditional
    return not proven and trigger.enabled != "D" and not trigger.events.isdisjoint(events)
