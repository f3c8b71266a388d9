"""One client's conversation: frames in, frames out; who answers is decided here. No I/O, no clock.

The path of a hit is ``receive`` -> ``Hits.answer`` -> ``Memory.lookup``: one call stack,
nothing parsed, nothing awaited. Everything else goes through ``_dispatch``,
which may have to wait (for a connection, for the catalogue, for an equal fill on its
way); what the client says meanwhile is kept until ``resume``. It is one module because
all rooms meet here and one order of questions decides; others know how.
"""

from __future__ import annotations

from functools import partial
from typing import Final, final

from proxy.cache.entry import Entry
from proxy.cache.fills import Flight
from proxy.cache.memory import Memory
from proxy.errors import ClientFault, FrameError, MalformedMessage, OrreryError
from proxy.metrics.templates import Template, Templates
from proxy.session import block, here, naming, own, probe, recall
from proxy.session.batch import Batch, OwnStep
from proxy.session.database import Database
from proxy.session.hits import Hits
from proxy.session.intake import Intake
from proxy.session.last import Last
from proxy.session.misses import Misses
from proxy.session.outlook import Outlook, reason_of
from proxy.session.port import CATALOGUE, CERTAINTY, FLIGHT, ORIGIN, ROOM, WORKERS, Origin, Port
from proxy.session.shapes import Shape
from proxy.session.shared import Shared
from proxy.session.state import State
from proxy.session.statements import UNKNOWN_SCOPE, Statements
from proxy.session.transaction import IDLE, OPEN, Transaction
from proxy.session.uplink import Uplink
from proxy.sql.analysis import Extent
from proxy.sql.commands import Purge
from proxy.wire import backend, frontend
from proxy.wire.framing import Segment

# Batches on their way at once, and replies that are collected before the client's buffer is looked at: what
# a client says beyond them waits. Each batch looks at all before it, and one answer may have a megabyte.
_MAX_ON_THEIR_WAY: Final = 256
_MAX_COLLECTED: Final = 64


@final
class Session:
    """``port`` is everything it may ask of the world; ``shared`` is shared with all other sessions.

    ``told``: what ParameterStatus has told the client at its login. ``pinned_for``: what keeps the session at
    its connection to the origin between transactions, in one word; "": nothing.
    ``out`` collects what the client gets until ``flush``; ``now`` is the moment of the event being handled;
    ``is_queued``: a connection was asked for that only a block waits for, and the client does not.
    ``refused``: why the memory may answer nothing under the session's state, in one word; ``may_answer``: it
    may, or might if it had a catalogue; ``passes``: an ordinary statement may be sent (``misses.py``).
    ``hits`` the templates of the hits in the bytes just received, to be timed by whoever has a clock.
    """

    # So that it can let go of them also where it is compiled (mypyc docs, "Native classes").
    __deletable__: Final = ("port", "uplink", "_hits", "_misses", "_intake")

    def __init__(
        self,
        port: Port,
        shared: Shared,
        database: Database,
        state: State,
        told: dict[str, str] | None = None,
    ) -> None:
        self.port: Port = port
        self.shared = shared
        self.memory: Memory[Session] = shared.memory
        self.database = database
        self.state: State = state
        self.transaction = Transaction()
        self.statements = Statements()
        self.outlook = Outlook(shared, database, state, self.transaction)
        self.uplink = Uplink(self, told or {})
        self.pinned_for = ""
        self.is_queued = False
        database.judged.add(self.uplink)
        self._on_their_way = self.uplink.exchanges  # the very deque: no hit overtakes an earlier reply
        self.last = Last()
        self.now = 0.0
        self.out: list[bytes] = []
        self.hits: list[Template] = []
        self.waiting_for = 0
        self.client_is_full = False  # it does not read what it was sent
        self._scanner = frontend.scanner(shared.options.max_message_bytes)
        self._intake = Intake(self.statements, self.outlook.understood, partial(naming.name_of, self))
        self._flight: Flight[Session] | None = None
        self._queue: list[Segment] = []
        self._held_batch: Batch | None = None
        self._hits = Hits(self)
        self._misses = Misses(self)
        self.may_answer = False
        self.passes = False
        self.refused = ""
        self.borrows = False  # a connection is attached to be used at once
        self._skipping = False  # what follows a refused message, up to Sync
        self._midway = False  # see ``_is_midway``; only what goes the long way can change it
        self._is_over = False  # the client was told that it ends: nothing of what follows counts
        self.reconsider()

    # From the client

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the client. ``OrreryError``: this cannot go on; tell the client and close."""
        self.now = now
        try:
            busy = self._midway or self._on_their_way or self.waiting_for
            if not busy and not self.is_full():
                if self.may_answer:
                    answered = self._hits.answer(data)
                    if answered:
                        data = data[answered:]
                        if not data:
                            if self.client_is_full:
                                self.waiting_for = ROOM
                            return
                if self.passes and not self.client_is_full and self._misses.send(data):
                    return
            self._take(self._cut(data))
            self._midway = self._is_midway()
        finally:
            self.flush()

    def _cut(self, data: bytes) -> list[Segment]:
        try:
            return self._scanner.scan(data)
        except OrreryError:
            self.out.clear()  # the framing is lost: nothing in this packet can be trusted
            raise

    def _take(self, segments: list[Segment]) -> None:
        if self.state.doubt and self.uplink.asks and not self.waiting_for:
            # Sent now it could mean anything, and leave the session in doubt again: a busy one, for ever.
            self.waiting_for = CERTAINTY
        if self.waiting_for:
            self._queue.extend(segments)
        else:
            self._process(segments)

    def _is_midway(self) -> bool:
        """Has the client said a part of what it will say in one go, or has it nothing more to say?"""
        batch = self._intake.batch
        said = bool(batch.plan) or batch.opened or not self._scanner.is_between
        return said or self._skipping or self._is_over

    def _process(self, segments: list[Segment]) -> None:
        for at, (kind, raw, _) in enumerate(segments):
            if self._is_over:
                return
            if kind == frontend.TERMINATE:
                self.port.close_client()
                return  # nobody is there any more to say what follows
            self._message(kind, raw)
            if not self.waiting_for and self._lacks_room():
                self.waiting_for = ROOM
            if self.waiting_for:
                self._queue.extend(segments[at + 1 :])
                return

    def _lacks_room(self) -> bool:
        if self.is_full():
            return True
        # In a COPY the origin waits for the client.
        return len(self._on_their_way) >= _MAX_ON_THEIR_WAY and not self._on_their_way[0].copying

    def is_full(self) -> bool:
        """Has the client left unread what it was sent? Much that was collected for it is sent first."""
        if len(self.out) > _MAX_COLLECTED:
            self.flush()
        return self.client_is_full

    def room_again(self) -> None:
        """An answer has come, or the client has read."""
        if self.waiting_for == ROOM and not self._lacks_room():
            self.resume(self.now)

    def _message(self, kind: int, raw: bytes) -> None:
        intake = self._intake
        if self._skipping and kind != frontend.SYNC:
            return
        if kind == frontend.QUERY:
            self._query(raw)
        elif kind == frontend.SYNC:
            self._sync(raw)
        elif kind in (frontend.COPY_DATA, frontend.COPY_DONE, frontend.COPY_FAIL):
            self._copy(kind, raw)
        else:
            self._extended(kind, raw)
        if intake.batch.size > self.shared.options.hold_bytes:
            self._open_batch(b"")

    def _extended(self, kind: int, raw: bytes) -> None:
        try:
            self._read_extended(kind, raw)
        except MalformedMessage:
            self._intake.malformed(raw)

    def _read_extended(self, kind: int, raw: bytes) -> None:
        intake = self._intake
        if kind == frontend.BIND:
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

    def _copy(self, kind: int, raw: bytes) -> None:
        """Data for a COPY: one that was asked for in this
        batch, without a Sync or Flush yet, has to begin first.
        """
        if self._intake.batch.plan:
            self._open_batch(b"")
        if self.waiting_for:
            self._queue.append((kind, raw, 1))
        else:
            self.uplink.copy(kind, raw)

    def _sync(self, raw: bytes) -> None:
        if raw != frontend.SYNC_FRAME:
            raise FrameError("invalid message format")
        intake = self._intake
        if self._skipping:
            self._skipping = False
            intake.batch = Batch()
            self.out.append(backend.READY[self.transaction.status])
            return
        batch = intake.batch
        if not batch.plan and self.uplink.ignores_sync():
            return
        ready = self.may_answer and not self._on_their_way
        if ready and batch.plain and not batch.opened and recall.answer(self, batch):
            intake.batch = Batch()
            return
        batch.frames.append(raw)
        self._dispatch(intake.finish())

    def _query(self, raw: bytes) -> None:
        intake = self._intake
        try:
            text = frontend.read_query(raw)
        except MalformedMessage:
            intake.function_call(raw)  # it ends the batch as one does, and nobody knows what it would do
            self._dispatch(intake.finish())
            return
        if self.may_answer and not self._on_their_way and not intake.batch.plan:
            shape = self.outlook.here.get(text)
            if shape is not None and shape.slot is not None:
                entry = self.memory.lookup(shape.slot, b"", self.now)
                if entry is not None:
                    self.hit(shape, entry)
                    self.statements.end_unnamed()
                    self.out.append(entry.payload)
                    self.out.append(backend.READY[self.transaction.status])
                    return
        intake.query(raw, text)
        self._dispatch(intake.finish())

    def hit(self, shape: Shape, entry: Entry) -> None:
        """A remembered answer is given."""
        self.last.hit(entry, self.now)
        counters = self.shared.counters
        counters.hit += 1
        if shape.template is not None:
            self.hits.append(shape.template)
        if counters.hit >= self.shared.audit_at:
            self.port.audit(shape, entry)

    # Deciding who answers

    def _dispatch(self, batch: Batch) -> None:
        """A batch is complete: answer it, wait for what is missing, or send it."""
        self.uplink.end_withheld()
        unfinished = self.uplink.unfinished
        if unfinished is None and self._purges_unseen(batch) and self.port.need_catalogue():
            batch.waited_catalogue = True
            self.wait(batch, CATALOGUE)
            return
        own.decide_purges(self, batch)
        if unfinished is None and (self._asks_workers(batch) or block.comes_first(self, batch)):
            return
        if unfinished is not None:
            self.uplink.carry_on(unfinished, batch)
            return
        if here.answer(self, batch):
            return
        refusal, reads = ("pipeline", []) if batch.opened else self.examine(batch)
        if self.outlook.lacks_catalogue(batch, self.refusal()) and self.port.need_catalogue():
            batch.waited_catalogue = True
            self.wait(batch, CATALOGUE)
            return
        if naming.has_other_columns(self, batch):
            if self.uplink.exchanges:
                self.wait(batch, CERTAINTY)
                return
            self._held_batch = batch
            self._refuse_batch("0A000", "cached plan must not change result type")
            return
        if not refusal and recall.look_again(self, batch, reads):
            return
        if self.uplink.origin is None:
            self.wait_for_origin(batch)
            return
        if self.waiting_for == 0:
            self.uplink.send(batch, refusal, reads)

    def note_pinned(self, reason: str) -> None:
        """What keeps it at its connection now, in one word."""
        if reason and reason != self.pinned_for:
            self.shared.counters.pinned(reason)
        self.pinned_for = reason

    def _purges_unseen(self, batch: Batch) -> bool:
        """Is this ORRERY PURGE while nobody knows who owns what? The catalogue is on its way."""
        if self.database.catalogue is not None or batch.waited_catalogue:
            return False
        return any(isinstance(step.command, Purge) for step in batch.own)

    def _asks_workers(self, batch: Batch) -> bool:
        """Is anything in it to be told by, or to, all workers? Then it waits for the others."""
        if batch.asked_workers or not own.concerns_workers(batch):
            return False
        batch.asked_workers = True
        if not self.port.ask_workers(own.purges(batch), queries=own.shows_queries(batch)):
            return False
        self.wait(batch, WORKERS)
        return True

    def examine(self, batch: Batch) -> tuple[str, list[tuple[Shape, bytes]]]:
        """Why the memory may not answer this batch, in one word; or the shapes and keys of its reads."""
        return self.outlook.examine(batch, self.refusal())

    def _open_batch(self, raw: bytes) -> None:
        """Flush, or more than we hold: what is there of the batch goes to the origin now."""
        if not self._intake.batch.plan and self.uplink.unfinished is None:
            return  # a Flush behind a Sync asks for nothing
        batch = self._intake.finish()
        batch.frames.append(raw)
        batch.opened = True
        self._intake.batch.opened = True
        self._dispatch(batch)

    # Waiting

    def wait(self, batch: Batch, what: int) -> None:
        """This batch goes on with ``resume``; what the client says meanwhile is kept."""
        self._held_batch = batch
        self.waiting_for = what

    def wait_for_origin(self, batch: Batch) -> None:
        """For a connection to the origin, which may be there at once."""
        self.wait(batch, ORIGIN)
        if not self.is_queued:
            self.port.need_origin()

    def follow(self, flight: Flight[Session], batch: Batch) -> bool:
        """Wait for this fill on its way; False: too many do."""
        if not flight.follow(self):
            return False
        self._flight = flight
        self.wait(batch, FLIGHT)
        self.port.wait_for_flight()
        return True

    def open_block(self, now: float) -> float:
        """The origin is to hear of the block that the client stands in by now; in how many seconds to look
        again, 0 for never.
        """
        transaction = self.transaction
        if not transaction.unsent or transaction.status != OPEN or self._is_over:
            return 0.0
        left = transaction.begun_at + block.HOLD_SECONDS - now
        if left > 0.0:
            return left
        if self.waiting_for:
            return block.HOLD_SECONDS
        self.now = now
        if self.uplink.origin is not None:
            self.uplink.open_block()
        elif not self.is_queued:
            self.is_queued = True
            self.port.need_origin()
        return 0.0

    def resume(self, now: float) -> None:
        """What this session waited for is there, or will not
        come: look at the batch again, then at what followed.
        """
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
        self.flush()

    def certain_again(self) -> None:
        """The origin has told what was in doubt."""
        if self.waiting_for == CERTAINTY:
            self.resume(self.now)

    def _drain_queue(self) -> None:
        """What the client said meanwhile. Its faults are told
        here: whoever brought what we waited for has no part in them.
        """
        while self._queue and not self.waiting_for:
            segments, self._queue = self._queue, []
            try:
                self._process(segments)
            except ClientFault as fault:
                self._queue.clear()
                self._end(fault)
        self._midway = self._is_midway()

    def _end(self, fault: OrreryError) -> None:
        self._is_over = self._midway = True
        self.out.append(backend.error_response("FATAL", fault.sqlstate, str(fault)))
        self.flush()
        self.port.close_client()

    def origin_attached(
        self, origin: Origin, learnt: probe.Learnt, statuses: dict[str, str], now: float
    ) -> None:
        """A connection to the origin is ours. ``learnt`` is its own word on settings and role."""
        self.uplink.attach(origin)
        moved = True
        if origin.standing is not None:
            moved = self.uplink.tenancy.move_in(origin.standing, learnt)
        else:
            learnt.apply(self.state, first=True)
            for name, value in statuses.items():
                self.state.report(name, value)
        if moved:
            self.outlook.state_moved()
            self.reconsider()
        queued, self.is_queued = self.is_queued, False
        if self.waiting_for == ORIGIN:
            self.resume(now)
        elif queued and self.transaction.unsent and self.transaction.status == OPEN:
            self.uplink.open_block()
        if not self.borrows:
            self.uplink.let_go()

    def origin_failed(self, fault: OrreryError, now: float) -> None:
        """No connection could be had: the batch that wanted one is refused, the session goes on. In a block
        it ends: what follows must not run outside of it. A block that only waited to be opened waits on.
        """
        self.now = now
        self.is_queued = False
        if self.waiting_for != ORIGIN:
            return
        self.shared.counters.error += 1
        self.last.landed("error", "", None, now)
        if self.transaction.unsent:
            self._give_up_batch()
            self._queue.clear()
            self._end(fault)
            return
        self._refuse_batch(fault.sqlstate, str(fault))
        self._drain_queue()
        self.flush()

    def origin_received(self, data: bytes, now: float) -> None:
        """Bytes from the origin. ``OriginFault``: it broke
        the protocol, the connection is of no use any more.
        """
        self.now = now
        try:
            self.uplink.received(data)
        finally:
            self.flush()

    def origin_lost(self, now: float) -> None:
        """The connection to the origin is gone."""
        self.now = now
        self.uplink.lost()

    def client_gone(self, now: float) -> bool:
        """The client is gone. True while something it sent may
        still commit: keep the origin until that is settled.
        """
        self.now = now
        self._leave_flight()
        self._held_batch = None
        self._queue.clear()
        return self.uplink.settle_without_client()

    def part(self) -> None:
        """Nobody uses it any more. These hold it, so it must not hold them."""
        self.database.judged.discard(self.uplink)
        del self.port, self.uplink, self._hits, self._misses, self._intake

    def cancel_waiting(self, now: float) -> None:
        """CancelRequest while this session waits for another's fill, or for a connection: it has asked the
        origin nothing.
        """
        self.now = now
        if self.is_queued or self.waiting_for == ORIGIN:
            self.is_queued = not self.port.withdraw_origin()
        if self._flight is not None:
            self._flight.leave(self)
            self._flight = None
        self._refuse_batch("57014", "canceling statement due to user request")
        self._drain_queue()
        self.flush()

    @property
    def may_give_up(self) -> bool:
        """Does a batch of the client's wait that the origin has not been asked for?"""
        return self._held_batch is not None

    def _refuse_batch(self, sqlstate: str, message: str) -> None:
        """An error of ours answers the batch that waits. What follows one
        that was opened is skipped up to its Sync, as PostgreSQL does.
        """
        opened = self._held_batch is not None and self._held_batch.opened
        self._give_up_batch()
        self.uplink.abort_transaction()
        self.out.append(backend.error_response("ERROR", sqlstate, message))
        if opened:
            self._skipping = True
        else:
            self.out.append(backend.READY[self.transaction.status])

    def _give_up_batch(self) -> None:
        """The batch that waits is refused: what it would have prepared does not exist."""
        if self._held_batch is not None:
            self.statements.restore(self._held_batch.parsed)
        self._held_batch = None
        self.waiting_for = 0

    def _leave_flight(self) -> None:
        if self._flight is not None:
            self._flight.leave(self)
            self._flight = None

    # State and figures

    def refusal(self) -> str:
        """Why the memory may answer nothing in this session now, in one word; "" if it may."""
        return "pipeline" if self.uplink.busy else self.outlook.refusal()

    def reconsider(self) -> None:
        """After anything that ``refusal`` or the scope depends
        on: the path of a hit only looks at the result.
        """
        self.outlook.refresh()
        self.refused = self.outlook.refusal()
        self.may_answer = self.refused in ("", "catalogue")
        self.passes = self._misses.may_pass()

    def doubt_settings(self) -> None:
        """The origin's configuration was read again: what is believed of the settings may be wrong."""
        self.state.reloaded()
        self._doubtful()

    def doubt_role(self) -> None:
        """The role that this session has, or is, has changed: only the origin knows what it still may."""
        self.state.doubt = True
        self._doubtful()

    def _doubtful(self) -> None:
        self.outlook.state_moved()
        self.reconsider()
        self.uplink.probe_if_in_doubt()

    def timed(self, seconds: float) -> None:
        """The hits of the bytes just received took so long, all together."""
        hits = self.hits
        if not hits:
            return
        number = len(hits)
        share = seconds / number if number > 1 else seconds
        for template in hits:
            template.hit(share)
        hits.clear()
        self.shared.counters.hit_latency.observe(share, number)

    def would_be(self, text: bytes) -> tuple[str, str]:
        """Outcome and reason that a statement would have now, in this session."""
        shape = self.outlook.shape_of(text)
        self.outlook.understand(shape)
        analysis = shape.analysis
        assert analysis is not None
        if analysis.reach.extent != Extent.NOTHING:
            return "write", reason_of(shape)
        reason = reason_of(shape) or self.refusal()
        if reason:
            return "bypass", reason
        known = shape.slot is not None and self.memory.lookup(shape.slot, b"", self.now) is not None
        return ("hit" if known else "fill"), ""

    @property
    def templates(self) -> Templates:
        """The figures of all statement templates."""
        return self.shared.templates

    @property
    def guest(self) -> object:
        """What stands for this session where a connection remembers whom it served."""
        return self.uplink.tenancy.token

    def may_be_cancelled(self) -> bool:
        """May a cancel be passed on now? If not yet, ``Port.pass_on_cancel`` tells when."""
        if not self.runs_at_origin:
            return False
        self.uplink.cancel_waits = self.uplink.is_preparing
        return not self.uplink.cancel_waits

    def leave(self) -> None:
        """The client is gone, nothing of it is on its way: others may have its connection if it is free."""
        if not self.statements.true_names:
            self.uplink.let_go()

    @property
    def runs_at_origin(self) -> bool:
        """Is a statement of the client's on its way at the origin? Only then may a cancel be passed on."""
        return any(not e.silent for e in self.uplink.exchanges)

    @property
    def is_idle(self) -> bool:
        """Does nothing run, no transaction stand open, and nothing wait?"""
        return not self.uplink.exchanges and not self.waiting_for and self.transaction.status == IDLE

    @property
    def is_settled(self) -> bool:
        """Is nothing on its way to or from the origin?"""
        return not self.uplink.exchanges

    def _certain_scope(self) -> int:
        """The scope that a Parse sent now will have at the origin."""
        return UNKNOWN_SCOPE if self.uplink.is_uncertain() else self.outlook.scope

    def answer_own_step(self, step: OwnStep) -> bytes:
        """Our answer to one message in the middle of an exchange."""
        return own.step(self, step)

    def flush(self) -> None:
        """Hand over what the client gets."""
        if self.out:
            self.port.to_client(b"".join(self.out) if len(self.out) > 1 else self.out[0])
            self.out.clear()
