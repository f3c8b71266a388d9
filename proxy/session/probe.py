"""Asking the origin for everything that shapes answers
and that no message tells: one row, outside transactions.

The statement has a reserved name and is closed in the same flight: it must neither replace the client's
unnamed statement nor outlive a DISCARD. Everything in it is schema-qualified, for the search_path is the
client's. Source: PostgreSQL docs, functions-info, "Session Information Functions"; view-pg-locks.
"""

from __future__ import annotations

from typing import Final, final

from proxy.session.state import TRACKED, State
from proxy.wire import frontend
from proxy.wire.framing import HEADER

_NAME: Final = b"orrery_probe"
_BACKEND_START: Final = 4  # its place in the row
_FACTS: Final = 12  # what stands before the settings in it

_SETTINGS: Final = ", ".join(f"pg_catalog.current_setting('{name}', true)" for name in TRACKED).replace(
    "pg_catalog.current_setting('search_path', true)",
    # Set to what it is, and back by itself at the end: else an older PostgreSQL may keep schemas in the path
    # that the role may not use any more (see Catalogue.roles_regrouped).
    "pg_catalog.set_config('search_path', pg_catalog.current_setting('search_path'), true)",
)

# A relation lock above ROW EXCLUSIVE, or any advisory lock, was taken in order to see the latest state.
_LOCKED: Final = """EXISTS (SELECT FROM pg_catalog.pg_locks AS l
 WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted
 AND (l.locktype OPERATOR(pg_catalog.=) 'advisory'
  OR (l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY[
   'AccessShareLock', 'RowShareLock', 'RowExclusiveLock']))))"""

# As a whole number: how one with a fraction prints depends on the settings we are asking about.
_MICROSECONDS: Final = "(pg_catalog.date_part('epoch', {}) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8"

TEXT: Final = f"""SELECT session_user, current_user,
 (SELECT d.oid FROM pg_catalog.pg_database AS d
  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
 pg_catalog.pg_backend_pid(),
 (SELECT {_MICROSECONDS.format("a.backend_start")}
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a),
 {_MICROSECONDS.format("pg_catalog.pg_postmaster_start_time()")},
 pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid,
 {_LOCKED},
 EXISTS (SELECT FROM pg_catalog.pg_prepared_statements AS s WHERE s.from_sql),
 EXISTS (SELECT FROM pg_catalog.pg_listening_channels()),
 EXISTS (SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable),
 (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) session_user),
 {_SETTINGS}"""

FRAMES: Final = b"".join(
    (
        frontend.close(frontend.STATEMENT, _NAME),
        frontend.parse(_NAME, TEXT.encode()),
        frontend.bind(_NAME, _NAME),
        frontend.execute(_NAME),
        frontend.close(frontend.STATEMENT, _NAME),
    )
)


@final
class Learnt:
    """What the origin said of one of its sessions. Times are microseconds since 1970, as text;
    ``backend_start`` is "" where the session's role may not see it; ``role_oid`` that of the session's user.
    """

    __slots__ = (
        "backend_start",
        "database",
        "holding",
        "listening",
        "locked",
        "postmaster_start",
        "prepared_by_sql",
        "process_id",
        "role",
        "role_oid",
        "session_user",
        "temporary",
        "values",
    )

    def __init__(self, fields: list[str]) -> None:
        self.session_user = fields[0]
        self.role = fields[1]
        self.database = int(fields[2])
        self.process_id = int(fields[3])
        self.backend_start = fields[_BACKEND_START]
        self.postmaster_start = fields[5]
        self.temporary = fields[6] == "t"
        self.locked = fields[7] == "t"
        self.prepared_by_sql = fields[8] == "t"
        self.listening = fields[9] == "t"
        self.holding = fields[10] == "t"
        self.role_oid = fields[11]
        self.values = dict(zip(TRACKED, fields[_FACTS:], strict=True))

    def apply(self, state: State, *, first: bool) -> None:
        """Bring a session's state in line. ``first``: this connection has just been opened for it."""
        state.probed(self.database, self.session_user, self.role, self.values, first=first)
        state.temporary = self.temporary
        state.locked = self.locked
        state.prepared = self.prepared_by_sql
        state.listening = self.listening
        state.holding = self.holding


def read(row: bytes) -> Learnt | None:
    """The answer from its DataRow; None where there is none, which proves nothing."""
    fields: list[str] = []
    at = HEADER + 2
    while at < len(row):
        length = int.from_bytes(row[at : at + 4], "big", signed=True)
        at += 4
        fields.append("" if length < 0 else row[at : at + length].decode("utf-8", "surrogateescape"))
        at += max(length, 0)
    # A role that may not see when its own backend began is told nothing of it.
    numbers = [field for at, field in enumerate(fields[2:6], start=2) if field or at != _BACKEND_START]
    sound = len(fields) == _FACTS + len(TRACKED) and all(
        n.isascii() and n.isdigit() and len(n) < 20 for n in numbers
    )
    return Learnt(fields) if sound else None
