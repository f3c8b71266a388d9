"""The house as it shows itself: to the admin window, to ``SHOW orrery.*``, to those who purge."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final

from proxy.admin.snapshot import QueryRow, query_row
from proxy.cache import tags
from proxy.errors import ClientFault, OrreryError
from proxy.metrics.audits import AuditFigures, percent
from proxy.metrics.catalogue import Freshness, Identity, MemoryFigures, Stats, flat
from proxy.metrics.catalogue import stats as all_stats
from proxy.metrics.histogram import Histogram
from proxy.metrics.templates import Template
from proxy.metrics.workers import WorkerFigures, summed
from proxy.net.feeds.messages import reach_read, reach_told
from proxy.net.hub import Hub
from proxy.schema import names
from proxy.schema.catalogue import Catalogue, Relation, Role
from proxy.session.database import Database
from proxy.session.own import Rows
from proxy.session.session import Session


class Undefined(ClientFault):
    """ORRERY PURGE of a table that does not exist."""

    sqlstate = "42P01"  # undefined_table


class Denied(ClientFault):
    """The role may not purge."""

    sqlstate = "42501"  # insufficient_privilege


_DENIED: Final = "permission denied: only a superuser, the database's owner or the table's owner may purge"


class HouseView:
    """Implements ``proxy.admin.snapshot.House``. ``instance`` names this process among others."""

    def __init__(self, hub: Hub, version: str, instance: str) -> None:
        self._hub = hub
        self._version = version
        self._instance = instance
        self._started = time.monotonic()
        self._elsewhere: list[WorkerFigures] = []  # as last told
        self._queries_elsewhere: list[list[Any]] = []

    # For the admin window

    async def look(self, *, queries: bool = False) -> None:
        """Have the other workers tell their figures: what is shown next holds them."""
        fleet = self._hub.fleet
        if fleet is not None:
            self._elsewhere = [WorkerFigures.read(told) for told in await fleet.gather("figures")]
            if queries:
                self._queries_elsewhere = list(chain.from_iterable(await fleet.gather("queries")))

    def told(self, what: object) -> object:
        """What another worker asks for: figures, queries, or how much a purge would drop here."""
        if isinstance(what, list):
            return self._held([reach_read(reach) for reach in what[1]])
        if what == "queries":
            return [template.told() for template in self._hub.shared.templates.seen_by(None)]
        return self._here().told()

    def _here(self) -> WorkerFigures:
        self._count_busy()
        hub = self._hub
        memory = hub.shared.memory
        return WorkerFigures(
            hub.shared.counters,
            MemoryFigures(
                memory.entries,
                memory.bytes,
                memory.limits.cache_bytes,
                memory.evictions,
                {str(cause): n for cause, n in memory.invalidations.items()},
            ),
            self._freshness(),
            memory.suspended,
            hub.doubts.count,
        )

    def _all(self) -> WorkerFigures:
        return summed([self._here(), *self._elsewhere])

    def stats(self) -> Stats:
        """The body of ``GET /stats``."""
        every = self._all()
        identity = Identity(self._version, self._instance, every.freshness)
        return all_stats(identity, every.counters, every.memory)

    def latencies(self) -> Mapping[str, Histogram]:
        """The histograms behind ``latency_ms``."""
        counters = self._all().counters
        return {"hit": counters.hit_latency, "origin": counters.origin_latency}

    def queries(self) -> list[QueryRow]:
        """Every template of every role, the most called first."""
        return [query_row(template) for template in self.templates(None)]

    def templates(self, role: str | None) -> list[Template]:
        """Those of one role, or of everybody for None, the most called first."""
        here = self._hub.shared.templates
        if self._hub.fleet is None:
            return here.seen_by(role)
        return [one for one in here.merged(self._queries_elsewhere) if role is None or one.role == role]

    def ready(self) -> bool:
        """Whether the origin answers."""
        return self._hub.freshness.answers(time.monotonic())

    async def purge(self, table: str | None) -> int:
        """Drop entries, all or those that read ``table`` in any database; LookupError: no such table."""
        await self.look()
        if table is None:
            reaches = [tags.ORIGIN]
            dropped = self._all().memory.entries
        else:
            reaches = [_reach(d, r) for d in self._hub.directory.databases() for r in _named(d, table)]
            if not reaches:
                raise LookupError(table)
            dropped = self._held(reaches) + await self._held_elsewhere(reaches)
        for reach in reaches:
            await self._drop_elsewhere(reach)
            self._drop(reach)
        return dropped

    def _held(self, reaches: Sequence[tags.Reach]) -> int:
        slots = [shape.slot for shape in self._hub.shared.shapes if shape.slot is not None]
        return self._hub.shared.memory.held(reaches, slots)

    async def _held_elsewhere(self, reaches: Sequence[tags.Reach]) -> int:
        fleet = self._hub.fleet
        if fleet is None:
            return 0
        return sum(await fleet.gather(["held", [reach_told(reach) for reach in reaches]]))

    def _drop(self, reach: tags.Reach) -> None:
        memory = self._hub.shared.memory
        if reach == tags.ORIGIN:
            memory.clear("purge")
        else:
            memory.purge(reach)

    async def _drop_elsewhere(self, reach: tags.Reach) -> None:
        """Returns when no other worker answers from it any more."""
        if self._hub.fleet is not None:
            gone = asyncio.Event()
            self._hub.fleet.purge(reach, gone.set)
            await gone.wait()

    # For sessions

    def status_rows(self) -> Rows:
        """SHOW orrery.status."""
        hub = self._hub
        every = self._all()
        memory, counters, level = every.memory, every.counters, every.freshness
        workers = [] if hub.fleet is None else [("workers", f"{hub.fleet.present} of {hub.fleet.workers}")]
        rows: list[tuple[str, str | int]] = [
            ("version", self._version),
            ("instance", self._instance),
            *workers,
            ("freshness", level["level"]),
            ("freshness_why", level["why"]),
            ("freshness_since_seconds", round(level["since_seconds"])),
            ("origin", str(hub.url)),
            ("origin_answers", "yes" if self.ready() else "no"),
            ("pool", hub.options.pool),
            ("cache", "on" if hub.shared.options.cache else "off"),
            ("entries", memory.entries),
            ("bytes", memory.bytes),
            ("limit_bytes", memory.limit_bytes),
            ("suspended_writes", every.suspended),
            ("writes_in_doubt", every.in_doubt),
            ("clients", counters.clients_open),
            ("origin_connections", counters.origin_open),
            ("origin_waiting", counters.origin_waiting),
            *self._pinned_rows(),
            *_audit_rows(counters.audits.figures()),
            ("uptime_seconds", round(time.monotonic() - self._started)),
        ]
        return [(name, str(value)) for name, value in rows]

    def stat_rows(self) -> Rows:
        """SHOW orrery.stats."""
        return flat(self.stats())

    def sees_all_roles(self, session: Session) -> bool:
        """Superusers and members of pg_monitor see everybody's statements."""
        catalogue, role = _role_of(session)
        if catalogue is None or role is None:
            return False
        monitor = catalogue.roles.get("pg_monitor")
        return role.superuser or (monitor is not None and monitor.oid in role.inherits)

    def purge_as(self, session: Session, table: tuple[str, ...] | None) -> Callable[[], None]:
        """What carries out ORRERY PURGE as this session's role. Raises ``Denied`` or ``Undefined``.

        In a pipeline it is carried out behind what was sent before it, here and then elsewhere.
        """
        reach = self._may_purge(session, table)
        fleet = self._hub.fleet

        def act() -> None:
            self._drop(reach)
            if fleet is not None and session.uplink.exchanges:
                fleet.purge(reach, lambda: None)

        return act

    async def purge_elsewhere(self, session: Session, table: tuple[str, ...] | None) -> None:
        """Have the other workers drop what this session may purge."""
        with suppress(OrreryError):  # which it is told when it comes to the command itself
            await self._drop_elsewhere(self._may_purge(session, table))

    def _may_purge(self, session: Session, table: tuple[str, ...] | None) -> tags.Reach:
        catalogue, role = _role_of(session)
        if catalogue is None or role is None:
            raise Denied(_DENIED)
        if table is None:
            if not (role.superuser or _owns_database(catalogue, role)):
                raise Denied(_DENIED)
            return tags.ORIGIN
        path = names.effective_path(session.state.value("search_path"), session.state.current_user)
        schema = table[0] if len(table) > 1 else None
        relation = names.resolve_relation(catalogue, schema, table[-1], path)
        if relation is None:
            raise Undefined(f'relation "{".".join(table)}" does not exist')
        if not (role.superuser or relation.owner in role.inherits or _owns_database(catalogue, role)):
            raise Denied(_DENIED)
        return _reach(session.database, relation)

    # Figures

    def _freshness(self) -> Freshness:
        level = self._hub.freshness.level
        since = round(time.monotonic() - level.since, 3)
        return {"level": level.name, "since_seconds": since, "why": level.why}

    def _pinned_rows(self) -> list[tuple[str, str | int]]:
        """Sessions that are kept at their connection between transactions, now: all, and by reason."""
        reasons = Counter(s.pinned_for for s in self._hub.sessions() if s.pinned_for)
        return [("pinned", reasons.total()), *((f"pinned_{why}", n) for why, n in sorted(reasons.items()))]

    def _count_busy(self) -> None:
        sessions = [c.session for c in self._hub.clients if c.session is not None]
        self._hub.shared.counters.origin_busy = sum(1 for s in sessions if s.runs_at_origin)


def _audit_rows(figures: AuditFigures) -> list[tuple[str, str | int]]:
    """Of SHOW orrery.status: what was checked, and the share of fresh answers by age."""
    rows: list[tuple[str, str | int]] = [(f"audit_{name}", n) for name, n in figures["answers"].items()]
    rows.append(("audit_skipped", sum(figures["skipped"].values())))
    return rows + [
        (f"audit_fresh_within_{age}_s", percent(share)) for age, share in figures["fresh_share"].items()
    ]


def _role_of(session: Session) -> tuple[Catalogue | None, Role | None]:
    catalogue = session.database.catalogue
    return catalogue, None if catalogue is None else catalogue.roles.get(session.state.current_user)


def _owns_database(catalogue: Catalogue, role: Role) -> bool:
    """The owner of a database is a member of pg_database_owner in it."""
    owner = catalogue.roles.get("pg_database_owner")
    return owner is not None and owner.oid in role.inherits


def _named(database: Database, table: str) -> list[Relation]:
    """The relations that ``[schema.]name`` means in one database; without a schema, in all of them."""
    catalogue = database.catalogue
    if catalogue is None:
        return []
    schema, _, name = table.rpartition(".")
    return [
        r
        for (s, n), oid in catalogue.relation_names.items()
        if n == name and schema in ("", s)
        for r in (catalogue.relations.get(oid),)
        if r is not None
    ]


def _reach(database: Database, relation: Relation) -> tags.Reach:
    return tags.relations_of(database.oid, _family(database.catalogue, relation))


def _family(catalogue: Catalogue | None, relation: Relation) -> set[int]:
    """The relation with everything that inherits from it or is a partition of it."""
    family: set[int] = set()
    waiting = [relation.oid]
    while waiting:
        oid = waiting.pop()
        if oid not in family:
            family.add(oid)
            held = catalogue.relations.get(oid) if catalogue is not None else None
            waiting += held.children if held is not None else ()
    return family
