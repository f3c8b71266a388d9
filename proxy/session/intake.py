"""A client's messages become batches: names are resolved
to statements, the shape of the batch is noted on the way.

Source: PostgreSQL docs, protocol-flow, "Extended Query"; protocol-message-formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Final, final

from proxy.errors import TooManyNames
from proxy.session import batch as steps
from proxy.session.batch import Batch, OwnStep, Read
from proxy.session.shapes import Shape
from proxy.session.statements import Prepared, Statements
from proxy.session.virtual import CLOSE_NOTHING, Virtual
from proxy.sql import commands
from proxy.wire import frontend

# Names of one session, and what the texts behind them take together. PostgreSQL would have filled gigabytes
# with the plans behind as many.
MAX_NAMES: Final = 100_000
MAX_TEXT_BYTES: Final = 256 << 20


@final
class Intake:
    """``shape_of`` gives the shape of a text (and parameter types) under the session's present scope.
    ``virtual_of``: the name that the origin gets for a statement, None for the client's own.
    """

    __slots__ = ("_parsed_bytes", "_shape_of", "_statements", "_virtual_of", "batch")

    def __init__(
        self,
        statements: Statements,
        shape_of: Callable[[bytes], Shape],
        virtual_of: Callable[[Prepared], Virtual | None] = lambda _: None,
    ) -> None:
        self._statements = statements
        self._shape_of = shape_of
        self._parsed_bytes = 0  # of texts since they were last counted, those that were held then included
        self._virtual_of = virtual_of
        self.batch = Batch()

    def finish(self) -> Batch:
        """Hand over the batch that has just been ended, and begin the next one."""
        batch = self.batch
        self.batch = Batch()
        return batch

    def parse(self, raw: bytes, scope: int) -> None:
        """Parse: the name stands for this text from now on, should the origin accept it."""
        name, text, types = frontend.read_parse(raw)
        own = commands.read(text)
        shape = None if own is not None else self._shape_of(text + b"\0" + types)
        prepared = Prepared(name, text if own is None else b"", types, scope, shape, own)
        _bound(self._statements.named)
        self._bound_texts(len(text))
        batch = self.batch
        previous = self._statements.named.get(name)
        self._statements.named[name] = prepared
        batch.parsed.append((prepared, previous))
        if own is not None:
            batch.add_own(OwnStep(steps.PARSE, own))
            return
        self._expect(batch, not batch.plan or batch.plan[-1] == steps.EXECUTE)
        if name and previous is not None:
            batch.plain = False  # a name in use: the origin has an error to say
            self._show_name(previous)
        elif name:
            prepared.virtual = self._virtual_of(prepared)
        if prepared.virtual is None:
            batch.add(steps.PARSE, raw)
            return
        # Another client may have prepared the same: whether the text is right is for the origin to say.
        batch.add(steps.LATE_CLOSE, prepared.virtual.close_frame)
        batch.add(steps.PARSE, prepared.virtual.parse_frame)

    def _show_name(self, used: Prepared) -> None:
        """The origin must see that this name is in use, to say so in its own words."""
        if used.virtual is None:
            return
        self._statements.true_names.add(used.name)
        self.batch.add(steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, used.name))
        self.batch.add(steps.LATE_PARSE, frontend.parse(used.name, b""))

    def bind(self, raw: bytes) -> None:
        """Bind: one run of a statement begins."""
        portal, name, tail = frontend.read_bind(raw)
        batch = self.batch
        statement = self._statements.named.get(name)
        _bound(self._statements.portals)
        self._statements.portals[portal] = statement
        if portal:
            # A cursor of this name, if there still is one, makes this Bind fail.
            self._statements.cursors.pop(portal.decode(errors="replace"), None)
        if statement is not None and statement.own is not None:
            batch.add_own(OwnStep(steps.BIND, statement.own, tail))
            return
        last = batch.plan[-1] if batch.plan else 0
        parsed = last == steps.PARSE and batch.parsed[-1][0] is statement
        self._expect(batch, (last in (0, steps.EXECUTE) or parsed) and not portal)
        batch.reads.append(Read(statement, portal, tail, parsed=parsed))
        virtual = statement.virtual if statement is not None else None
        batch.add(steps.BIND, raw if virtual is None else frontend.bind(portal, virtual.name, tail))

    def describe(self, raw: bytes) -> None:
        """Describe of a statement or of a portal."""
        which, name = frontend.read_describe(raw)
        known = self._statements.portals if which == frontend.PORTAL else self._statements.named
        statement = known.get(name)
        batch = self.batch
        step = steps.DESCRIBE_PORTAL if which == frontend.PORTAL else steps.DESCRIBE_STATEMENT
        if statement is not None and statement.own is not None:
            tail = self._own_tail(batch) if which == frontend.PORTAL else b""
            batch.add_own(OwnStep(step, statement.own, tail))
            return
        bound = bool(batch.plan) and batch.plan[-1] == steps.BIND and step == steps.DESCRIBE_PORTAL
        self._expect(batch, bound and batch.reads[-1].portal == name)
        if batch.plain:
            batch.reads[-1].described = True
        if which == frontend.STATEMENT:
            batch.named.append(statement)
            if statement is not None and statement.virtual is not None:
                raw = frontend.describe(frontend.STATEMENT, statement.virtual.name)
        batch.add(step, raw)

    def execute(self, raw: bytes) -> None:
        """Execute: of the portal just bound, or of one from before."""
        portal, max_rows = frontend.read_execute(raw)
        statement = self._statements.portals.get(portal)
        batch = self.batch
        if statement is not None and statement.own is not None:
            step = OwnStep(steps.EXECUTE, statement.own, self._own_tail(batch))
            refused = isinstance(statement.own, commands.Refused)
            batch.add_refused(step) if refused else batch.add_own(step)
            return
        last = batch.plan[-1] if batch.plan else 0
        fresh = (
            last in (steps.BIND, steps.DESCRIBE_PORTAL)
            and bool(batch.reads)
            and batch.reads[-1].portal == portal
        )
        self._expect(batch, fresh)
        if fresh:
            batch.reads[-1].executed = True
            batch.reads[-1].max_rows = max_rows
        batch.runs.append(statement)
        batch.add(steps.EXECUTE, raw)

    def close(self, raw: bytes) -> None:
        """Close: the name is free again; closing what does not exist is no error."""
        which, name = frontend.read_close(raw)
        batch = self.batch
        table: dict[bytes, Prepared] | dict[bytes, Prepared | None]
        table = self._statements.portals if which == frontend.PORTAL else self._statements.named
        statement = table.pop(name, None)
        if statement is not None and statement.own is not None:
            batch.add_own(OwnStep(steps.CLOSE, statement.own))
            return
        batch.plain = False
        virtual = statement.virtual if statement is not None and which == frontend.STATEMENT else None
        ours = virtual is not None and name not in self._statements.true_names
        batch.add(steps.CLOSE, CLOSE_NOTHING if ours else raw)

    def query(self, raw: bytes, text: bytes) -> None:
        """Query: it ends the batch, together with whatever came before it without Sync."""
        batch = self.batch
        if not batch.plan:
            batch.own_query = commands.read(text)
        if batch.own_query is None:
            batch.simple = self._shape_of(text)
            self._statements.named.pop(b"", None)  # a simple Query ends the unnamed statement
            self._statements.portals.pop(b"", None)
            batch.add(steps.QUERY, raw)
            return
        batch.add_own(OwnStep(steps.QUERY, batch.own_query))
        batch.frames.append(frontend.SYNC_FRAME)

    def function_call(self, raw: bytes) -> None:
        """FunctionCall: ends the batch as a Query does; it may do anything."""
        self.batch.runs.append(None)
        self.batch.plain = False
        self.batch.add(steps.FUNCTION_CALL, raw)

    def malformed(self, raw: bytes) -> None:
        """A message that cannot be read: what it would do is for the origin to say, and it says an error."""
        self.batch.runs.append(None)
        self.batch.plain = False
        self.batch.add(steps.MALFORMED, raw)

    def _bound_texts(self, more: int) -> None:
        """Count what is held only once so much has been parsed since: most of it is closed by then."""
        self._parsed_bytes += more
        if self._parsed_bytes > MAX_TEXT_BYTES:
            held = sum(len(statement.text) for statement in self._statements.named.values())
            if held > MAX_TEXT_BYTES // 2:
                raise TooManyNames(
                    f"a session's prepared statements have more than {MAX_TEXT_BYTES // 2} bytes"
                )
            self._parsed_bytes = held + more

    @staticmethod
    def _expect(batch: Batch, usual: bool) -> None:
        if not usual:
            batch.plain = False

    @staticmethod
    def _own_tail(batch: Batch) -> bytes:
        """The formats that the Bind of the same command asked for."""
        return next((s.tail for s in reversed(batch.own) if s.kind == steps.BIND), b"")


def _bound(names: Sized) -> None:
    if len(names) >= MAX_NAMES:
        raise TooManyNames(f"a session has more than {MAX_NAMES} prepared statements or portals")
