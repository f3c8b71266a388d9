"""Where a session's transaction stands: its status, what
it has changed so far, whether the memory may answer in it.

Source: PostgreSQL docs, transaction-iso, "Read Committed
Isolation Level"; protocol-message-formats, "ReadyForQuery".
"""

from __future__ import annotations

from typing import Final, final

from proxy.session.state import EACH_STATEMENT_ITS_SNAPSHOT
from proxy.sql.analysis import NOTHING, QUERIES, Control, Extent, Lock, Reach, SetSetting, Statement

IDLE: Final = ord("I")
OPEN: Final = ord("T")
FAILED: Final = ord("E")

# Verbs that have their effects by this transaction alone, whatever code they run: inside a block not even
# CALL and DO can commit. COPY may start a program, LOAD a library; an unknown text may be anything.
_CONTAINED: Final = QUERIES | {"call", "do", "declare", "execute", "explain", "fetch"}


@final
class Transaction:
    """``status`` is the byte of the last ReadyForQuery; ``pending`` what a COMMIT would make visible.

    ``opaque``: something ran in it whose effects may be no part of it. ``unsent``: the text of the BEGIN that
    the client was answered and the origin has not heard of, since ``begun_at``; b"" if it has.
    ``named_isolation``: of that BEGIN, "" for the default.
    """

    __slots__ = (
        "begun_at",
        "isolation",
        "locked",
        "named_isolation",
        "opaque",
        "pending",
        "status",
        "unsent",
    )

    def __init__(self) -> None:
        self.status = IDLE
        self.pending: Reach = NOTHING
        self.isolation = ""
        self.locked = False
        self.opaque = False
        self.unsent = b""
        self.named_isolation = ""
        self.begun_at = 0.0

    @property
    def is_open_at_origin(self) -> bool:
        """Has the origin heard of the block?"""
        return self.status != IDLE and not self.unsent

    @property
    def is_ordinary(self) -> bool:
        """Has the origin heard of the block, and has it changed rows alone, all of it proven?"""
        pending = self.pending
        plain = pending.proven and not pending.ddl and pending.extent != Extent.ORIGIN
        return self.status == OPEN and not self.unsent and plain

    def hold(self, text: bytes, named_isolation: str, now: float) -> None:
        """The block that was opened stands nowhere but here."""
        self.unsent = text
        self.named_isolation = named_isolation
        self.begun_at = now

    def send(self, isolation: str) -> bytes:
        """The text of its BEGIN is on its way to the origin; ``isolation``: what it means there."""
        text, self.unsent = self.unsent, b""
        self.isolation = isolation
        return text

    def begin(self, isolation: str) -> None:
        """A transaction block was opened; ``isolation`` as BEGIN named it or as the default stands."""
        self.status = OPEN
        self.pending = NOTHING
        self.isolation = isolation
        self.locked = False
        self.opaque = False
        self.unsent = b""

    def end(self) -> None:
        """The block is over, by COMMIT or ROLLBACK."""
        self.status = IDLE
        self.pending = NOTHING
        self.isolation = ""
        self.locked = False
        self.opaque = False
        self.unsent = b""

    def ran(self, statement: Statement) -> None:
        """A statement was sent inside the block: remember what its COMMIT will change, and its locks."""
        self.holds(statement)
        command = statement.transaction
        if command is not None and command.control == Control.SET_TRANSACTION and command.isolation:
            self.isolation = command.isolation
        for change in statement.state:
            if isinstance(change, SetSetting) and change.name == "transaction_isolation":
                self.isolation = change.value or "unknown"

    def holds(self, statement: Statement) -> None:
        """What this statement changed and locked belongs to the block."""
        self.pending |= statement.reach
        if not statement.reach.proven and statement.verb not in _CONTAINED:
            self.opaque = True
        if statement.lock != Lock.NONE:
            self.locked = True

    def refusal(self) -> str:
        """Why the memory may not answer inside this block, in one word; "" where it may."""
        if self.status == IDLE:
            return ""
        if self.status == FAILED:
            return "failed"
        if self.isolation not in EACH_STATEMENT_ITS_SNAPSHOT:
            return "isolation"
        if self.pending.extent != Extent.NOTHING:
            return "transaction"
        return "locked" if self.locked else ""
