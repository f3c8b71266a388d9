"""The state of one proof: what has been found so far about one statement.

A proof starts as "may be remembered, writes nothing" and is only ever lowered; the walkers lower it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from pglast import ast

from proxy.sql.analysis import Lock, StateChange
from proxy.sql.proof import oids
from proxy.sql.proof.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Context:
    """Where a text is read: the effective ``path`` (search_path with pg_catalog in its place) and the role.

    ``never_cache`` holds globs over schema.table. The last two are the settings of that name.
    """

    path: tuple[str, ...]
    user: str = ""
    never_cache: tuple[str, ...] = ()
    transform_null_equals: bool = False
    standard_conforming_strings: bool = True


@final
@dataclass(slots=True)
class Proof:
    """What is known of one statement. ``types``: the parameter types that Parse gave, 0 for none.

    ``pure``: nothing it evaluates can write, change the session's state or take a lock unseen.
    """

    knowledge: Knowledge
    context: Context
    types: tuple[int, ...] = ()
    depth: int = 0  # of views within views
    reason: str = ""
    pure: bool = True
    unresolved: bool = False
    reads: set[int] = field(default_factory=set)
    mentions: set[int] = field(default_factory=set)  # relations as named, views among them
    whole_rows: bool = False  # it speaks of all columns of something: *, a whole row, NATURAL
    user_types: set[int] = field(default_factory=set)  # user-made types of what it evaluates
    writes: list[tuple[int, frozenset[str]]] = field(default_factory=list)  # relation oids and events
    lock: Lock = Lock.NONE
    state: list[StateChange] = field(default_factory=list)
    releases_locks: bool = False
    # Literals with a moving word (0) and parameters (their number) whose target is not yet proven free of
    # dates, by identity of the parse node; ``kept`` holds the nodes, so that no identity is used twice.
    unsettled: dict[int, int] = field(default_factory=dict)
    kept: list[ast.Node] = field(default_factory=list)

    def deny(self, word: str) -> None:
        """The answer may not be remembered; the first reason is the one told."""
        if not self.reason:
            self.reason = word

    def deny_unseen(self, word: str) -> None:
        """As ``deny``; and code may run that nobody vouches for."""
        self.deny(word)
        self.pure = False

    def await_target(self, node: ast.Node, number: int) -> None:
        """A value that must not move meets its type later: ``settle`` it, or it counts as a date."""
        self.unsettled[id(node)] = number
        self.kept.append(node)

    def settle(self, node: ast.Node, target: int) -> None:
        """``node`` was found to be taken for a ``target``."""
        if id(node) in self.unsettled and not self.knowledge.holds_dates(target):
            del self.unsettled[id(node)]

    def date_parameters(self) -> tuple[int, ...]:
        """Numbers of the parameters whose text could be read as a date."""
        return tuple(sorted(set(self.unsettled.values()) - {0}))

    def finish(self) -> None:
        """Judge what was left open: a literal that may be a moving date denies."""
        if 0 in self.unsettled.values():
            self.deny("date")

    def type_of_parameter(self, number: int) -> int:
        """The type that Parse gave, else unknown."""
        given = self.types[number - 1] if 0 < number <= len(self.types) else 0
        return given or oids.UNKNOWN
