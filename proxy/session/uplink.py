"""A session's way to the origin: what is sent, what is suspended meanwhile, what the replies settle.

The order is everything: tickets are taken and reaches suspended before anything is sent; generations are
raised before ReadyForQuery is handed on. It is one module so that this order can be read in one place.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from proxy.errors import OriginProtocolError, OriginUnreachable
from proxy.session import batch as steps
from proxy.session import (
    block,
    copying,
    effects,
    introductions,
    landing,
    late,
    probe,
    proof,
    recall,
    rows,
)
from proxy.session.batch import Batch, OwnStep
from proxy.session.exchange import Exchange
from proxy.session.port import Origin
from proxy.session.recording import Recording
from proxy.session.runs import Runs
from proxy.session.shapes import Shape
from proxy.session.state import TRACKED
from proxy.session.tenancy import Tenancy
from proxy.session.transaction import FAILED, IDLE, OPEN
from proxy.sql.analyse import reaches_other_databases
from proxy.sql.analysis import ELSEWHERE, UNREAD, Extent, Reach, Statement
from proxy.wire import backend, frontend

if TYPE_CHECKING:
    from proxy.session.session import Session

_NOTIFICATION: Final = backend.NOTIFICATION_RESPONSE


@final
class Uplink:
    """The other half of ``session``. ``origin`` is None while no connection is lent to it.

    ``exchanges`` are on their way, the oldest first; PostgreSQL answers them in this order.
    """

    __slots__ = (
        "_parting",
        "_runs",
        "_scanner",
        "_unsent",
        "cancel_waits",
        "client_is_gone",
        "exchanges",
        "origin",
        "session",
        "tenancy",
    )

    def __init__(self, session: Session, told: dict[str, str]) -> None:
        self.session = session
        self._scanner = backend.scanner(session.shared.options.max_origin_message_bytes)
        self._parting = b""  # the origin's last words outside of any exchange
        self.origin: Origin | None = None
        self.exchanges: deque[Exchange] = deque()
        self.client_is_gone = False
        self.cancel_waits = False
        self._unsent = b""  # of an exchange that has begun
        self.tenancy = Tenancy(session, told)
        self._runs = Runs(session)

    def attach(self, origin: Origin) -> None:
        """A connection is lent to this session."""
        self.origin = origin

    @property
    def busy(self) -> bool:
        """Is anything of the client's on its way whose outcome may matter to what comes next?"""
        return bool(self.exchanges) and any(not (e.silent or e.only_describes) for e in self.exchanges)

    @property
    def asks(self) -> bool:
        """Is nothing on its way but a question of our own?"""
        return bool(self.exchanges) and all(e.silent for e in self.exchanges)

    @property
    def is_opening(self) -> bool:
        """Is a BEGIN of ours on its way? What came behind the next Sync would run even if it failed."""
        return bool(self.exchanges) and any(e.opens for e in self.exchanges)

    @property
    def is_preparing(self) -> bool:
        """Would a cancel now hit what is ours alone, and what the client's statement rests on?"""
        return any(e.carries or e.opens for e in self.exchanges)

    @property
    def is_moving_in(self) -> bool:
        """Does the origin still take over the session's settings?"""
        return bool(self.exchanges) and self.exchanges[0].carries

    @property
    def unfinished(self) -> Exchange | None:
        """The exchange whose Sync has not been sent: what comes next belongs to it."""
        return self.exchanges[-1] if self.exchanges and not self.exchanges[-1].synced else None

    # To the origin

    def send(self, batch: Batch, refusal: str, reads: list[tuple[Shape, bytes]]) -> None:
        """Send a batch, or the opened part of it. ``reads``:
        what may be remembered of it unless ``refusal``.
        """
        assert self.origin is not None
        self.tenancy.is_free = False
        batch.wait_for_turn()
        certain = all(e.silent for e in self.exchanges)
        ran = self._runs.of(batch)
        self._move_in()
        ahead = introductions.ahead(self, batch, ran)
        exchange = Exchange(batch, ran, self.session.now)
        exchange.refusal = refusal
        exchange.unparsed = batch.simple is not None and _is_unparsed(batch.simple)
        exchange.answer_own = self.session.answer_own_step
        outlook, statements = self.session.outlook, self.session.statements
        closes = late.closes(batch, statements)
        unknown = late.unknown_to_origin(batch, None if self.is_uncertain() else outlook.scope)
        parses, exchange.late = late.parses(unknown, outlook.literals, statements, self.tenancy.standing)
        ahead += [(steps.LATE_CLOSE, frame) for frame in closes]
        ahead += parses
        if self.session.transaction.unsent:
            ahead = block.opening(self.session) + ahead
            exchange.opens = True
        if certain:
            self._prove(exchange)
        frames, plan = proof.weave(batch, exchange.proof, withhold=exchange.withheld)
        exchange.follow(bytes(step for step, _ in ahead) + plan, batch.own)
        exchange.synced = not batch.opened
        self._suspend(exchange, ran, certain)
        if not refusal:
            self._record(exchange, batch, reads)
        introductions.mark_sent(self, batch, ran)
        self.exchanges.append(exchange)
        self._to_origin(*(frame for _, frame in ahead), *frames)
        self._answer_if_first(exchange)
        if exchange.proof and not exchange.withheld:
            self._ask_state()

    def send_ordinary(
        self,
        batch: Batch,
        statement: Statement,
        reach: Reach,
        refusal: str,
        reads: list[tuple[Shape, bytes]],
    ) -> None:
        """Send an ordinary statement while nothing is on its way (``misses.py``): as ``send`` would, but for
        all the questions whose answer is known of such a one. ``reach``: what it may change, by its
        parameters; of a COMMIT what the block has changed.
        """
        self._move_in()
        self.tenancy.note_ordinary(statement)
        transaction, command = self.session.transaction, statement.transaction
        # What comes behind it before it has landed goes by what it runs, with these parameters.
        same = command is not None or reach is statement.reach
        ran = statement if same else replace(statement, reach=reach)
        exchange = Exchange(batch, (ran,), self.session.now)
        exchange.refusal = refusal
        exchange.is_ordinary = exchange.synced = True
        exchange.commits = transaction.status == IDLE or command is not None
        # A command is a BEGIN, or ends the block.
        ends_idle = (transaction.status == IDLE) == (command is None)
        exchange.ready = backend.READY[IDLE if ends_idle else OPEN]
        exchange.follow(bytes(batch.plan), batch.own)
        exchange.reach = reach
        if exchange.commits and reach.extent != Extent.NOTHING:
            exchange.holds = True
            self._suspend_everywhere(exchange, reach)
        if not refusal:
            self._record(exchange, batch, reads)
        self.exchanges.append(exchange)
        self._to_origin(*batch.frames)

    def open_block(self, ahead_of: Batch | None = None) -> None:
        """Have the origin begin the block that the client stands in, before anything else is known of it; and
        fail it, if it has failed here.
        """
        if self.tenancy.standing is None:
            introductions.all_but(self, ahead_of)
        opening = Batch()
        for step, frame in block.opening(self.session):
            opening.add(step, frame)
        self.send_silently(opening).opens = True
        if self.session.transaction.status == FAILED:
            self.abort_transaction()

    def _move_in(self) -> None:
        """What brings the session's settings to a connection just lent to it goes in the same flight."""
        self._unsent = self.tenancy.settings()
        if self._unsent:
            exchange = Exchange(Batch(), (), self.session.now)
            exchange.silent = exchange.synced = exchange.carries = True
            self.exchanges.append(exchange)

    def _to_origin(self, *frames: bytes) -> None:
        assert self.origin is not None
        unsent, self._unsent = self._unsent, b""
        self.origin.send(b"".join((unsent, *frames)))

    def _answer_if_first(self, exchange: Exchange) -> None:
        """What is answered by us waits, as the origin's replies do, until all earlier ones are through."""
        if self.exchanges[0] is exchange:
            exchange.begin(self.session.out)

    def _prove(self, exchange: Exchange) -> None:
        session = self.session
        exchange.proof = proof.place(
            exchange.batch, exchange.ran, session.transaction, session.database.catalogue
        )
        if exchange.proof == proof.BEHIND:
            exchange.withheld = proof.may_be_told_early(exchange.batch, session.state)

    def _suspend(self, exchange: Exchange, ran: tuple[Statement, ...], certain: bool) -> None:
        """Before the first message that can make a write visible."""
        reach, commits = effects.at_risk(ran, self.session.transaction, certain)
        if not certain:
            for earlier in self.exchanges:
                for statement in earlier.ran:
                    reach |= statement.reach
        catalogue = self.session.database.catalogue
        if not reach.proven and catalogue is not None and reaches_other_databases(catalogue):
            reach |= ELSEWHERE
        exchange.reach = reach
        exchange.commits = commits
        if commits and reach.extent != Extent.NOTHING:
            exchange.holds = True
            if exchange.withheld:
                return
            if reach.extent == Extent.ORIGIN:
                self.session.port.shared_change_ahead()
            self._suspend_everywhere(exchange, reach)

    def _suspend_everywhere(self, exchange: Exchange, reach: Reach) -> None:
        concerned = rows.in_memory(reach, self.session.database.oid)
        suspension = self.session.memory.suspend(concerned)
        exchange.suspensions.append(suspension)
        self.session.port.announce(suspension, concerned, ddl=reach.ddl)

    def _record(self, exchange: Exchange, batch: Batch, reads: list[tuple[Shape, bytes]]) -> None:
        """Take the tickets, before anything is sent."""
        for shape, key in reads:
            assert shape.slot is not None
            values = rows.fixed(shape, key)
            ticket = self.session.memory.ticket(shape.slot, key, self.session.now, values)
            if ticket is None:
                exchange.refusal = "suspended"
                exchange.recordings.append(None)
                continue
            flight = self.session.memory.lead(ticket) if len(reads) == 1 else None
            recording = Recording(ticket, flight, self.session.memory.limits.max_entry_bytes)
            exchange.recordings.append(recording)
            exchange.every_recording.append(recording)
        if batch.simple is not None and exchange.recordings:
            exchange.current = exchange.recordings.popleft()

    def judged_anew(self) -> None:
        """The catalogue says something else than the one that all on its way was judged by: a statement that
        had to wait for the lock of that very change may do more than was thought.
        """
        session = self.session
        if session.transaction.is_open_at_origin:
            session.transaction.pending |= UNREAD
            session.reconsider()
        for exchange in self.exchanges:
            if exchange.silent:
                continue
            exchange.ran = tuple(
                effects.in_doubt(statement) if effects.hangs_on_names(statement) else statement
                for statement in exchange.ran
            )
            exchange.reach |= UNREAD
            exchange.is_ordinary = False
            if exchange.commits and not exchange.withheld:
                exchange.holds = True
                self._suspend_everywhere(exchange, exchange.reach)

    def is_uncertain(self) -> bool:
        """May names mean something else by the time the origin runs the next statement?"""
        # Its own DDL holds in a block before anybody else, the catalogue here among them, knows of it.
        unsure = self.session.state.doubt or self.session.transaction.pending.ddl
        return unsure or any(effects.moves_scope(s) or s.reach.ddl for e in self.exchanges for s in e.ran)

    def send_silently(self, batch: Batch) -> Exchange:
        """Messages of ours, and a Sync of their own: no reply to them is the client's."""
        assert self.origin is not None
        self.tenancy.is_free = False
        if not self._unsent:
            self._move_in()
        exchange = Exchange(batch, (), self.session.now)
        exchange.silent = True
        exchange.synced = True
        exchange.follow(bytes(batch.plan), [])
        self.exchanges.append(exchange)
        self._to_origin(*batch.frames, frontend.SYNC_FRAME)
        return exchange

    def carry_on(self, exchange: Exchange, batch: Batch) -> None:
        """More of a batch whose beginning has been sent; or the Sync that ends a COPY."""
        assert self.origin is not None
        self.tenancy.is_free = False
        batch.wait_for_turn()
        refusal, reads = self.session.examine(batch)
        if exchange.only_describes and batch.reads:
            exchange.refusal = refusal
            if not refusal and self._answer_in_place(exchange, batch):
                return
            if not refusal:
                self._record(exchange, batch, reads)
        ran = self._runs.of(batch)
        exchange.ran += ran
        exchange.batch.parsed += batch.parsed
        exchange.unparsed = False
        outlook = self.session.outlook
        unknown = late.unknown_to_origin(batch, None if self.is_uncertain() else outlook.scope)
        parses, told = late.parses(unknown, outlook.literals, self.session.statements, self.tenancy.standing)
        exchange.late += told
        exchange.follow(bytes(step for step, _ in parses) + bytes(batch.plan), batch.own)
        answered = exchange.ends_without_sync and not exchange.failed
        exchange.synced = answered or batch.frames[-1:] == [frontend.SYNC_FRAME]
        self._suspend(exchange, ran, certain=False)
        introductions.mark_sent(self, batch, ran)
        self.origin.send(b"".join((*(frame for _, frame in parses), *batch.frames)))
        self._answer_if_first(exchange)

    def _answer_in_place(self, exchange: Exchange, batch: Batch) -> bool:
        """A driver that prepares and runs in one go (Parse, Describe, Flush, Bind, Execute, Sync): the
        origin describes, the memory answers behind it, if it can.
        """
        assert self.origin is not None
        if batch.frames[-1:] != [frontend.SYNC_FRAME]:
            return False
        parts = recall.remembered(self.session, batch)
        if parts is None:
            return False
        exchange.follow(bytes((steps.OWN,)), [OwnStep(steps.MEMORY, None, reply=b"".join(parts))])
        exchange.synced = True
        exchange.counted = True
        self.origin.send(frontend.SYNC_FRAME)
        self._answer_if_first(exchange)
        return True

    def copy(self, kind: int, raw: bytes) -> None:
        """Data of a COPY goes straight on; without a COPY PostgreSQL ignores it, and so do we."""
        if self.origin is not None and self.exchanges:
            if kind != frontend.COPY_DATA:
                self.exchanges[-1].end_copy()
            self.origin.send(raw)

    def ignores_sync(self) -> bool:
        """A Sync in the middle of a COPY: send it on to where it is ignored. False: it counts."""
        if self.origin is None or not self.exchanges or not self.exchanges[-1].copying:
            return False
        self.origin.send(frontend.SYNC_FRAME)
        return True

    # From the origin

    def received(self, data: bytes) -> None:
        """Bytes from the origin. ``OriginFault``: it broke
        the protocol, the connection is of no use any more.
        """
        if not self._lands_whole(data):
            self._take(data)
        self.session.flush()
        self.let_go()

    def _take(self, data: bytes) -> None:
        for kind, said, _ in self._scanner.scan(data):
            raw = self.session.port.translate_notification(said) if kind == _NOTIFICATION else said
            if kind == backend.PARAMETER_STATUS and not self._reported(raw):
                continue
            if kind == backend.ERROR_RESPONSE:
                raw = self.tenancy.in_the_client_s_words(raw)
            if not self.exchanges:
                self._unasked(kind, raw)
                continue
            exchange = self.exchanges[0]
            opens = exchange.opens
            if kind == backend.ERROR_RESPONSE and opens:
                self._parting = _as_last_words(raw)
                raise OriginUnreachable("the origin did not begin a block that the client stands in already")
            if exchange.take(kind, raw, self.session.out):
                self._landed(exchange, raw)
            elif opens:
                self._begun(exchange)
            elif kind == backend.COPY_IN_RESPONSE:
                copying.begun(self, exchange)
            elif kind == backend.ERROR_RESPONSE and exchange.silent and exchange.is_fatal:
                self._parting = raw  # it is not our question's fault that the origin goes
            elif kind == backend.ERROR_RESPONSE and exchange.skipped_query():
                copying.reopen(self, exchange)
            elif exchange.withheld and exchange.is_answered:
                self._judge(exchange)

    def _lands_whole(self, data: bytes) -> bool:
        """Settle the answer to an ordinary statement that has come in one piece, and all went well."""
        if len(self.exchanges) != 1 or not self._scanner.is_between:
            return False
        exchange = self.exchanges[0]
        if not exchange.is_ordinary or not exchange.is_answered_by(data):
            return False
        self.exchanges.popleft()
        landing.settle_ordinary(self.session, exchange, data)
        self.probe_if_in_doubt()
        self._cancel_if_due()
        self.session.certain_again()
        self.session.room_again()
        return True

    def let_go(self) -> None:
        """Give the connection back, if nothing is on its way and nothing keeps the session at it."""
        if self.exchanges or self.origin is None or self._parting or not self._scanner.is_between:
            return
        if not self.tenancy.may_move_out():
            return
        names = self.tenancy.true_names()
        if names is not None:
            self.send_silently(names)
            return
        self.origin = None
        self.session.port.give_back_origin(usable=self.tenancy.move_out())

    def _reported(self, raw: bytes) -> bool:
        """A ParameterStatus has arrived; is it for the client?"""
        name, value = backend.read_parameter_status(raw)
        expected = name.lower() not in TRACKED or self.session.state.value(name.lower()) == value
        if not (self.is_moving_in and expected):
            for exchange in self.exchanges:
                # It says so behind the first answer that it gave under them, and of later ones not again.
                exchange.settings_moved()
        self.session.state.report(name, value)
        self.tenancy.is_free = False
        self.session.outlook.state_moved()
        self.session.reconsider()
        return self.tenancy.reports(name, value, self.exchanges[0] if self.exchanges else None)

    def _unasked(self, kind: int, raw: bytes) -> None:
        if kind in (backend.NOTICE_RESPONSE, backend.PARAMETER_STATUS, backend.NOTIFICATION_RESPONSE):
            self.session.out.append(raw)
        elif kind == backend.ERROR_RESPONSE:
            self._parting = (
                raw  # the origin is about to close: whether the client is told depends on its state
            )
        else:
            raise OriginProtocolError(f"unexpected message of type {kind} from the origin")

    def _landed(self, exchange: Exchange, ready: bytes) -> None:
        """ReadyForQuery: the memory is put right first, then the client is told."""
        after = backend.transaction_status(ready)  # a broken one settles nothing: all stays as it is
        self.exchanges.popleft()
        if exchange.silent:
            self._silent_landed(exchange)
        else:
            landing.settle(self.session, exchange, ready, after)
            self.probe_if_in_doubt()
        self._cancel_if_due()
        if self.exchanges:
            self.exchanges[0].begin(self.session.out)
        else:
            self.session.certain_again()
        self.session.room_again()

    def _begun(self, exchange: Exchange) -> None:
        """A reply to what opens the block: maybe to its BEGIN."""
        if not exchange.opens:
            self._cancel_if_due()
            self.session.certain_again()

    def _cancel_if_due(self) -> None:
        if self.cancel_waits and not self.is_preparing:
            self.cancel_waits = False
            self.session.port.pass_on_cancel()

    def _judge(self, exchange: Exchange) -> None:
        """All is answered but the Sync, which is withheld: can it make anything visible?"""
        if not exchange.changed_nothing and not exchange.failed:
            self.end_withheld()
            return
        if exchange.is_fatal:
            return  # there is nobody left to answer a Sync
        self.exchanges.popleft()
        landing.settle(self.session, exchange, backend.READY[IDLE], IDLE)
        self.send_silently(Batch()).told_early = True
        self._ask_state()

    def end_withheld(self) -> None:
        """The Sync that is withheld must go now: the proof fails, or nobody waits for it."""
        if not self.exchanges or not self.exchanges[-1].withheld:
            return
        assert self.origin is not None
        exchange = self.exchanges[-1]
        exchange.withheld = False
        self._suspend(exchange, exchange.ran, certain=True)
        self.origin.send(frontend.SYNC_FRAME)
        self._ask_state()

    # Doubt and loss

    def probe_if_in_doubt(self) -> None:
        """Ask the origin what it cannot be told apart
        otherwise: settings, role, locks; in idle moments only.
        """
        wanted = self.session.state.doubt or self.session.state.locked
        if (
            wanted
            and not self.client_is_gone
            and self.session.transaction.status == IDLE
            and not self.exchanges
            and self.origin
        ):
            self._ask_state()

    def _ask_state(self) -> None:
        batch = Batch()
        batch.frames.append(probe.FRAMES)
        exchange = self.send_silently(batch)
        exchange.on_rows = exchange.rows.append

    def _silent_landed(self, exchange: Exchange) -> None:
        if exchange.carries:
            self.tenancy.failed() if exchange.failed else self.tenancy.arrived()
            return
        if exchange.failed and exchange.told_early:
            message = "the origin could not end the statement before this one, which had been answered"
            self.session.out.append(
                backend.error_response("FATAL", exchange.fault.get("C", "XX000"), message)
            )
            self.session.port.close_client()
        if exchange.failed:
            for statement in exchange.late:
                statement.at_origin = False  # whoever uses it gets the error
        self.tenancy.settled(exchange)
        learnt = probe.read(b"".join(exchange.rows))
        if learnt is not None:
            learnt.apply(self.session.state, first=False)
            if learnt.prepared_by_sql:
                self.session.statements.distrust_names()
        self.session.outlook.state_moved()
        self.session.reconsider()

    def lost(self) -> None:
        """The connection to the origin is gone. What may still
        commit there stays suspended until that backend is gone.
        """
        self.origin = None
        self.cancel_waits = False
        self._scanner = backend.scanner(self.session.shared.options.max_origin_message_bytes)
        outlives = self._may_outlive_its_origin()
        self.tenancy.lost()
        exchanges = list(self.exchanges)
        self.exchanges.clear()
        for exchange in exchanges:
            landing.finish_flights(self.session, exchange)
            for suspension in exchange.suspensions:
                self.session.port.in_doubt(suspension, ddl=exchange.reach.ddl)
        if outlives and not any(not e.silent for e in exchanges):
            self.session.statements.forget_origin()
            self._parting = b""
            return
        if not any(e.is_fatal and not e.silent for e in exchanges):
            message = "the connection to the origin was lost"
            self.session.out.append(self._parting or backend.error_response("FATAL", "08006", message))
        self.session.flush()
        self.session.port.close_client()

    def _may_outlive_its_origin(self) -> bool:
        state = self.session.state
        if self.session.transaction.is_open_at_origin or state.doubt or self.tenancy.pinned_for():
            return False
        return self.tenancy.standing is not None or not (state.own() or state.customs)

    def settle_without_client(self) -> bool:
        """The client is gone. True while something it sent may
        still commit: keep the origin until that is settled.
        """
        self.client_is_gone = True
        self.end_withheld()
        # Without its Sync the last one cannot end: what it has done so far goes with the connection.
        if any(e.suspensions or e.told_early for e in self.exchanges) and self.exchanges[-1].synced:
            if self.exchanges[-1].copying and self.origin is not None:
                self.origin.send(frontend.copy_fail(b"the client is gone"))
            return True
        for exchange in self.exchanges:
            landing.finish_flights(self.session, exchange)
        return False

    def abort_transaction(self) -> None:
        """A command of ours failed: as any error does, it ends the transaction block it stands in.

        Not while a later batch of the client's is half sent: what we say now would stand in the middle of it.
        """
        transaction = self.session.transaction
        if transaction.unsent:
            transaction.status = FAILED
            self.session.reconsider()
            return
        if transaction.status == IDLE or self.origin is None or self.unfinished is not None:
            return
        batch = Batch()
        batch.frames.append(steps.REFUSAL)
        self.send_silently(batch)
        transaction.status = FAILED


def _as_last_words(error: bytes) -> bytes:
    """What the origin said of our BEGIN, as what ends the session; whatever it may be."""
    fields = backend.error_fields(error)
    code, said = (fields.get(name, "").encode(errors="replace").decode() for name in "CM")
    return backend.error_response("FATAL", code or "08006", said or "the block could not be begun")


def _is_unparsed(shape: Shape) -> bool:
    return shape.analysis is not None and shape.analysis.unparsed
