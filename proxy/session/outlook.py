"""What texts mean to one session now, and whether the memory may answer them.

Texts are resolved to shapes under the session's scope;
both hold until its settings, role or catalogue move.
"""

from __future__ import annotations

from typing import final

from proxy.schema.columns import may_be_meant
from proxy.session.batch import Batch, Read
from proxy.session.database import Database
from proxy.session.effects import UNKNOWN_STATEMENT
from proxy.session.shapes import Shape, added_columns
from proxy.session.shared import Shared
from proxy.session.state import State
from proxy.session.statements import UNKNOWN_SCOPE, Prepared
from proxy.session.transaction import Transaction
from proxy.session.understanding import understand
from proxy.sql.analysis import Statement
from proxy.sql.proof.dates import is_moving
from proxy.wire import frontend


@final
class Outlook:
    """``scope`` and ``here`` (the shapes of that scope) are what the path of a hit looks at."""

    __slots__ = ("_database", "_moved", "_shared", "_state", "_transaction", "here", "literals", "scope")

    def __init__(self, shared: Shared, database: Database, state: State, transaction: Transaction) -> None:
        self._shared = shared
        self._database = database
        self._state = state
        self._transaction = transaction
        self._moved = True
        self.scope = UNKNOWN_SCOPE
        self.here = shared.shapes.of(UNKNOWN_SCOPE)
        self.literals: tuple[str, ...] = ()
        self.refresh()

    def state_moved(self) -> None:
        """Settings or role may have changed: the scope is worked out anew at the next ``refresh``."""
        self._moved = True

    def refresh(self) -> None:
        """Bring the scope in line with the session's state."""
        if self._moved:
            self._moved = False
            self.scope = self._shared.scopes.intern(self._state.scope())
            self.here = self._shared.shapes.of(self.scope)
            self.literals = self._state.literals()

    def refusal(self) -> str:
        """Why the memory may answer nothing under this state, in one word; "" if it may."""
        if not self._shared.options.cache:
            return "off"
        refusal = self._transaction.refusal() or self._state.refusal()
        return refusal or ("catalogue" if self._database.catalogue is None else "")

    def shape_of(self, key: bytes) -> Shape:
        """The shape of a text (with a NUL and its parameter types, for Parse) in the present scope."""
        found = self.here.get(key)
        return found if found is not None else self._shared.shapes.add(self.scope, self.here, key)

    def understood(self, key: bytes) -> Shape:
        """The same, analysed."""
        shape = self.shape_of(key)
        self.understand(shape)
        return shape

    def understand(self, shape: Shape) -> None:
        """See to it that the shape's analysis holds for the present catalogue."""
        understand(shape, self._shared, self._database, self._state)

    def statements_now(self, prepared: Prepared | None) -> tuple[Statement, ...]:
        """What a prepared statement does under the present
        settings: PostgreSQL plans anew when the path changes.
        """
        if prepared is None or prepared.own is not None:
            return (UNKNOWN_STATEMENT,)
        shape = prepared.shape
        if shape is None or prepared.scope != self.scope:
            shape = self.shape_of(prepared.text + b"\0" + prepared.types)
        self.understand(shape)
        assert shape.analysis is not None
        return shape.analysis.statements

    def examine(self, batch: Batch, refusal: str) -> tuple[str, list[tuple[Shape, bytes]]]:
        """Why the memory may not answer this batch, in one word; or the shapes and keys of its reads.

        ``refusal`` is what the session as a whole has against it.
        """
        reads: list[tuple[Shape, bytes]] = []
        for shape in shapes_in(batch):
            self.understand(shape)
        for prepared, _ in batch.parsed:
            if prepared.shape is not None and not prepared.at_origin:
                prepared.form = prepared.shape.form  # nobody has parsed it yet
        for read in batch.reads:
            if read.statement is not None:
                _follow_new_columns(read.statement)
        if batch.simple is not None:
            reason = reason_of(batch.simple) or ("pipeline" if len(batch.plan) > 1 else "")
            return reason or refusal, [(batch.simple, b"")]
        if not batch.reads:
            return refusal or "unknown", reads
        for read in batch.reads:
            reason = self._reason_of_read(read)
            if reason:
                return reason, reads
            assert read.statement is not None
            assert read.statement.shape is not None
            reads.append((read.statement.shape, read.key))
        return refusal or ("" if batch.plain else "pipeline"), reads

    def lacks_catalogue(self, batch: Batch, refusal: str) -> bool:
        """Is this a read, or the preparing of one, that a newer
        catalogue might admit, in a session that the memory may answer?
        """
        shapes = [prepared.shape for prepared, _ in batch.parsed if prepared.shape is not None]
        if not batch.waited_catalogue and self._lacks_names(shapes + shapes_in(batch)):
            return True
        if batch.waited_catalogue or refusal not in ("", "catalogue"):
            return False
        if batch.simple is not None or batch.plain:
            shapes += shapes_in(batch)
        return any(self._might_be_admitted(shape) for shape in shapes)

    def _lacks_names(self, shapes: list[Shape]) -> bool:
        """Would these reach everything for want of a catalogue alone? Not inside a block, which may hold the
        very lock that the reading waits for.
        """
        if self._database.catalogue is not None or self._transaction.is_open_at_origin:
            return False
        for shape in shapes:
            self.understand(shape)
        reaches = [
            s.reach for shape in shapes if shape.analysis is not None for s in shape.analysis.statements
        ]
        return self._shared.options.cache and any(not reach.proven and not reach.ddl for reach in reaches)

    def _might_be_admitted(self, shape: Shape) -> bool:
        self.understand(shape)
        analysis = shape.analysis
        if analysis is None or [s.verb for s in analysis.statements] != ["select"]:
            return False
        return analysis.unknown_relations or self._database.catalogue is None

    def _reason_of_read(self, read: Read) -> str:
        statement = read.statement
        if statement is None or statement.shape is None:
            return "unknown"
        reason = reason_of(statement.shape)
        if reason:
            return reason
        if statement.scope != self.scope:
            return "settings"
        if statement.form is not statement.shape.form:
            return "form"
        if not read.executed or read.max_rows > 0:
            return "portal"
        return "date" if _has_moving_date(statement.shape, read) else ""


def _follow_new_columns(prepared: Prepared) -> None:
    """Columns that its relations got since its Parse change nothing of what it was told, if it cannot mean
    them: no word of it is their name, and it speaks of no whole row.
    """
    shape = prepared.shape
    if shape is None or shape.analysis is None or prepared.form is None or shape.form is None:
        return
    if prepared.form is shape.form or any(one.whole_rows for one in shape.analysis.statements):
        return
    added = added_columns(prepared.form, shape.form)
    if added is not None and not any(may_be_meant(name, prepared.text) for name in added):
        prepared.form = shape.form


def shapes_in(batch: Batch) -> list[Shape]:
    """Of every statement that this batch runs, in order."""
    if batch.simple is not None:
        return [batch.simple]
    return [
        r.statement.shape for r in batch.reads if r.statement is not None and r.statement.shape is not None
    ]


def reason_of(shape: Shape) -> str:
    """Why this text may not be answered from memory whatever the session, in one word; "" if it may."""
    analysis = shape.analysis
    assert analysis is not None
    if len(analysis.statements) != 1:
        return "several" if analysis.statements else "empty"
    return analysis.statements[0].reason


def _has_moving_date(shape: Shape, read: Read) -> bool:
    analysis = shape.analysis
    assert analysis is not None
    numbers = analysis.statements[0].date_parameters
    if not numbers:
        return False
    if not frontend.bind_is_well_formed(read.tail):
        return True
    parameters = frontend.bind_parameters(read.tail)
    return any(n > len(parameters) or _moves(*parameters[n - 1]) for n in numbers)


def _moves(code: int, value: bytes | None) -> bool:
    return is_moving(value or b"", binary=code != 0)
