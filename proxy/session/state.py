"""The session state that shapes answers: settings, role,
what is in doubt. Transactional, as PostgreSQL's is.

Values come from three places, in this order of trust: ParameterStatus (what the origin reports), the
origin's answer to a probe, and the text of SET statements that the origin has accepted. Source: PostgreSQL
docs, sql-set, "Description"; protocol-flow, "Asynchronous Operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from proxy.session.snapshot import Own, Snapshot
from proxy.sql.analysis import (
    DiscardAll,
    Doubt,
    ResetAll,
    ResetSetting,
    SetRole,
    SetSetting,
    StateChange,
)

# The settings whose effective values shape an answer: they are part of every key. A setting that no admitted
# statement can read (timeouts, planner settings, application_name, app.*) is left out on purpose.
KEY_SETTINGS: Final = (
    "search_path",
    "timezone",
    "timezone_abbreviations",
    "datestyle",
    "intervalstyle",
    "extra_float_digits",
    "bytea_output",
    "client_encoding",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "xmlbinary",
    "xmloption",
    "default_text_search_config",
    "row_security",
    "array_nulls",
    "quote_all_identifiers",
    "standard_conforming_strings",
    "backslash_quote",
    "transform_null_equals",
    "gin_fuzzy_search_limit",
    "restrict_nonsystem_relation_kind",
)

# All of them but the one that finds names, which are looked up each time a statement is planned.
_LITERAL_SETTINGS: Final = tuple(name for name in KEY_SETTINGS if name != "search_path")

# Not in the key, but the session must know them: the isolation of a plain BEGIN, and our own switch.
WATCHED_SETTINGS: Final = ("default_transaction_isolation", "orrery.cache")

# The origin reports each change of these by ParameterStatus, before ReadyForQuery; the text of a SET would
# say less (``SET datestyle = 'ISO'`` leaves the order of day and month as it was).
REPORTED: Final = frozenset(
    ("timezone", "datestyle", "intervalstyle", "client_encoding", "standard_conforming_strings")
)

# Isolation levels at which each statement sees what was committed before it began; PostgreSQL treats the
# second as the first. Source: PostgreSQL docs, transaction-iso, "Transaction Isolation".
EACH_STATEMENT_ITS_SNAPSHOT: Final = frozenset(("read committed", "read uncommitted"))

# SET turns this name into a qualified one, by the search_path that holds just then.
# Source: PostgreSQL docs, runtime-config-client, "default_text_search_config"; ts_cache.c.
_RESOLVED: Final = "default_text_search_config"
_BUILT_IN: Final = "pg_catalog."

TRACKED: Final = KEY_SETTINGS + WATCHED_SETTINGS
_TRACKED: Final = frozenset(TRACKED)

# What the proxy keeps for itself: the origin never hears of it.
_OURS: Final = "orrery.cache"

# Settings that are carried for one session; one that makes more stays where it is.
_MAX_OWN: Final = 1_000
# A value of it goes on to shape what random() gives, whatever is set afterwards.
_SEED: Final = "seed"

Scope = tuple[int, str, str, tuple[str, ...]]


@final
class State:
    """One session's settings and role. ``doubt``: something may have changed that was not seen here.

    ``temporary``: temporary relations may shadow names. ``locked``: a session-level lock may be held.
    ``unproven``: code ran that may have left anything in the session, also what nobody can ask for.
    ``listening``, ``holding``, ``prepared``: it may LISTEN, hold a cursor WITH HOLD, have used PREPARE.
    ``seeded``: what random() gives was chosen, for as long as the connection lives. ``counted``: it asks for
    the numbers that it took from sequences. ``customs``: the settings with a dot in their name that were ever
    set: they are never again as if nobody had (empty, not absent). ``set_since_begin``: anything was
    set since the last block began.
    """

    __slots__ = (
        "_baseline",
        "_current",
        "_login_role",
        "_outer",
        "_reloaded",
        "_reported",
        "_savepoints",
        "counted",
        "customs",
        "database",
        "doubt",
        "holding",
        "listening",
        "locked",
        "prepared",
        "seeded",
        "session_user",
        "set_since_begin",
        "temporary",
        "unproven",
    )

    def __init__(self, database: int, user: str, baseline: Mapping[str, str]) -> None:
        self.database = database
        self.session_user = user
        self._baseline = dict(baseline)
        self._login_role: str | None = None  # what ALTER ROLE ... SET role makes of a login
        self._current = Snapshot(dict(baseline), dict(baseline), None, None, {})
        self._outer: Snapshot | None = None
        self._savepoints: list[tuple[str, Snapshot]] = []
        self._reported: dict[str, str] = {}
        self._reloaded = False  # what RESET goes back to may be another value by now
        self.doubt = False
        self.temporary = False
        self.locked = False
        self.unproven = False
        self.listening = False
        self.holding = False
        self.prepared = False
        self.seeded = False
        self.counted = False
        self.customs: frozenset[str] = frozenset()
        self.set_since_begin = False

    def value(self, name: str) -> str:
        """The effective value of a tracked setting; "" where the origin knows none."""
        reported = self._reported.get(name)
        return reported if reported is not None else self._current.values.get(name, "")

    @property
    def current_user(self) -> str:
        """The role whose rights count now."""
        return self._current.role or self.session_user

    def is_one_of(self, roles: frozenset[str]) -> bool:
        """Has this session logged in as one of these, or does it act as one?"""
        return self.session_user in roles or self.current_user in roles

    @property
    def cache_wanted(self) -> bool:
        """``SET orrery.cache``; read as PostgreSQL reads a boolean, anything unclear is off."""
        return self.value("orrery.cache").lower() in ("", "on", "true", "t", "yes", "y", "1")

    def refusal(self) -> str:
        """Why nothing may be answered from memory under this state, in one word; "" if it may."""
        if not self.cache_wanted:
            return "off"
        if self.doubt:
            return "doubt"
        if self.value("transform_null_equals") == "on":
            return "settings"
        if self.value("gin_fuzzy_search_limit") not in ("", "0"):
            return "settings"
        if self.value("default_transaction_isolation") not in EACH_STATEMENT_ITS_SNAPSHOT:
            return "isolation"
        if self.temporary:
            return "temporary"
        return "locked" if self.locked else ""

    def scope(self) -> Scope:
        """Everything beside the statement and its parameters that an answer depends on."""
        return (
            self.database,
            self.session_user,
            self.current_user,
            tuple(self.value(n) for n in KEY_SETTINGS),
        )

    def literals(self) -> tuple[str, ...]:
        """The settings that may shape what a literal becomes when PostgreSQL reads it."""
        return tuple(self.value(name) for name in _LITERAL_SETTINGS)

    def report(self, name: str, value: str) -> None:
        """A ParameterStatus arrived: the origin's own word, transactional by itself."""
        name = name.lower()
        if name == "session_authorization":
            self.session_user = value
        elif name in _TRACKED:
            if name == "client_encoding" and value != self.value(name):
                self._names_in_another_encoding()
            self._reported[name] = value

    def _names_in_another_encoding(self) -> None:
        """The origin told them in the encoding that held then: they have to be asked for anew."""
        known = (self.value("search_path"), self.current_user, self.session_user)
        self.doubt |= not "".join(known).isascii()

    def probed(
        self, database: int, session_user: str, role: str, values: Mapping[str, str], *, first: bool
    ) -> None:
        """The origin told everything, outside a transaction. ``first``: on a connection just opened."""
        cache = self._current.values.get(_OURS, "")
        was_set_here = cache != self._baseline.get(_OURS, "")
        self.database = database
        self.session_user = session_user
        known = dict(values)
        kept_role = None if role == session_user else role
        if first:
            self._baseline = dict(values)
            self._login_role = kept_role
            self._reloaded = False
        if was_set_here:
            known[_OURS] = cache  # the origin has never heard of it
        own = {} if first else self._current.own
        self._current = Snapshot(known, dict(known), kept_role, kept_role, own)
        self._reported.clear()
        self._savepoints.clear()
        self._begin_again()
        self.doubt = False

    def reloaded(self) -> None:
        """The origin's configuration was read again: any setting, and any default, may have changed."""
        self.doubt = True
        self._reloaded = True

    def suspect(self) -> None:
        """Anything may have been set, also what nobody tracks: another connection would not know it."""
        self.doubt = True
        self.unproven = True

    def own(self) -> Own:
        """What it has set for itself outside of a transaction, in the origin's words where they are known."""
        known: Own = {}
        for name, value in self._current.own.items():
            told = self._reported.get(name, self._current.kept.get(name)) if name in _TRACKED else value
            known[name] = told
        return known

    @property
    def has_role(self) -> bool:
        """Is the role another one than that of the login?"""
        return self._current.kept_role != self._login_role

    def rests_on(self, values: Mapping[str, str]) -> bool:
        """Are these the settings at login that it goes by, and is nothing in doubt?"""
        return not (self.doubt or self._reloaded) and self._baseline == values

    def moved(self, values: Mapping[str, str], statuses: Mapping[str, str]) -> None:
        """Outside of a transaction the session goes on over another connection, which brings its own settings
        along with it: ``values`` and ``statuses`` are what they were at its login.
        """
        own, cache = self.own(), self._current.values.get(_OURS, "")
        was_set_here = cache != self._baseline.get(_OURS, "")
        self._baseline = dict(values)
        kept = self._baseline | {name: value for name, value in own.items() if value is not None}
        known = {name: kept[name] for name in self._baseline}
        if was_set_here:
            known[_OURS] = cache
        self._current = Snapshot(known, dict(known), self._login_role, self._login_role, own)
        self._reported = {
            name: own.get(name) or value
            for name, value in ((name.lower(), value) for name, value in statuses.items())
            if name in _TRACKED
        }
        self.doubt = False
        self._reloaded = False
        self._begin_again()

    def apply(self, change: StateChange, *, in_transaction: bool) -> None:
        """A statement was accepted that changed something. SET LOCAL outside a transaction does nothing."""
        self.set_since_begin = True
        if isinstance(change, Doubt):
            self.suspect()
        elif isinstance(change, DiscardAll):
            self._discard()
        elif isinstance(change, ResetAll):
            self._current.values = dict(self._baseline)
            self._current.kept = dict(self._baseline)
            self._current.own = {}
            self.doubt |= self._reloaded
        elif isinstance(change, SetRole):
            self._set_role(change, in_transaction)
        else:
            self._note_own(change)
            if change.name in _TRACKED:
                self._set(change, in_transaction)

    def failed(self, change: StateChange) -> None:
        """What would have made this change failed, maybe not before its setting came into being."""
        if isinstance(change, SetSetting) and "." in change.name and change.name != _OURS:
            self.customs |= {change.name}

    def _note_own(self, change: SetSetting | ResetSetting) -> None:
        name = change.name
        if name == _OURS:
            return
        self.seeded |= name == _SEED
        if max(len(self.customs), len(self._current.own)) >= _MAX_OWN:
            self.suspect()
            return
        if "." in name:
            self.customs |= {name}
        if change.local:
            return
        if isinstance(change, SetSetting):
            self._current.own[name] = change.value
        else:
            self._current.own.pop(name, None)

    def _set_role(self, change: SetRole, in_transaction: bool) -> None:
        if change.local and not in_transaction:
            return
        if change.role is None and self._login_role is not None:
            self.doubt = True  # RESET ROLE goes back to the role of ALTER ROLE ... SET role, NONE does not
        self._current.role = change.role
        if not change.local:
            self._current.kept_role = change.role

    def _set(self, change: SetSetting | ResetSetting, in_transaction: bool) -> None:
        if (change.local and not in_transaction) or change.name in REPORTED:
            return
        value = change.value if isinstance(change, SetSetting) else self._baseline.get(change.name, "")
        if value is None or (self._reloaded and isinstance(change, ResetSetting)):
            self.doubt = True
            return
        if isinstance(change, SetSetting) and change.name == _RESOLVED and not value.startswith(_BUILT_IN):
            self.doubt = True  # the name stands for what the search_path of this moment finds
        self._current.values[change.name] = value
        if not change.local:
            self._current.kept[change.name] = value

    def _discard(self) -> None:
        self._current = Snapshot(dict(self._baseline), dict(self._baseline), None, None, {})
        self.temporary = False
        self.locked = False
        self.unproven = False
        self.listening = False
        self.holding = False
        self.prepared = False
        self.counted = False
        self.doubt = self._reloaded or self._login_role is not None

    def begin(self) -> None:
        """A transaction began."""
        self.set_since_begin = False
        self._outer = self._current.copy()
        self._savepoints.clear()

    def _begin_again(self) -> None:
        """What is known to have stood before the transaction, in which nothing was set so far, is this."""
        if self._outer is not None:
            self._outer = self._current.copy()

    def commit(self) -> None:
        """The transaction ended well: what was LOCAL is undone."""
        now = self._current
        self._current = Snapshot(dict(now.kept), dict(now.kept), now.kept_role, now.kept_role, now.own)
        self._end()

    def rollback(self) -> None:
        """The transaction was undone, and with it every SET in it."""
        if self._outer is not None:
            self._current = self._outer
        self._end()

    def _end(self) -> None:
        self._outer = None
        self._savepoints.clear()

    def savepoint(self, name: str) -> None:
        """SAVEPOINT name."""
        self._savepoints.append((name, self._current.copy()))

    def rollback_to(self, name: str) -> None:
        """ROLLBACK TO name: the savepoint itself stays."""
        while self._savepoints:
            held, snapshot = self._savepoints[-1]
            if held == name:
                self._current = snapshot
                self._savepoints[-1] = (name, self._current.copy())
                return
            self._savepoints.pop()
        self.suspect()

    def release(self, name: str) -> None:
        """RELEASE name: it and every later one are forgotten, their settings stay."""
        while self._savepoints:
            if self._savepoints.pop()[0] == name:
                return
        self.suspect()
