"""The path of a hit: runs of one remembered statement, answered from the bytes as they came.

What every driver sends for one read, one or many in a packet: [Parse] Bind [Describe] Execute Sync on the
unnamed portal, or Query. Nothing is cut into frames, nothing is built; whatever is not just that, or is not
remembered, is left for the session's long way, which knows all cases and comes to the same answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from proxy.session import block
from proxy.session.statements import Prepared
from proxy.session.transaction import IDLE
from proxy.wire import backend, frontend
from proxy.wire.framing import HEAD, HEADER

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.session.shapes import Shape

# What follows Bind: the unnamed portal, all rows, as every driver wants them that has no cursor open.
PLAIN: Final = frontend.execute(b"") + frontend.SYNC_FRAME
DESCRIBED: Final = frontend.describe(frontend.PORTAL, b"") + PLAIN
_BIND_DONE: Final = backend.BIND_COMPLETE_FRAME
_PARSE_AND_BIND_DONE: Final = backend.PARSE_COMPLETE_FRAME + backend.BIND_COMPLETE_FRAME


@final
class Hits:
    """For ``session``, while it is between batches and the memory may answer it. What is remembered, and the
    commands around it, of which the origin need not hear (``block.py``).

    No length is held against a limit here: what is remembered has kept to it when it was asked first.
    """

    __slots__ = ("_memory", "_outlook", "_session", "_statements", "_transaction")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._memory = session.memory
        self._outlook = session.outlook
        self._statements = session.statements
        self._transaction = session.transaction

    def answer(self, data: bytes) -> int:
        """Answer what ``data`` begins with, run by run; where the first that is left begins."""
        session = self._session
        at, last = 0, len(data) - HEADER
        while at <= last:
            kind, length = HEAD(data, at)
            stop = at + 1 + length
            if length <= 4 or stop > len(data):
                break
            if kind == frontend.BIND:
                after = self._bind(data, at, stop, None)
            elif kind == frontend.QUERY:
                after = self._query(data, at, stop)
            elif kind == frontend.PARSE:
                after = self._parse(data, at, stop)
            else:
                break
            if not after:
                break
            at = after
            if at <= last and (session.is_full() or not session.may_answer):
                break
        return at

    def _query(self, data: bytes, at: int, stop: int) -> int:
        """Where the Query ends if it is answered, else 0; so do the others."""
        if data.find(0, at + HEADER) != stop - 1:
            return 0
        shape = self._outlook.here.get(data[at + HEADER : stop - 1])
        if shape is None:
            return 0
        session = self._session
        if shape.slot is None:
            return stop if shape.command is not None and block.answer_query(session, shape) else 0
        entry = self._memory.lookup(shape.slot, b"", session.now)
        if entry is None:
            return 0
        session.hit(shape, entry)
        self._statements.end_unnamed()
        session.out += (entry.payload, backend.READY[self._transaction.status])
        return stop

    def _parse(self, data: bytes, at: int, stop: int) -> int:
        """Of the unnamed statement; a name may be in use, and PostgreSQL then has an error to say."""
        key = unnamed_key(data, at, stop)
        if not key or stop + HEADER > len(data):
            return 0
        shape = self._outlook.here.get(key)
        kind, length = HEAD(data, stop)
        if shape is None or kind != frontend.BIND or length <= 4:
            return 0
        return self._bind(data, stop, stop + 1 + length, shape)

    def _bind(self, data: bytes, at: int, stop: int, parsed: Shape | None) -> int:
        """The run that begins with this Bind; ``parsed``: the shape of the Parse before it."""
        if data.startswith(DESCRIBED, stop):
            flag, after = b"T", stop + len(DESCRIBED)
        elif data.startswith(PLAIN, stop):
            flag, after = b"-", stop + len(PLAIN)
        else:
            return 0
        end = data.find(0, at + HEADER + 1, stop)
        if data[at + HEADER] or end < 0:
            return 0
        name = data[at + HEADER + 1 : end]
        statement = self._statements.named.get(name) if parsed is None else self._parsed(name, parsed)
        if statement is None or statement.scope != self._outlook.scope:
            return 0
        shape = statement.shape
        if shape is None or shape.slot is None or statement.form is not shape.form:
            return 0
        session = self._session
        entry = self._memory.lookup(shape.slot, flag + data[end + 1 : stop], session.now)
        if entry is None:
            return 0
        status = self._transaction.status
        session.hit(shape, entry)
        if parsed is not None:
            self._statements.named[b""] = statement
        self._statements.portals[b""] = statement
        self._statements.portal_is_ours = status != IDLE
        done = _BIND_DONE if parsed is None else _PARSE_AND_BIND_DONE
        session.out += (done, entry.payload, backend.READY[status])
        return after

    def _parsed(self, name: bytes, shape: Shape) -> Prepared | None:
        """What Bind speaks of behind a Parse of the unnamed statement with this shape."""
        if name:
            return None
        known = self._statements.named.get(b"")
        if (
            known is not None
            and known.shape is shape
            and known.scope == self._outlook.scope
            and known.form is shape.form
            and known.is_local
        ):
            return known  # parsed once more: it would be the same in every respect
        text, _, types = shape.key.partition(b"\0")
        return Prepared(b"", text, types, self._outlook.scope, shape, None)


def unnamed_key(data: bytes, at: int, stop: int) -> bytes:
    """The key of its shape, of a Parse of the unnamed statement; b"" of any other, or of a broken one."""
    end = data.find(0, at + HEADER + 1, stop)
    if data[at + HEADER] or not 0 < end <= stop - 3:
        return b""
    types = data[end + 3 : stop]
    if len(types) != 4 * (data[end + 1] << 8 | data[end + 2]):
        return b""
    return data[at + HEADER + 1 : end + 1] + types
