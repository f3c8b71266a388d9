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

    ``opaque``: something ran in it whose effects may be no part of it.
    """

    __slots__ = ("isolation", "locked", "opaque", "pending", "status")

    def __init__(self) -> None:
        self.status = IDLE
        self.pending: Reach = NOTHING
        self.isolation = ""
        self.locked = False
        self.opaque = False

    def begin(self, isolation: str) -> None:
        """A transaction block was opened; ``isolation`` as BEGIN named it or as the default stands."""
        self.status = OPEN
        self.pending = NOTHING
        self.isolation = isolation
        self.locked = False
        self.opaque = False

    def end(self) -> None:
        """The block is over, by COMMIT or ROLLBACK."""
        self.status = IDLE
        self.pending = NOTHING
        self.isolation = ""
        self.locked = False
        self.opaque = False

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
