"""One client's conversation: frames in, frames out; who answers is decided here. No I/O, no clock.

The path of a hit is ``receive`` -> ``_sync`` or ``_query`` -> ``Memory.lookup``: one call stack, nothing parsed,
nothing awaited. Everything else goes through ``_dispatch``, which may have to wait (for a connection, for the
catalogue, for an equal fill on its way); what the client says meanwhile is kept until ``resume``.
The class is long because it is the one place where all rooms meet; it only decides, others know how.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from proxy.cache import tags
from proxy.cache.entry import Entry
from proxy.cache.fills import Flight
from proxy.cache.memory import Memory
from proxy.errors import OriginProtocolError, OrreryError
from proxy.metrics.templates import Template, Templates
from proxy.session import batch as steps
from proxy.session import effects, own, probe, tally
from proxy.session.batch import Batch, OwnStep, Read
from proxy.session.database import Database
from proxy.session.exchange import Exchange
from proxy.session.intake import Intake
from proxy.session.last import Last
from proxy.session.port import Origin, Port
from proxy.session.recording import Recording
from proxy.session.shapes import Shape
from proxy.session.shared import Shared
from proxy.session.state import State
from proxy.session.statements import UNKNOWN_SCOPE, Prepared, Statements
from proxy.session.transaction import FAILED, IDLE, Transaction
from proxy.session.understanding import understand
from proxy.sql.analysis import Extent, Reach, Statement
from proxy.sql.proof.dates import is_moving
from proxy.wire import backend, frontend
from proxy.wire.framing import Segment

# What a session waits for; 0: for nothing but its client.
ORIGIN: Final = 1
CATALOGUE: Final = 2
FLIGHT: Final = 3

# Verbs whose statements touch neither prepared statements nor settings: the origin need not be told of
# statements that it has not heard of before them.
_ORDINARY: Final = frozenset(("select", "insert", "update", "delete", "merge"))


@final
class Session:
    """``port`` is everything it may ask of the world; all others are shared with other sessions."""

    def __init__(self, port: Port, shared: Shared, database: Database, state: State) -> None:
        self.port: Port = port
        self.database = database
        self.state = state
        self.transaction = Transaction()
        self.statements = Statements()
        self.last = Last()
        self.waiting_for = 0
        self.now = 0.0
        self._shared = shared
        self._memory = shared.memory
        self._scanner = frontend.scanner(shared.options.max_message_bytes)
        self._origin_scanner = backend.scanner(shared.options.max_origin_message_bytes)
        self._intake = Intake(self.statements, self._shape_of)
        self._origin: Origin | None = None
        self._flight: Flight[Session] | None = None
        self._parting = b""  # the origin's last words outside of any exchange
        self._gone = False
        self.hits: list[Template] = []  # of the bytes just received, to be timed by whoever has a clock
        self._exchanges: deque[Exchange] = deque()
        self._out: list[bytes] = []
        self._queue: list[Segment] = []
        self._held_batch: Batch | None = None
        self._skipping = False
        self._state_moved = True
        self._ready = False
        self._scope = UNKNOWN_SCOPE
        self._here = shared.shapes.of(UNKNOWN_SCOPE)
        self._reconsider()

    # From the client

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the client. ``OrreryError``: the conversation cannot go on; tell the client and close."""
        self.now = now
        segments = self._scanner.scan(data)
        if self.waiting_for:
            self._queue.extend(segments)
            return
        self._process(segments)
        self._flush()

    def _process(self, segments: list[Segment]) -> None:
        for at, (kind, raw, _) in enumerate(segments):
            self._message(kind, raw)
            if self.waiting_for:
                self._queue.extend(segments[at + 1 :])
                return

    def _message(self, kind: int, raw: bytes) -> None:
        intake = self._intake
        if kind == frontend.SYNC:
            self._sync(raw)
        elif kind == frontend.QUERY:
            self._query(raw)
        elif kind == frontend.TERMINATE:
            self.port.close_client()
        elif kind in (frontend.COPY_DATA, frontend.COPY_DONE, frontend.COPY_FAIL):
            self._copy(raw)
        elif self._skipping:
            return
        elif kind == frontend.BIND:
            intake.bind(raw)
        elif kind == frontend.EXECUTE:
            intake.execute(raw)
        elif kind == frontend.PARSE:
            intake.parse(raw, self._certain_scope())
        elif kind == frontend.DESCRIBE:
            intake.describe(raw)
        elif kind == frontend.CLOSE:
            intake.close(raw)
        elif kind == frontend.FLUSH:
            self._open_batch(raw)
        else:
            intake.function_call(raw)
            self._dispatch(intake.finish())
        if intake.batch.size > self._shared.options.hold_bytes:
            self._open_batch(b"")

    def _sync(self, raw: bytes) -> None:
        self._skipping = False
        intake = self._intake
        batch = intake.batch
        if self._ready and batch.plain and not batch.opened and self._from_memory(batch):
            intake.batch = Batch()
            return
        batch.frames.append(raw)
        self._dispatch(intake.finish())

    def _query(self, raw: bytes) -> None:
        if self._skipping:
            return
        text = frontend.read_query(raw)
        intake = self._intake
        if self._ready and not intake.batch.plan:
            shape = self._here.get(text)
            if shape is not None and shape.slot is not None:
                entry = self._memory.lookup(shape.slot, b"", self.now)
                if entry is not None:
                    self._hit(shape, entry)
                    self.statements.named.pop(b"", None)
                    self._out.append(entry.payload)
                    self._out.append(backend.READY[self.transaction.status])
                    return
        intake.query(raw, text)
        self._dispatch(intake.finish())

    def _from_memory(self, batch: Batch) -> bool:
        """Answer the whole batch from memory, or nothing of it."""
        parts = self._remembered(batch)
        if parts is None:
            return False
        self._out += parts
        self._out.append(backend.READY[self.transaction.status])
        return True

    def _remembered(self, batch: Batch) -> list[bytes] | None:
        """The frames that answer every read of this batch, without ReadyForQuery."""
        parts: list[bytes] = []
        hits: list[tuple[Shape, Entry]] = []
        for read in batch.reads:
            statement = read.statement
            if statement is None or statement.scope != self._scope or not read.executed or read.max_rows > 0:
                return None
            shape = statement.shape
            if shape is None or shape.slot is None:
                return None
            entry = self._memory.lookup(shape.slot, read.key, self.now)
            if entry is None:
                return None
            hits.append((shape, entry))
            if read.parsed:
                parts.append(backend.PARSE_COMPLETE_FRAME)
            parts.append(backend.BIND_COMPLETE_FRAME)
            parts.append(entry.payload)
        if not hits or batch.plan[-1] != steps.EXECUTE:
            return None
        for shape, entry in hits:
            self._hit(shape, entry)
        return parts

    def _hit(self, shape: Shape, entry: Entry) -> None:
        self.last.hit(entry, self.now)
        self._shared.counters.hit += 1
        if shape.template is not None:
            self.hits.append(shape.template)

    def _copy(self, raw: bytes) -> None:
        """Data of a COPY goes straight on; without a COPY PostgreSQL ignores it, and so do we."""
        if self._origin is not None and self._exchanges:
            self._origin.send(raw)

    # Deciding who answers

    def _dispatch(self, batch: Batch) -> None:
        """A batch is complete: answer it, wait for what is missing, or send it."""
        tail = self._exchanges[-1] if self._exchanges else None
        if tail is not None and not tail.synced:
            self._continue_exchange(tail, batch)
            return
        if self._answer_here(batch):
            return
        refusal, reads = self._examine(batch)
        if self._lacks_catalogue(batch) and self.port.need_catalogue():
            batch.waited_catalogue = True
            self._wait(batch, CATALOGUE)
            return
        if not refusal and self._revisit(batch, reads):
            return
        if self._origin is None:
            self._wait(batch, ORIGIN)
            self.port.need_origin()
            return
        if self.waiting_for == 0:
            self._send(batch, refusal, reads)

    def _answer_here(self, batch: Batch) -> bool:
        """Commands of ours, and what asks nothing of the origin; never before earlier replies are through."""
        if self._exchanges or batch.opened:
            return False
        if batch.own_query is not None:
            self._out += own.query(self, batch.own_query)
        elif batch.own and len(batch.own) == len(batch.plan):
            self._answer_own_batch(batch)
        elif not batch.plan and self._origin is None:
            pass
        else:
            return False
        self._out.append(backend.READY[self.transaction.status])
        return True

    def _answer_own_batch(self, batch: Batch) -> None:
        for step in batch.own:
            reply = own.step(self, step)
            self._out.append(reply)
            if reply[0] == backend.ERROR_RESPONSE:
                return

    def _examine(self, batch: Batch) -> tuple[str, list[tuple[Shape, bytes]]]:
        """Why the memory may not answer this batch, in one word; or the shapes and keys of its reads."""
        reads: list[tuple[Shape, bytes]] = []
        for shape in self._shapes_in(batch):
            self._understand(shape)
        refusal = self.refusal()
        if batch.simple is not None:
            reason = self._reason(batch.simple) or ("pipeline" if len(batch.plan) > 1 else "")
            return reason or refusal, [(batch.simple, b"")]
        if not batch.reads:
            return refusal or "unknown", reads
        for read in batch.reads:
            reason = self._reason_of_read(read)
            if reason:
                return reason, reads
            assert read.statement is not None and read.statement.shape is not None
            reads.append((read.statement.shape, read.key))
        return refusal or ("" if batch.plain else "pipeline"), reads

    def _lacks_catalogue(self, batch: Batch) -> bool:
        """Is this a read that a newer catalogue might admit, in a session that the memory may answer?"""
        if batch.waited_catalogue or self.refusal() not in ("", "catalogue"):
            return False
        if batch.simple is None and not batch.plain:
            return False
        analyses = [shape.analysis for shape in self._shapes_in(batch)]
        return any(
            a is not None
            and [s.verb for s in a.statements] == ["select"]
            and (a.unknown_relations or self.database.catalogue is None)
            for a in analyses
        )

    def _shapes_in(self, batch: Batch) -> list[Shape]:
        if batch.simple is not None:
            return [batch.simple]
        return [r.statement.shape for r in batch.reads if r.statement is not None and r.statement.shape is not None]

    def _reason(self, shape: Shape) -> str:
        analysis = shape.analysis
        assert analysis is not None
        if len(analysis.statements) != 1:
            return "multiple" if analysis.statements else "empty"
        return analysis.statements[0].reason

    def _reason_of_read(self, read: Read) -> str:
        statement = read.statement
        if statement is None or statement.shape is None:
            return "unknown"
        reason = self._reason(statement.shape)
        if reason:
            return reason
        if statement.scope != self._scope:
            return "settings"
        if not read.executed or read.max_rows > 0:
            return "rows"
        return "date" if self._has_moving_date(statement.shape, read) else ""

    def _has_moving_date(self, shape: Shape, read: Read) -> bool:
        analysis = shape.analysis
        assert analysis is not None
        numbers = analysis.statements[0].date_parameters
        if not numbers:
            return False
        if not frontend.bind_is_well_formed(read.tail):
            return True
        parameters = frontend.bind_parameters(read.tail)
        return any(n > len(parameters) or is_moving(parameters[n - 1][1] or b"") for n in numbers)

    def _revisit(self, batch: Batch, reads: list[tuple[Shape, bytes]]) -> bool:
        """The memory may answer in principle: has it the answer by now, is it on its way, is the catalogue missing?

        True where that settles what happens next.
        """
        if batch.waited_flight and self._found_after_flight(batch):
            return True
        if len(reads) != 1 or batch.waited_flight:
            return False
        shape, key = reads[0]
        assert shape.slot is not None
        if self._memory.lookup(shape.slot, key, self.now) is not None and self._from_memory_again(batch):
            return True
        flight = self._memory.join(shape.slot, key, self.now)
        if flight is None or not flight.follow(self):
            return False
        self._flight = flight
        self._wait(batch, FLIGHT)
        self.port.wait_for_flight()
        return True

    def _from_memory_again(self, batch: Batch) -> bool:
        """What was just analysed anew, or has landed meanwhile, is there after all."""
        if batch.simple is None:
            return self._from_memory(batch)
        shape = batch.simple
        entry = self._memory.lookup(shape.slot, b"", self.now) if shape.slot is not None else None
        if entry is None:
            return False
        self._hit(shape, entry)
        self._out.append(entry.payload)
        self._out.append(backend.READY[self.transaction.status])
        return True

    def _found_after_flight(self, batch: Batch) -> bool:
        if not self._from_memory_again(batch):
            return False
        self._shared.counters.hit -= 1
        self._shared.counters.coalesced += 1
        template = self.hits.pop()
        template.coalesce()
        self.last.outcome = "coalesced"
        return True

    # Waiting

    def _wait(self, batch: Batch, what: int) -> None:
        self._held_batch = batch
        self.waiting_for = what

    def resume(self, now: float) -> None:
        """What this session waited for is there, or will not come: look at the batch again, then at what followed."""
        self.now = now
        batch, self._held_batch = self._held_batch, None
        if self._flight is not None:
            self._flight.leave(self)
            self._flight = None
            if batch is not None:
                batch.waited_flight = True
        self.waiting_for = 0
        if batch is not None:
            self._dispatch(batch)
        self._drain_queue()
        self._flush()

    def _drain_queue(self) -> None:
        while self._queue and not self.waiting_for:
            segments, self._queue = self._queue, []
            self._process(segments)

    def origin_attached(self, origin: Origin, learnt: probe.Learnt, statuses: dict[str, str], now: float) -> None:
        """A connection to the origin is ours. ``learnt`` is its own word on settings and role."""
        self._origin = origin
        self._origin_scanner = backend.scanner(self._shared.options.max_origin_message_bytes)
        learnt.apply(self.state, first=True)
        for name, value in statuses.items():
            self.state.report(name, value)
        self._state_moved = True
        self._reconsider()
        if self.waiting_for == ORIGIN:
            self.resume(now)

    def origin_failed(self, fault: OrreryError, now: float) -> None:
        """No connection could be had: the batch that wanted one is refused, the session goes on."""
        self.now = now
        self._held_batch = None
        self.waiting_for = 0
        self._out.append(backend.error_response("ERROR", fault.sqlstate, str(fault)))
        self._out.append(backend.READY[self.transaction.status])
        self._shared.counters.error += 1
        self.last.landed("error", "", None, now)
        self._drain_queue()
        self._flush()

    # To the origin

    def _send(self, batch: Batch, refusal: str, reads: list[tuple[Shape, bytes]]) -> None:
        assert self._origin is not None
        certain = not any(not e.silent for e in self._exchanges)
        ran = self._ran(batch)
        if certain and self.transaction.status == IDLE and any(s.verb not in _ORDINARY or not s.reach.proven for s in ran):
            self._introduce_statements()
        exchange = Exchange(batch, ran, self.now)
        exchange.refusal = refusal
        exchange.unparsed = batch.simple is not None and self._is_unparsed(batch.simple)
        exchange.answer_own = self._answer_own_step
        late = self._late_parses(batch)
        exchange.follow(bytes((steps.LATE_PARSE,)) * len(late) + bytes(batch.plan), batch.own)
        exchange.synced = not batch.opened
        self._suspend(exchange, ran, certain)
        if not refusal:
            self._record(exchange, batch, reads)
        self._mark_sent(batch)
        self._exchanges.append(exchange)
        if batch.own_query is not None:
            batch.frames = [frontend.SYNC_FRAME]
        self._origin.send(b"".join((*late, *batch.frames)))
        exchange.begin(self._out)

    def _suspend(self, exchange: Exchange, ran: tuple[Statement, ...], certain: bool) -> None:
        """Before the first message that can make a write visible."""
        reach, commits = effects.at_risk(ran, self.transaction, certain)
        if not certain:
            for earlier in self._exchanges:
                for statement in earlier.ran:
                    reach |= statement.reach
        exchange.reach = reach
        exchange.commits = commits
        if commits and reach.extent != Extent.NOTHING:
            exchange.holds = True
            exchange.suspensions.append(self._memory.suspend(self._in_memory(reach)))

    def _in_memory(self, reach: Reach) -> tags.Reach:
        if reach.extent == Extent.ORIGIN:
            return tags.ORIGIN
        if reach.extent == Extent.DATABASE:
            return tags.whole(self.database.oid)
        return tags.relations_of(self.database.oid, reach.tables)

    def _record(self, exchange: Exchange, batch: Batch, reads: list[tuple[Shape, bytes]]) -> None:
        """Take the tickets, before anything is sent."""
        for shape, key in reads:
            assert shape.slot is not None
            ticket = self._memory.ticket(shape.slot, key, self.now)
            if ticket is None:
                exchange.refusal = "suspended"
                exchange.recordings.append(None)
                continue
            flight = self._memory.lead(ticket) if len(reads) == 1 else None
            recording = Recording(ticket, flight, self._memory.limits.max_entry_bytes)
            exchange.recordings.append(recording)
            exchange.every_recording.append(recording)
        if batch.simple is not None and exchange.recordings:
            exchange.current = exchange.recordings.popleft()

    def _ran(self, batch: Batch) -> tuple[Statement, ...]:
        """What this batch runs, in order; whatever is not certain may do anything."""
        ran: list[Statement] = []
        doubtful = self._is_uncertain()
        if batch.own_query is not None:
            return ()
        for statement in self._statements_of(batch):
            known = effects.resolve_names(statement, self.statements)
            if doubtful and known.transaction is None and known.verb != "set":
                known = effects.in_doubt(known)
            doubtful = doubtful or bool(known.state)
            ran.append(known)
        return tuple(ran)

    def _statements_of(self, batch: Batch) -> list[Statement]:
        found: list[Statement] = []
        runs = list(batch.runs)
        for read in batch.reads:
            # Planning at Bind runs functions that claim to be immutable, whether or not Execute follows.
            if not read.executed and not all(s.reach.proven for s in self._statements_now(read.statement)):
                runs.append(read.statement)
        for prepared in runs:
            found.extend(self._statements_now(prepared))
        if batch.simple is not None:
            assert batch.simple.analysis is not None
            found.extend(batch.simple.analysis.statements)
        return found

    def _statements_now(self, prepared: Prepared | None) -> tuple[Statement, ...]:
        """What a prepared statement does under the present settings: PostgreSQL plans anew when the path changes."""
        if prepared is None or prepared.own is not None:
            return (effects.UNKNOWN_STATEMENT,)
        shape = prepared.shape
        if shape is None or prepared.scope != self._scope:
            shape = self._shape_of(prepared.text + b"\0" + prepared.types)
        self._understand(shape)
        assert shape.analysis is not None
        return shape.analysis.statements

    def _is_uncertain(self) -> bool:
        """May names mean something else by the time the origin runs the next statement?"""
        return self.state.doubt or any(
            s.state or s.reach.ddl or not s.reach.proven for e in self._exchanges for s in e.ran
        )

    def _late_parses(self, batch: Batch) -> list[bytes]:
        """Parse for each statement that this batch uses and the origin has not heard of."""
        fresh = {prepared for prepared, _ in batch.parsed}
        used = [r.statement for r in batch.reads] + batch.named
        late: dict[Prepared, None] = {}
        for statement in used:
            if statement is not None and statement.own is None and not statement.at_origin and statement not in fresh:
                late[statement] = None
        for _, previous in batch.parsed:
            if previous is not None and previous.name and previous.own is None and not previous.at_origin:
                late[previous] = None
        for statement in late:
            statement.at_origin = True
        return [statement.parse_frame() for statement in late]

    def _introduce_statements(self) -> None:
        """Before anything that may change what a Parse means: the origin hears of every statement it does not know.

        In an exchange of its own, so that a failure touches nothing of the client's.
        """
        assert self._origin is not None
        unknown = self.statements.local()
        if not unknown:
            return
        batch = Batch()
        for statement in unknown:
            batch.add(steps.LATE_PARSE, statement.parse_frame())
            statement.at_origin = True
        self._send_silently(batch)

    def _send_silently(self, batch: Batch) -> Exchange:
        assert self._origin is not None
        exchange = Exchange(batch, (), self.now)
        exchange.silent = True
        exchange.synced = True
        exchange.follow(bytes(batch.plan), [])
        self._exchanges.append(exchange)
        self._origin.send(b"".join((*batch.frames, frontend.SYNC_FRAME)))
        return exchange

    @staticmethod
    def _mark_sent(batch: Batch) -> None:
        for prepared, _ in batch.parsed:
            prepared.at_origin = prepared.own is None

    def _open_batch(self, raw: bytes) -> None:
        """Flush, or more than we hold: what is there of the batch goes to the origin now."""
        batch = self._intake.finish()
        batch.frames.append(raw)
        batch.opened = True
        self._intake.batch.opened = True
        if self._exchanges and not self._exchanges[-1].synced:
            self._continue_exchange(self._exchanges[-1], batch)
        elif self._origin is None:
            self._wait(batch, ORIGIN)
            self.port.need_origin()
        else:
            self._send(batch, "pipeline", [])

    def _continue_exchange(self, exchange: Exchange, batch: Batch) -> None:
        """More of a batch whose beginning has been sent; or the Sync that ends a COPY."""
        assert self._origin is not None
        refusal, reads = self._examine(batch)
        if exchange.only_describes and batch.reads:
            exchange.refusal = refusal
            if not refusal and self._answer_in_place(exchange, batch):
                return
            if not refusal:
                self._record(exchange, batch, reads)
        ran = self._ran(batch)
        exchange.ran += ran
        exchange.batch.parsed += batch.parsed
        exchange.unparsed = False
        exchange.follow(bytes(batch.plan), batch.own)
        exchange.synced = batch.simple is not None or batch.frames[-1:] == [frontend.SYNC_FRAME]
        self._suspend(exchange, ran, certain=False)
        self._mark_sent(batch)
        self._origin.send(b"".join(batch.frames))
        exchange.begin(self._out)

    def _answer_in_place(self, exchange: Exchange, batch: Batch) -> bool:
        """A driver that prepares and runs in one go (Parse, Describe, Flush, Bind, Execute, Sync): the origin
        describes, the memory answers behind it, if it can."""
        assert self._origin is not None
        if batch.frames[-1:] != [frontend.SYNC_FRAME]:
            return False
        parts = self._remembered(batch)
        if parts is None:
            return False
        exchange.follow(bytes((steps.OWN,)), [OwnStep(steps.MEMORY, None, reply=b"".join(parts))])
        exchange.synced = True
        exchange.counted = True
        self._origin.send(frontend.SYNC_FRAME)
        exchange.begin(self._out)
        return True

    # From the origin

    def origin_received(self, data: bytes, now: float) -> None:
        """Bytes from the origin. ``OriginFault``: it broke the protocol, the connection is of no use any more."""
        self.now = now
        for kind, raw, _ in self._origin_scanner.scan(data):
            if kind == backend.PARAMETER_STATUS:
                self._reported(raw)
            elif kind == backend.NOTIFICATION_RESPONSE:
                raw = self.port.translate_notification(raw)
            if not self._exchanges:
                self._unasked(kind, raw)
                continue
            exchange = self._exchanges[0]
            if exchange.take(kind, raw, self._out):
                self._landed(exchange, raw)
            elif kind == backend.COPY_IN_RESPONSE and exchange.batch.simple is None:
                self._reopen(exchange)  # a Sync that was sent before is ignored during COPY
            elif kind == backend.ERROR_RESPONSE and exchange.skipped_query():
                self._reopen(exchange)
        self._flush()

    def _reported(self, raw: bytes) -> None:
        self.state.report(*backend.read_parameter_status(raw))
        self._state_moved = True
        self._reconsider()

    def _unasked(self, kind: int, raw: bytes) -> None:
        if kind in (backend.NOTICE_RESPONSE, backend.PARAMETER_STATUS, backend.NOTIFICATION_RESPONSE):
            self._out.append(raw)
        elif kind == backend.ERROR_RESPONSE:
            self._parting = raw  # the origin is about to close: whether the client is told depends on its state
        else:
            raise OriginProtocolError(f"unexpected message of type {kind} from the origin")

    def _reopen(self, exchange: Exchange) -> None:
        """This exchange is not over with the terminator it was sent with: the next one ends it."""
        if self._exchanges[-1] is exchange:
            exchange.synced = False
            return
        following = self._exchanges[1]
        del self._exchanges[1]
        exchange.ran += following.ran
        exchange.reach |= following.reach
        exchange.suspensions += following.suspensions
        exchange.commits = exchange.commits or following.commits
        exchange.synced = following.synced
        self._finish_flights(following)

    def _landed(self, exchange: Exchange, ready: bytes) -> None:
        """ReadyForQuery: the memory is put right first, then the client is told."""
        self._exchanges.popleft()
        before, after = self.transaction.status, backend.transaction_status(ready)
        if exchange.silent:
            self._silent_landed(exchange)
            return
        changed = effects.changed(exchange, before, after)
        effects.settle(exchange, after, self.transaction, self.state, self.statements)
        for suspension in exchange.suspensions:
            self._memory.end(suspension, changed=changed, cause="ddl" if exchange.reach.ddl else "own_write")
        entry = self._land_recordings(exchange)
        if exchange.failed:
            self._restore_names(exchange)
        self._out += exchange.held
        self._out.append(ready)
        self._count(exchange, entry)
        if changed and exchange.reach.ddl:
            self.database.catalogue = None
            self.port.catalogue_changed(everywhere=exchange.reach.extent == Extent.ORIGIN)
        if exchange.failed or any(s.state or s.transaction or not s.reach.proven for s in exchange.ran):
            self._state_moved = True
        self._reconsider()
        self._probe_if_in_doubt()

    def _land_recordings(self, exchange: Exchange) -> Entry | None:
        entry = None
        for recording in exchange.finished:
            payload = recording.payload()
            if payload and not exchange.failed:
                entry = self._memory.land(recording.ticket, payload)
                if entry is None and not exchange.refusal:
                    exchange.refusal = "moved"
            elif recording.refusal and not exchange.refusal:
                exchange.refusal = recording.refusal
        self._finish_flights(exchange)
        return entry

    def _finish_flights(self, exchange: Exchange) -> None:
        followers: list[Session] = []
        for recording in exchange.every_recording:
            if recording.flight is not None:
                followers += self._memory.finish(recording.flight)
        exchange.every_recording.clear()
        if followers:
            self.port.wake(followers)

    def _restore_names(self, exchange: Exchange) -> None:
        """Statements whose Parse never succeeded do not exist; a name that was in use keeps its statement."""
        for prepared, previous in exchange.batch.parsed[exchange.parses_done :]:
            if self.statements.named.get(prepared.name) is prepared:
                del self.statements.named[prepared.name]
                if previous is not None and prepared.name:
                    self.statements.named[prepared.name] = previous

    def _count(self, exchange: Exchange, entry: Entry | None) -> None:
        if not exchange.ran or exchange.counted:
            return
        seconds = self.now - exchange.sent_at
        self._shared.counters.origin_latency.observe(seconds)
        template = self._template_of(exchange)
        word, reason = tally.count(self._shared.counters, template, exchange, entry, seconds)
        self.last.landed(word, reason, entry, self.now)

    def _template_of(self, exchange: Exchange) -> Template | None:
        shapes = self._shapes_in(exchange.batch)
        return shapes[0].template if shapes else None

    # Doubt and loss

    def _probe_if_in_doubt(self) -> None:
        """Ask the origin what it cannot be told apart otherwise: settings, role, locks; in idle moments only."""
        wanted = self.state.doubt or self.state.locked
        if wanted and not self._gone and self.transaction.status == IDLE and not self._exchanges and self._origin:
            batch = Batch()
            batch.frames.append(probe.FRAMES)
            exchange = self._send_silently(batch)
            exchange.on_rows = exchange.rows.append

    def _silent_landed(self, exchange: Exchange) -> None:
        learnt = probe.read(b"".join(exchange.rows))
        if learnt is not None:
            learnt.apply(self.state, first=False)
        self._state_moved = True
        self._reconsider()

    def origin_lost(self, now: float) -> None:
        """The connection to the origin is gone. What may still commit there stays suspended until that backend is gone."""
        self.now = now
        self._origin = None
        exchanges = list(self._exchanges)
        self._exchanges.clear()
        for exchange in exchanges:
            self._finish_flights(exchange)
            for suspension in exchange.suspensions:
                self.port.in_doubt(suspension, ddl=exchange.reach.ddl)
        if not any(not e.silent for e in exchanges) and self._may_outlive_its_origin():
            self.statements.forget_origin()
            self._parting = b""
            return
        if not any(e.failed and e.fault.get("V", "") in ("FATAL", "PANIC") for e in exchanges):
            message = "the connection to the origin was lost"
            self._out.append(self._parting or backend.error_response("FATAL", "08006", message))
        self._flush()
        self.port.close_client()

    def _may_outlive_its_origin(self) -> bool:
        state = self.state
        return (
            self.transaction.status == IDLE
            and state.pristine
            and not (state.doubt or state.temporary or state.locked)
            and not (self.statements.sql_named or self.statements.cursors)
        )

    def client_gone(self, now: float) -> bool:
        """The client is gone. True while something it sent may still commit: keep the origin until that is settled."""
        self.now = now
        self._gone = True
        if self._flight is not None:
            self._flight.leave(self)
            self._flight = None
        self._held_batch = None
        self._queue.clear()
        writes = any(e.suspensions for e in self._exchanges)
        if not writes:
            for exchange in self._exchanges:
                self._finish_flights(exchange)
        elif self._exchanges[-1].copying and self._origin is not None:
            self._origin.send(frontend.copy_fail(b"the client is gone"))
        return writes

    def cancel_waiting(self, now: float) -> None:
        """CancelRequest while this session waits for somebody else's fill: it has asked the origin nothing."""
        self.now = now
        if self._flight is not None:
            self._flight.leave(self)
            self._flight = None
        self._held_batch = None
        self.waiting_for = 0
        self._out.append(backend.error_response("ERROR", "57014", "canceling statement due to user request"))
        self._out.append(backend.READY[self.transaction.status])
        self._drain_queue()
        self._flush()

    def abort_transaction(self) -> None:
        """A command of ours failed: as any error does, it ends the transaction block it stands in."""
        if self.transaction.status == IDLE or self._origin is None:
            return
        batch = Batch()
        batch.frames.append(frontend.parse(b"orrery_refused", b"a statement of the proxy was refused"))
        self._send_silently(batch)
        self.transaction.status = FAILED

    def doubt_settings(self) -> None:
        """The origin's configuration was read again: what is believed of the settings may be wrong."""
        self.state.doubt = self._origin is not None
        self._state_moved = True
        self._reconsider()
        self._probe_if_in_doubt()

    def timed(self, seconds: float) -> None:
        """The hits of the bytes just received took so long, all together."""
        share = seconds / len(self.hits) if self.hits else 0.0
        for template in self.hits:
            template.hit(share)
            self._shared.counters.hit_latency.observe(share)
        self.hits.clear()

    def would_be(self, text: bytes) -> tuple[str, str]:
        """Outcome and reason that a statement would have now, in this session."""
        shape = self._shape_of(text)
        self._understand(shape)
        analysis = shape.analysis
        assert analysis is not None
        if analysis.reach.extent != Extent.NOTHING:
            return "write", self._reason(shape)
        reason = self._reason(shape) or self.refusal()
        if reason:
            return "bypass", reason
        known = shape.slot is not None and self._memory.lookup(shape.slot, b"", self.now) is not None
        return ("hit" if known else "fill"), ""

    @property
    def memory(self) -> Memory[Session]:
        """The memory that all sessions share."""
        return self._memory

    @property
    def templates(self) -> Templates:
        """The figures of all statement templates."""
        return self._shared.templates

    @property
    def runs_at_origin(self) -> bool:
        """Is a statement of the client's on its way at the origin? Only then may a cancel be passed on."""
        return any(not e.silent for e in self._exchanges)

    @property
    def is_idle(self) -> bool:
        """Does nothing run, no transaction stand open, and nothing wait?"""
        return not self._exchanges and not self.waiting_for and self.transaction.status == IDLE

    @property
    def is_settled(self) -> bool:
        """Is nothing on its way to or from the origin?"""
        return not self._exchanges

    # Scope, shapes, reasons

    def refusal(self) -> str:
        """Why the memory may answer nothing in this session now, in one word; "" if it may."""
        if not self._shared.options.cache:
            return "off"
        if any(not (e.silent or e.only_describes) for e in self._exchanges):
            return "pipeline"
        refusal = self.transaction.refusal() or self.state.refusal()
        if refusal:
            return refusal
        if self.database.catalogue is None:
            return "catalogue"
        return ""

    def _reconsider(self) -> None:
        """After anything that ``refusal`` or the scope depends on: the path of a hit only looks at the result."""
        if self._state_moved:
            self._state_moved = False
            self._scope = self._shared.scopes.intern(self.state.scope())
            self._here = self._shared.shapes.of(self._scope)
        self._ready = self.refusal() in ("", "catalogue")

    def state_changed(self) -> None:
        """A setting of ours was set: by ``SET orrery.cache``."""
        self._reconsider()

    def _certain_scope(self) -> int:
        """The scope that a Parse sent now will have at the origin."""
        return UNKNOWN_SCOPE if self._is_uncertain() else self._scope

    def _shape_of(self, key: bytes) -> Shape:
        found = self._here.get(key)
        return found if found is not None else self._shared.shapes.add(self._scope, self._here, key)

    def _understand(self, shape: Shape) -> None:
        understand(shape, self._shared, self.database, self.state)

    @staticmethod
    def _is_unparsed(shape: Shape) -> bool:
        return shape.analysis is not None and shape.analysis.unparsed

    def _answer_own_step(self, step: OwnStep) -> bytes:
        return own.step(self, step)

    def _flush(self) -> None:
        if self._out:
            self.port.to_client(b"".join(self._out) if len(self._out) > 1 else self._out[0])
            self._out.clear()
