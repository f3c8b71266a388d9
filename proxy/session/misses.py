"""The path of a miss: one ordinary statement, alone in its packet, sent on from the bytes as they came.

*Ordinary* is what reads or writes rows, all of it proven, and leaves nothing else behind: no setting, lock or
name; and the BEGIN, COMMIT or ROLLBACK of a block of nothing else. With nothing on its way and nothing in
doubt, little is left to be asked of such a statement; its answer, if it comes in one piece, is settled
without being cut. Whatever is not just that is left for the session's long way, which does the same and knows
all cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from proxy.session import batch as steps
from proxy.session import naming, rows
from proxy.session.batch import Batch, Read
from proxy.session.hits import DESCRIBED, PLAIN, unnamed_key
from proxy.session.statements import Prepared
from proxy.session.transaction import IDLE
from proxy.sql.analysis import NOTHING, Control
from proxy.wire import frontend
from proxy.wire.framing import HEAD, HEADER

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.session.shapes import Shape
    from proxy.sql.analysis import Statement


@final
class Misses:
    """For ``session``, while it is between batches."""

    __slots__ = ("_max_bytes", "_outlook", "_session", "_state", "_statements", "_transaction")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._outlook = session.outlook
        self._state = session.state
        self._statements = session.statements
        self._transaction = session.transaction
        options = session.shared.options
        self._max_bytes: Final = min(options.hold_bytes, options.max_message_bytes)

    def may_pass(self) -> bool:
        """Is nothing known of this session that a statement could meet on its way?"""
        state, transaction = self._state, self._transaction
        if transaction.status == IDLE:
            ordinary = self._session.refused in ("", "off")
        else:
            ordinary = transaction.is_ordinary and state.refusal() in ("", "off")
        return (
            ordinary
            and not (state.doubt or state.unproven or state.temporary)
            and not (self._statements.sql_named or self._statements.cursors)
        )

    def send(self, data: bytes) -> bool:
        """Send what ``data`` holds, all of it, if it is one ordinary statement."""
        size = len(data)
        if not HEADER < size <= self._max_bytes:
            return False
        kind, length = HEAD(data, 0)
        stop = 1 + length
        if kind == frontend.BIND and HEADER < stop < size:
            return self._bind(data, 0, stop, None)
        if kind == frontend.PARSE and HEADER < stop < size:
            return self._parse(data, stop)
        return kind == frontend.QUERY and stop == size and self._query(data)

    def _query(self, data: bytes) -> bool:
        if data.find(0, HEADER) != len(data) - 1:
            return False
        shape = self._outlook.here.get(data[HEADER:-1])
        if shape is None or not self._is_known(shape):
            return False
        batch = Batch()
        batch.simple = shape
        batch.add(steps.QUERY, data)
        if shape.command is not None:
            sent = self._command(batch, shape.command)
        else:
            sent = self._send(batch, shape, b"", None)
        if not sent:
            return False
        statements = self._statements
        statements.named.pop(b"", None)
        statements.portals.pop(b"", None)
        statements.foreign_unnamed = statements.unnamed_ended = statements.portal_is_ours = False
        return True

    def _command(self, batch: Batch, statement: Statement) -> bool:
        """BEGIN in an idle session, or the end of a block."""
        session, transaction, command = self._session, self._transaction, statement.transaction
        assert command is not None
        reach = NOTHING
        if command.control == Control.BEGIN:
            if transaction.status != IDLE or self._has_to_be_told():
                return False
        elif command.control not in (Control.COMMIT, Control.ROLLBACK) or command.chain:
            return False
        elif transaction.status == IDLE:
            return False  # the origin has a warning to say
        elif command.control == Control.COMMIT:
            reach = transaction.pending
        if not self._has_origin():
            return False
        session.uplink.send_ordinary(batch, statement, reach, statement.reason or session.refused, [])
        return True

    def _has_to_be_told(self) -> bool:
        """Has the origin not heard of all statements? Where they keep their names it does before a block."""
        return not self._session.shared.options.sharing and bool(self._statements.local())

    def _parse(self, data: bytes, stop: int) -> bool:
        """Of the unnamed statement; a name may be in use, and PostgreSQL then has an error to say."""
        key = unnamed_key(data, 0, stop)
        shape = self._outlook.here.get(key) if key else None
        kind, length = HEAD(data, stop) if stop + HEADER < len(data) else (0, 0)
        if shape is None or kind != frontend.BIND or not HEADER - 1 < length < len(data) - stop:
            return False
        text, _, types = key.partition(b"\0")
        prepared = Prepared(b"", text, types, self._outlook.scope, shape, None)
        return self._bind(data, stop, stop + 1 + length, prepared)

    def _bind(self, data: bytes, at: int, stop: int, parsed: Prepared | None) -> bool:
        """The run that begins with this Bind; ``parsed``: by the Parse before it."""
        described = data.startswith(DESCRIBED, stop)
        if self._statements.unnamed_ended or self._statements.portal_is_ours:
            return False  # the origin has yet to hear of what answering has ended; a Query does so by itself
        if data[at + HEADER] or stop + len(DESCRIBED if described else PLAIN) != len(data):
            return False
        if not (described or data.startswith(PLAIN, stop)):
            return False
        end = data.find(0, at + HEADER + 1, stop)
        name = data[at + HEADER + 1 : end]
        if end < 0 or (parsed is not None and name):
            return False
        prepared = parsed or self._statements.named.get(name)
        if prepared is None or prepared.own is not None or prepared.scope != self._outlook.scope:
            return False
        shape = prepared.shape
        if shape is None or prepared.form is not shape.form or not self._is_known(shape):
            return False
        if shape.ordinary is None:
            return False
        read = Read(prepared, b"", data[end + 1 : stop], parsed=parsed is not None)
        read.described = described
        read.executed = True
        batch = Batch()
        batch.reads.append(read)
        batch.runs.append(prepared)
        if parsed is not None:
            batch.plan.append(steps.PARSE)
            batch.parsed.append((parsed, self._statements.named.get(b"")))
        batch.plan += steps.DESCRIBED_RUN if described else steps.RUN
        virtual = prepared.virtual
        bind = data[:stop] if virtual is None else frontend.bind(b"", virtual.name, read.tail)
        batch.frames += (bind, data[stop:])
        if not self._send(batch, shape, read.key, prepared):
            return False
        if parsed is not None:
            self._statements.named[b""] = parsed
            self._statements.foreign_unnamed = False
        self._statements.portals[b""] = prepared
        return True

    def _is_known(self, shape: Shape) -> bool:
        """Was it analysed by the present catalogue, and may it be ordinary?"""
        catalogue = self._session.database.catalogue
        known = catalogue is not None and shape.catalogue is catalogue
        return known and (shape.ordinary is not None or shape.command is not None)

    def _send(self, batch: Batch, shape: Shape, key: bytes, prepared: Prepared | None) -> bool:
        session = self._session
        statement = shape.ordinary
        assert statement is not None
        refusal = statement.reason or session.refused
        slot = shape.slot
        if not refusal and (slot is None or session.memory.join(slot, key, session.now) is not None):
            return False
        if not self._has_origin():
            return False
        reach = statement.reach
        if prepared is not None:
            # With the types of its Parse, which may be that of another client at this connection.
            sure = not reach.changes or naming.has_present_types(session, prepared)
            reach = rows.bound_reach(reach, prepared if sure else None, key[1:])
            if not self._is_prepared(prepared, shape, parsed=bool(batch.parsed)):
                session.uplink.let_go()
                return False
        session.uplink.send_ordinary(batch, statement, reach, refusal, [(shape, key)])
        return True

    def _has_origin(self) -> bool:
        """Is a connection there, or free to be had at once, under the settings that were thought of?"""
        session = self._session
        if session.uplink.origin is not None:
            return True
        if session.is_queued or not session.shared.options.sharing or self._transaction.status != IDLE:
            return False  # one is on its way; or the block's own is lost
        scope, refused = self._outlook.scope, session.refused
        session.borrows = True
        try:
            lent = session.port.borrow_origin()
        finally:
            session.borrows = False
        if lent and (self._outlook.scope != scope or session.refused != refused or not session.passes):
            session.uplink.let_go()
            return False
        return lent

    def _is_prepared(self, prepared: Prepared, shape: Shape, *, parsed: bool) -> bool:
        """Does the connection know it, or hear of it in this very flight, its literals read as they would be
        now?
        """
        literals, standing = self._outlook.literals, self._session.uplink.tenancy.standing
        if standing is not None and standing.is_crowded:
            return False
        if parsed:
            self._statements.told(prepared)
            prepared.literals = literals
            prepared.parameters = rows.parameters(shape)
            return True
        if not prepared.at_origin:
            virtual = prepared.virtual
            if standing is None or virtual is None or not standing.knows(virtual):
                return False
            self._statements.told(prepared)
            prepared.literals = literals
            return True
        return prepared.literals is literals or prepared.literals == literals
