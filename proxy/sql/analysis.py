"""The answer type of this room: what one SQL text asks, may change, and does to its session.

Plain data. ``analyse.analyse`` makes it; the session acts on it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.sql.rows import Part, RowChange

# Verbs of the statements that are planned: whatever code they run, it runs inside their own transaction, and
# no prepared statement, cursor or setting is made or lost by their text.
QUERIES: Final = frozenset(("select", "insert", "update", "delete", "merge"))
# Row changes that one reach keeps apart: a transaction that touched more rows counts as one of whole tables.
MAX_ROW_CHANGES: Final = 256


class Extent(enum.IntEnum):
    """How far a statement's changes may go; the larger swallows the smaller."""

    NOTHING = 0
    TABLES = 1
    DATABASE = 2
    ORIGIN = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """What a statement may change: ``tables`` (relation oids, the whole closure) only at ``Extent.TABLES``.

    ``proven`` is False where the extent is a guess made for safety (unknown reach): such a statement also
    puts the session's settings, role and locks in doubt. ``ddl``: the catalogue must be read again.
    ``changes``: all that happens to some of the tables, row by row; of the others nothing more is known.
    """

    extent: Extent = Extent.NOTHING
    tables: frozenset[int] = frozenset()
    proven: bool = True
    ddl: bool = False
    changes: frozenset[RowChange] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(
            max(self.extent, other.extent),
            self.tables | other.tables,
            self.proven and other.proven,
            self.ddl or other.ddl,
            self._changes_with(other) if self.changes or other.changes else frozenset(),
        )

    @property
    def whole(self) -> frozenset[int]:
        """The tables of which any row may change."""
        return self.tables - {change.relation for change in self.changes}

    def _changes_with(self, other: Reach) -> frozenset[RowChange]:
        whole = self.whole | other.whole
        both = frozenset(change for change in self.changes | other.changes if change.relation not in whole)
        return both if len(both) <= MAX_ROW_CHANGES else frozenset()

    def blurred(self) -> Reach:
        """The same, with nothing known of rows."""
        return replace(self, changes=frozenset())


NOTHING = Reach()
# Code that nobody vouches for may hold DDL as well: a trigger that makes partitions, a function that makes
# triggers.
UNKNOWN = Reach(Extent.DATABASE, proven=False, ddl=True)
# There was no catalogue to prove anything by. As unknown, but no reason to read the catalogue once more: were
# it one, a busy database would never get it back.
UNREAD = Reach(Extent.DATABASE, proven=False)
# Over a link to another database, which may be one of the same origin.
ELSEWHERE = Reach(Extent.ORIGIN, proven=False)


class Lock(enum.IntEnum):
    """How long an explicit lock that the statement takes may be held."""

    NONE = 0
    TRANSACTION = 1  # FOR UPDATE, LOCK TABLE, pg_advisory_xact_lock
    SESSION = 2  # pg_advisory_lock: until it is released or the session ends


@dataclass(frozen=True, slots=True)
class SetSetting:
    """SET [LOCAL] name = value, or set_config() with constant arguments. ``name`` is lower-case.

    ``value`` is the text as PostgreSQL would store it for simple cases (list items quoted as identifiers and
    joined by ", " for search_path and the like); None stands for a value this room does not vouch for.
    ``parameter``: the value is the text of that parameter of set_config(), 0 for none; NULL resets.
    """

    name: str
    value: str | None
    local: bool = False
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class ResetSetting:
    """RESET name or SET name TO DEFAULT."""

    name: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class ResetAll:
    """RESET ALL: every setting returns to its value at session start."""


@dataclass(frozen=True, slots=True)
class DiscardAll:
    """DISCARD ALL: settings, role, temporary tables, prepared statements, cursors, locks, LISTEN."""


@dataclass(frozen=True, slots=True)
class SetRole:
    """SET [LOCAL] ROLE name; ``role`` None: SET ROLE NONE or RESET ROLE.

    ``parameter``: the name is the text of that parameter of set_config('role', ...), 0 for none.
    """

    role: str | None
    local: bool = False
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Doubt:
    """The statement may have changed settings, role or locks in a way that is not seen here."""


StateChange = SetSetting | ResetSetting | ResetAll | DiscardAll | SetRole | Doubt


class Control(enum.IntEnum):
    """What a statement does to the transaction it runs in."""

    NONE = 0
    BEGIN = 1
    COMMIT = 2
    ROLLBACK = 3
    SAVEPOINT = 4
    ROLLBACK_TO = 5
    RELEASE = 6
    SET_TRANSACTION = 7
    PREPARE_TRANSACTION = 8
    COMMIT_PREPARED = 9
    ROLLBACK_PREPARED = 10


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction command. ``isolation``: 'read committed' ... where the text names one, else None."""

    control: Control
    isolation: str | None = None
    savepoint: str = ""
    chain: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A statement that speaks of a prepared statement or cursor by name: the session knows what that is.

    ``action``: 'prepare', 'execute', 'deallocate', 'declare', 'fetch', 'close'; name "" stands for ALL. For
    prepare and declare, ``inner`` is what one run of the statement behind the name may do. ``arguments``:
    what evaluating the arguments of an EXECUTE may do. The statement itself has unknown reach where the
    action runs what stands behind the name; who knows the name may use ``inner`` in its place.
    """

    action: str
    name: str
    inner: Statement | None = None
    hold: bool = False
    arguments: Reach = NOTHING


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text."""

    verb: str  # the command in PostgreSQL's words, lower-case: "select", "insert", "create table", "set" ...
    reason: str = ""  # why its answer may not be remembered: one word of reasons.REASONS; "" = it may
    reads: frozenset[int] = (
        frozenset()
    )  # relation oids its answer depends on, descendants and views' tables included
    mentions: frozenset[int] = (
        frozenset()
    )  # relations as named, views among them: they shape the row description
    whole_rows: bool = False  # it speaks of all columns of something, present and future ones: *, NATURAL
    types: frozenset[int] = frozenset()  # user-made types that it speaks of: likewise
    reach: Reach = NOTHING
    lock: Lock = Lock.NONE
    state: tuple[StateChange, ...] = ()
    transaction: Transaction | None = None
    named: Named | None = None
    commits_itself: bool = (
        False  # may commit in mid-statement or on its own: CALL, DO, VACUUM, CREATE DATABASE ...
    )
    temporary: bool = False  # creates or touches temporary relations: names may be shadowed from here on
    releases_locks: bool = False  # pg_advisory_unlock_all(), DISCARD ALL
    # Numbers of the parameters whose text may be read as a date: where one holds a moving word
    # (proof.dates.is_moving), the answer may neither be served from memory nor stored.
    date_parameters: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()  # of a statement without ``reason``: what it depends on in each of ``reads``

    @property
    def is_ordinary(self) -> bool:
        """Does it read or write rows, all of it proven, and leave nothing else behind: no setting, lock, name
        or transaction?
        """
        return (
            self.verb in QUERIES
            and self.reach.proven
            and not self.reach.ddl
            and self.reach.extent <= Extent.TABLES
            and self.lock == Lock.NONE
            and not (self.state or self.transaction or self.named)
            and not (self.date_parameters and not self.reason)  # each run has to be looked at
            and not (self.commits_itself or self.temporary or self.releases_locks)
        )


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything known of one text under one catalogue and one search_path.

    ``unparsed``: PostgreSQL's grammar (as pglast carries it) refused the text; ``statements`` is then one
    statement of unknown reach. ``unknown_relations``: a name did not resolve, so a newer catalogue may decide
    differently. ``template``: the text with its constants replaced by $n, safe to show (no values).
    """

    statements: tuple[Statement, ...]
    unparsed: bool = False
    unknown_relations: bool = False
    template: str = ""
    reach: Reach = field(default=NOTHING)  # the union over all statements
