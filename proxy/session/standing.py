"""What a connection to the origin holds from one transaction to the next, and so from one client to the next.

Source: PostgreSQL docs, sql-discard; functions-admin, "Configuration Settings Functions".
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Container, Mapping
from typing import Final, final

from proxy.session.probe import Learnt
from proxy.session.snapshot import Own
from proxy.session.virtual import Virtual
from proxy.wire import frontend

# Settings that any role may set, whose values are checked against nothing but themselves: what the origin has
# accepted on one connection it accepts on the next. Only so may a statement follow in the same flight.
# Source: PostgreSQL, utils/misc/guc_tables.c (PGC_USERSET, without a check that looks at the catalogue).
_SURE: Final = frozenset(
    (
        *("application_name", "client_min_messages", "client_encoding", "search_path", "timezone"),
        *("datestyle", "intervalstyle", "extra_float_digits", "bytea_output", "array_nulls", "row_security"),
        *("quote_all_identifiers", "standard_conforming_strings", "escape_string_warning", "backslash_quote"),
        *("transform_null_equals", "xmlbinary", "xmloption", "lc_monetary", "lc_numeric", "lc_time"),
        *("default_transaction_isolation", "default_transaction_read_only"),
        *("default_transaction_deferrable", "synchronous_commit", "check_function_bodies"),
        *("work_mem", "maintenance_work_mem", "hash_mem_multiplier", "effective_cache_size", "jit"),
        *("random_page_cost", "seq_page_cost", "default_statistics_target", "plan_cache_mode"),
        *("from_collapse_limit", "join_collapse_limit", "geqo", "cursor_tuple_fraction"),
        *("enable_bitmapscan", "enable_hashagg", "enable_hashjoin", "enable_indexonlyscan"),
        *("enable_indexscan", "enable_material", "enable_memoize", "enable_mergejoin", "enable_nestloop"),
        *("enable_seqscan", "enable_sort", "enable_tidscan", "enable_partitionwise_join"),
        *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"),
    )
)
# Words by which a text speaks of what its session has done before: of its sequences, of what random() will
# give.
ASKS_SEQUENCES: Final = re.compile(rb"currval|lastval", re.IGNORECASE)
SEEDS: Final = re.compile(rb"setseed", re.IGNORECASE)
_TIMEOUT: Final = "statement_timeout"
# A shorter one could end the very statement that sets it.
_SHORTEST_TIMEOUT: Final = 1_000

_NAME: Final = b"orrery_settings"
_CLOSE: Final = frontend.close(frontend.STATEMENT, _NAME)
_FORGET_SEQUENCES: Final = b"".join(
    (
        frontend.close(frontend.STATEMENT, b"orrery_sequences"),
        frontend.parse(b"orrery_sequences", b"DISCARD SEQUENCES"),
        frontend.bind(b"", b"orrery_sequences"),
        frontend.execute(b""),
        frontend.close(frontend.STATEMENT, b"orrery_sequences"),
    )
)


def can_be_carried(own: Own) -> bool:
    """Can another connection be given these settings, surely and in the flight of the statement itself?"""
    return all(_is_sure(name, value) for name, value in own.items())


def _is_sure(name: str, value: str | None) -> bool:
    if value is None or not value.isascii() or not (name in _SURE or "." in name):
        return False
    if name != _TIMEOUT:
        return True
    return value.isdigit() and len(value) < 10 and (int(value) == 0 or int(value) >= _SHORTEST_TIMEOUT)


@final
class Standing:
    """``settings``: those that differ from the login's. ``statuses``: what ParameterStatus told last.

    ``spoiled``: it may hold what no command takes away: no other client gets it. ``customs``: the settings
    with a dot in their name that were ever set. ``counted_for``: whose sequences currval() and lastval()
    tell. ``has_statements``: whom it served last has prepared statements here, which elsewhere would have to
    be prepared again.
    """

    __slots__ = (
        "_limit",
        "_prepared",
        "counted_for",
        "customs",
        "has_statements",
        "learnt",
        "settings",
        "spoiled",
        "statuses",
    )

    def __init__(self, learnt: Learnt, statuses: Mapping[str, str], max_statements: int) -> None:
        self.learnt = learnt
        self.statuses = dict(statuses)
        self.settings: dict[str, str] = {}
        self.customs: frozenset[str] = frozenset()
        self.counted_for: object | None = None
        self.spoiled = False
        self.has_statements = False
        self._prepared: OrderedDict[Virtual, None] = OrderedDict()
        self._limit = max_statements

    # Settings

    def carry(self, own: Own, customs: frozenset[str], session: object) -> bytes:
        """The messages, with Sync, that make this connection one of ``session``, which has these settings
        of its own (all of them can be carried); b"" where it is already.
        """
        if self._has_just(own, customs) and self.counted_for in (None, session):
            return b""
        changed: list[tuple[bytes, bytes | None]] = [
            (name.encode(), None) for name in (self.settings.keys() | customs - self.customs) - own.keys()
        ]
        changed += [
            (name.encode(), value.encode())
            for name, value in own.items()
            if value is not None and self.settings.get(name) != value
        ]
        stranger = self.counted_for not in (None, session)
        if not changed and not stranger:
            return b""
        frames = _assign(changed) if changed else b""
        if stranger:
            frames += _FORGET_SEQUENCES
        return frames + frontend.SYNC_FRAME

    def carried(self, own: Own, customs: frozenset[str], session: object) -> None:
        """``carry`` has succeeded; or the session itself has set all this here."""
        if not self._has_just(own, customs):
            self.settings = {name: value for name, value in own.items() if value is not None}
            self.customs |= customs
        if self.counted_for is not session:
            self.counted_for = None

    def _has_just(self, own: Own, customs: frozenset[str]) -> bool:
        """Neither has set anything, as most sessions never do."""
        return not (own or self.settings or customs or self.customs)

    # Prepared statements

    def knows(self, virtual: Virtual) -> bool:
        """Is it prepared here? It counts as used now."""
        if virtual not in self._prepared:
            return False
        self._prepared.move_to_end(virtual)
        return True

    def prepared(self, virtual: Virtual) -> None:
        """A Parse of this name is on its way."""
        self._prepared[virtual] = None
        self._prepared.move_to_end(virtual)

    def forget(self, virtual: Virtual) -> None:
        """What stands behind this name here is not to be relied on: it is closed before its next Parse."""
        self._prepared.pop(virtual, None)

    @property
    def is_crowded(self) -> bool:
        """Is more prepared here than may stay?"""
        return len(self._prepared) > self._limit

    def make_room(self, used: Container[Virtual]) -> list[bytes]:
        """Close of those unused for longest that are too many, but for ``used``."""
        closes: list[bytes] = []
        if not self.is_crowded:
            return closes
        for virtual in list(self._prepared)[: len(self._prepared) - self._limit]:
            if virtual not in used:
                del self._prepared[virtual]
                closes.append(virtual.close_frame)
        return closes

    def deallocated(self) -> None:
        """DEALLOCATE ALL or DISCARD ALL: no statement is prepared here any more."""
        self._prepared.clear()


def _assign(changed: list[tuple[bytes, bytes | None]]) -> bytes:
    """One SELECT of set_config() for all of them; NULL resets."""
    calls = ", ".join(
        f"pg_catalog.set_config(${at}, ${at + 1}, false)" for at in range(1, 2 * len(changed), 2)
    )
    values = [part for pair in changed for part in pair]
    return b"".join(
        (
            _CLOSE,
            frontend.parse(_NAME, b"SELECT " + calls.encode()),
            frontend.bind(b"", _NAME, frontend.bind_texts(values)),
            frontend.execute(b""),
            _CLOSE,
        )
    )
