"""A session's way to the origin: what is sent, what is suspended meanwhile, what the replies settle.

The order is everything: tickets are taken and reaches suspended before anything is sent; generations are
raised before ReadyForQuery is handed on. It is one module so that this order can be read in one place.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, final

from proxy.cache.entry import Entry
from proxy.errors import OriginProtocolError, OriginUnreachable
from proxy.schema.catalogue import Catalogue
from proxy.session import batch as steps
from proxy.session import block, effects, late, probe, proof, rows, tally
from proxy.session.batch import Batch, OwnStep
from proxy.session.exchange import BEFORE_SYNC, BEHIND_SYNC, Exchange
from proxy.session.outlook import shapes_in
from proxy.session.port import Origin
from proxy.session.recording import Recording
from proxy.session.shapes import Shape
from proxy.session.state import TRACKED
from proxy.session.statements import UNKNOWN_SCOPE, Prepared
from proxy.session.tenancy import Tenancy
from proxy.session.transaction import FAILED, IDLE
from proxy.sql.analyse import reaches_other_databases
from proxy.sql.analysis import ELSEWHERE, QUERIES, UNREAD, Extent, Reach, Statement
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
        "__weakref__",
        "_names_catalogue",
        "_names_scope",
        "_parting",
        "_scanner",
        "_session",
        "_unsent",
        "cancel_waits",
        "client_is_gone",
        "exchanges",
        "origin",
        "tenancy",
    )

    def __init__(self, session: Session, told: dict[str, str]) -> None:
        self._session = session
        self._scanner = backend.scanner(session.shared.options.max_origin_message_bytes)
        self._parting = b""  # the origin's last words outside of any exchange
        self.origin: Origin | None = None
        self.exchanges: deque[Exchange] = deque()
        self.client_is_gone = False
        self.cancel_waits = False
        self._unsent = b""  # of an exchange that has begun
        self.tenancy = Tenancy(session, told)
        self._names_catalogue: Catalogue | None = None
        self._names_scope = UNKNOWN_SCOPE

    def attach(self, origin: Origin) -> None:
        """A connection is lent to this session."""
        self.origin = origin

    @property
    def busy(self) -> bool:
        """Is anything of the client's on its way whose outcome may matter to what comes next?"""
        return any(not (e.silent or e.only_describes) for e in self.exchanges)

    @property
    def asks(self) -> bool:
        """Is nothing on its way but a question of our own?"""
        return bool(self.exchanges) and all(e.silent for e in self.exchanges)

    @property
    def is_opening(self) -> bool:
        """Is a BEGIN of ours on its way? What came behind the next Sync would run even if it failed."""
        return any(e.opens for e in self.exchanges)

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
        batch.wait_for_turn()
        certain = not any(not e.silent for e in self.exchanges)
        ran = self._ran(batch)
        self._move_in()
        ahead = self._ahead(batch, ran)
        exchange = Exchange(batch, ran, self._session.now)
        exchange.refusal = refusal
        exchange.unparsed = batch.simple is not None and _is_unparsed(batch.simple)
        exchange.answer_own = self._session.answer_own_step
        outlook, statements = self._session.outlook, self._session.statements
        closes = late.closes(batch, statements)
        unknown = late.unknown_to_origin(batch, None if self.is_uncertain() else outlook.scope)
        parses, exchange.late = late.parses(unknown, outlook.literals, statements, self.tenancy.standing)
        ahead += [(steps.LATE_CLOSE, frame) for frame in closes]
        ahead += parses
        if self._session.transaction.unsent:
            ahead = block.opening(self._session) + ahead
            exchange.opens = True
        if certain:
            self._prove(exchange)
        frames, plan = proof.weave(batch, exchange.proof, withhold=exchange.withheld)
        exchange.follow(bytes(step for step, _ in ahead) + plan, batch.own)
        exchange.synced = not batch.opened
        self._suspend(exchange, ran, certain)
        if not refusal:
            self._record(exchange, batch, reads)
        self._mark_sent(batch, ran)
        self.exchanges.append(exchange)
        self._to_origin(*(frame for _, frame in ahead), *frames)
        self._answer_if_first(exchange)
        if exchange.proof and not exchange.withheld:
            self._ask_state()

    def open_block(self, ahead_of: Batch | None = None) -> None:
        """Have the origin begin the block that the client stands in, before anything else is known of it; and
        fail it, if it has failed here.
        """
        if self.tenancy.standing is None:
            self._introduce_all_but(ahead_of)
        opening = Batch()
        for step, frame in block.opening(self._session):
            opening.add(step, frame)
        self._send_silently(opening).opens = True
        if self._session.transaction.status == FAILED:
            self.abort_transaction()

    def _move_in(self) -> None:
        """What brings the session's settings to a connection just lent to it goes in the same flight."""
        self._unsent = self.tenancy.settings()
        if self._unsent:
            exchange = Exchange(Batch(), (), self._session.now)
            exchange.silent = exchange.synced = exchange.carries = True
            self.exchanges.append(exchange)

    def _to_origin(self, *frames: bytes) -> None:
        assert self.origin is not None
        unsent, self._unsent = self._unsent, b""
        self.origin.send(b"".join((unsent, *frames)))

    def _ahead(self, batch: Batch, ran: tuple[Statement, ...]) -> list[tuple[int, bytes]]:
        """Steps and messages of ours before the batch; what would fail there must not fail the client's."""
        if self.tenancy.standing is None:
            telling = bool(self._session.transaction.unsent) or not all(_is_ordinary(s) for s in ran)
            if telling and not self._may_be_in_block():
                self._introduce_all_but(batch)
            return []
        self._introduce(self.tenancy.to_introduce(batch, ran))
        for statement in self.tenancy.to_reveal(batch, ran):
            shown = Batch()
            shown.add(steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, statement.name))
            shown.add(steps.LATE_PARSE, statement.parse_frame())
            self._session.statements.reveal(statement)
            self._send_silently(shown).late.append(statement)
        for frame in self.tenancy.names_spoken_of(ran):
            shown = Batch()
            shown.add(steps.LATE_PARSE, frame)
            self._send_silently(shown)
        return [(steps.LATE_CLOSE, frame) for frame in self.tenancy.ahead(batch, ran)]

    def _answer_if_first(self, exchange: Exchange) -> None:
        """What is answered by us waits, as the origin's replies do, until all earlier ones are through."""
        if self.exchanges[0] is exchange:
            exchange.begin(self._session.out)

    def _prove(self, exchange: Exchange) -> None:
        session = self._session
        exchange.proof = proof.place(
            exchange.batch, exchange.ran, session.transaction, session.database.catalogue
        )
        if exchange.proof == proof.BEHIND:
            exchange.withheld = proof.may_be_told_early(exchange.batch, session.state)

    def _suspend(self, exchange: Exchange, ran: tuple[Statement, ...], certain: bool) -> None:
        """Before the first message that can make a write visible."""
        reach, commits = effects.at_risk(ran, self._session.transaction, certain)
        if not certain:
            for earlier in self.exchanges:
                for statement in earlier.ran:
                    reach |= statement.reach
        catalogue = self._session.database.catalogue
        if not reach.proven and catalogue is not None and reaches_other_databases(catalogue):
            reach |= ELSEWHERE
        exchange.reach = reach
        exchange.commits = commits
        if commits and reach.extent != Extent.NOTHING:
            exchange.holds = True
            if exchange.withheld:
                return
            if reach.extent == Extent.ORIGIN:
                self._session.port.shared_change_ahead()
            self._suspend_everywhere(exchange, reach)

    def _suspend_everywhere(self, exchange: Exchange, reach: Reach) -> None:
        concerned = rows.in_memory(reach, self._session.database.oid)
        suspension = self._session.memory.suspend(concerned)
        exchange.suspensions.append(suspension)
        self._session.port.announce(suspension, concerned, ddl=reach.ddl)

    def _record(self, exchange: Exchange, batch: Batch, reads: list[tuple[Shape, bytes]]) -> None:
        """Take the tickets, before anything is sent."""
        for shape, key in reads:
            assert shape.slot is not None
            values = rows.fixed(shape, key)
            ticket = self._session.memory.ticket(shape.slot, key, self._session.now, values)
            if ticket is None:
                exchange.refusal = "suspended"
                exchange.recordings.append(None)
                continue
            flight = self._session.memory.lead(ticket) if len(reads) == 1 else None
            recording = Recording(ticket, flight, self._session.memory.limits.max_entry_bytes)
            exchange.recordings.append(recording)
            exchange.every_recording.append(recording)
        if batch.simple is not None and exchange.recordings:
            exchange.current = exchange.recordings.popleft()

    def _ran(self, batch: Batch) -> tuple[Statement, ...]:
        """What this batch runs, in order; whatever is not certain may do anything."""
        ran: list[Statement] = []
        doubtful = self.is_uncertain()
        if batch.own_query is not None:
            return ()
        self._forget_stale_names()
        meaning = self._session.outlook.statements_now
        tail = batch.reads[0].tail if len(batch.reads) == len(batch.runs) == 1 else b""
        for statement in self._statements_of(batch):
            known = effects.resolve_names(statement, self._session.statements, meaning)
            known = effects.with_parameters(known, tail)
            if doubtful and known.transaction is None and known.verb != "set":
                known = effects.in_doubt(known)
            doubtful = doubtful or effects.moves_scope(known)
            ran.append(known)
        return tuple(ran)

    def _forget_stale_names(self) -> None:
        """What PREPARE put behind a name was judged by one catalogue and scope; PostgreSQL plans anew."""
        catalogue, scope = self._session.database.catalogue, self._session.outlook.scope
        if catalogue is not self._names_catalogue or scope != self._names_scope:
            self._names_catalogue, self._names_scope = catalogue, scope
            self._session.statements.sql_named.clear()

    def _statements_of(self, batch: Batch) -> list[Statement]:
        found: list[Statement] = []
        for read in batch.reads:
            # Planning at Bind runs functions that claim to be immutable, whether or not Execute follows.
            planned = self._session.outlook.statements_now(read.statement)
            if not read.executed and any(not s.reach.proven for s in planned):
                found.extend(planned)
        for prepared, tail in zip(batch.runs, batch.tails, strict=True):
            found.extend(rows.bound(self._session.outlook.statements_now(prepared), prepared, tail))
        if batch.simple is not None:
            assert batch.simple.analysis is not None
            found.extend(batch.simple.analysis.statements)
        return found

    def judged_anew(self) -> None:
        """The catalogue says something else than the one that all on its way was judged by: a statement that
        had to wait for the lock of that very change may do more than was thought.
        """
        session = self._session
        if session.transaction.is_open_at_origin:
            session.transaction.pending |= UNREAD
        for exchange in self.exchanges:
            if exchange.silent:
                continue
            exchange.ran = tuple(
                effects.in_doubt(statement) if effects.hangs_on_names(statement) else statement
                for statement in exchange.ran
            )
            exchange.reach |= UNREAD
            if exchange.commits and not exchange.withheld:
                exchange.holds = True
                self._suspend_everywhere(exchange, exchange.reach)

    def is_uncertain(self) -> bool:
        """May names mean something else by the time the origin runs the next statement?"""
        # Its own DDL holds in a block before anybody else, the catalogue here among them, knows of it.
        unsure = self._session.state.doubt or self._session.transaction.pending.ddl
        return unsure or any(effects.moves_scope(s) or s.reach.ddl for e in self.exchanges for s in e.ran)

    def _introduce_all_but(self, batch: Batch | None) -> None:
        """All statements that it does not know, but for those that this batch brings itself."""
        brought = {prepared for prepared, _ in batch.parsed} if batch is not None else set()
        self._introduce([one for one in self._session.statements.local() if one not in brought])

    def _introduce(self, statements: list[Prepared]) -> None:
        """Before anything that may change what a Parse means: the origin hears of these statements.

        Each in an exchange of its own, so that a failure touches neither the client's nor the next one.
        """
        for statement in statements:
            said, _ = late.parses(
                [statement],
                self._session.outlook.literals,
                self._session.statements,
                self.tenancy.standing,
            )
            if said:
                batch = Batch()
                for step, frame in said:
                    batch.add(step, frame)
                self._send_silently(batch).late.append(statement)

    def _may_be_in_block(self) -> bool:
        """May a transaction block stand open when the origin runs what is sent now? An error would end it."""
        return self._session.transaction.is_open_at_origin or any(
            s.transaction is not None or s.verb == "unknown" for e in self.exchanges for s in e.ran
        )

    def _mark_sent(self, batch: Batch, ran: tuple[Statement, ...]) -> None:
        """The origin parses these statements now, under the present settings and columns."""
        certain = not self.is_uncertain() and not any(s.state or not s.reach.proven for s in ran)
        expected = not self.is_uncertain() and not late.sets_ahead(batch, ran)
        literals = self._session.outlook.literals
        for prepared, _ in batch.parsed:
            if prepared.own is None:
                self._session.statements.told(prepared)
            if prepared.shape is not None:
                self._session.outlook.understand(prepared.shape)
                prepared.form = prepared.shape.form
                prepared.parameters = rows.parameters(prepared.shape) if certain else frozenset()
            prepared.literals = literals
            self._session.parsed_as_virtual(prepared, certain=expected)
        reread = late.note_uses(
            batch, ran, self._session.statements, None if self.is_uncertain() else literals
        )
        for prepared in reread:
            self.tenancy.reread(prepared)

    def _send_silently(self, batch: Batch) -> Exchange:
        assert self.origin is not None
        if not self._unsent:
            self._move_in()
        exchange = Exchange(batch, (), self._session.now)
        exchange.silent = True
        exchange.synced = True
        exchange.follow(bytes(batch.plan), [])
        self.exchanges.append(exchange)
        self._to_origin(*batch.frames, frontend.SYNC_FRAME)
        return exchange

    def carry_on(self, exchange: Exchange, batch: Batch) -> None:
        """More of a batch whose beginning has been sent; or the Sync that ends a COPY."""
        assert self.origin is not None
        batch.wait_for_turn()
        refusal, reads = self._session.examine(batch)
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
        outlook = self._session.outlook
        unknown = late.unknown_to_origin(batch, None if self.is_uncertain() else outlook.scope)
        parses, told = late.parses(unknown, outlook.literals, self._session.statements, self.tenancy.standing)
        exchange.late += told
        exchange.follow(bytes(step for step, _ in parses) + bytes(batch.plan), batch.own)
        answered = exchange.ends_without_sync and not exchange.failed
        exchange.synced = answered or batch.frames[-1:] == [frontend.SYNC_FRAME]
        self._suspend(exchange, ran, certain=False)
        self._mark_sent(batch, ran)
        self.origin.send(b"".join((*(frame for _, frame in parses), *batch.frames)))
        self._answer_if_first(exchange)

    def _answer_in_place(self, exchange: Exchange, batch: Batch) -> bool:
        """A driver that prepares and runs in one go (Parse, Describe, Flush, Bind, Execute, Sync): the
        origin describes, the memory answers behind it, if it can.
        """
        assert self.origin is not None
        if batch.frames[-1:] != [frontend.SYNC_FRAME]:
            return False
        parts = self._session.remembered(batch)
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
        for kind, said, _ in self._scanner.scan(data):
            raw = self._session.port.translate_notification(said) if kind == _NOTIFICATION else said
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
            if exchange.take(kind, raw, self._session.out):
                self._landed(exchange, raw)
            elif opens:
                self._begun(exchange)
            elif kind == backend.COPY_IN_RESPONSE:
                self._begin_copy(exchange)
            elif kind == backend.ERROR_RESPONSE and exchange.silent and exchange.is_fatal:
                self._parting = raw  # it is not our question's fault that the origin goes
            elif kind == backend.ERROR_RESPONSE and exchange.skipped_query():
                self._reopen(exchange)
            elif exchange.withheld and exchange.is_answered:
                self._judge(exchange)
        self._session.flush()
        self.let_go()

    def let_go(self) -> None:
        """Give the connection back, if nothing is on its way and nothing keeps the session at it."""
        if self.exchanges or self.origin is None or self._parting or not self._scanner.is_between:
            return
        if not self.tenancy.may_move_out():
            return
        names = self.tenancy.true_names()
        if names is not None:
            self._send_silently(names)
            return
        self.origin = None
        self._session.port.give_back_origin(usable=self.tenancy.move_out())

    def _reported(self, raw: bytes) -> bool:
        """A ParameterStatus has arrived; is it for the client?"""
        name, value = backend.read_parameter_status(raw)
        expected = name.lower() not in TRACKED or self._session.state.value(name.lower()) == value
        if not (self.is_moving_in and expected):
            for exchange in self.exchanges:
                # It says so behind the first answer that it gave under them, and of later ones not again.
                exchange.settings_moved()
        self._session.state.report(name, value)
        self._session.outlook.state_moved()
        self._session.reconsider()
        return self.tenancy.reports(name, value, self.exchanges[0] if self.exchanges else None)

    def _unasked(self, kind: int, raw: bytes) -> None:
        if kind in (backend.NOTICE_RESPONSE, backend.PARAMETER_STATUS, backend.NOTIFICATION_RESPONSE):
            self._session.out.append(raw)
        elif kind == backend.ERROR_RESPONSE:
            self._parting = (
                raw  # the origin is about to close: whether the client is told depends on its state
            )
        else:
            raise OriginProtocolError(f"unexpected message of type {kind} from the origin")

    def _begin_copy(self, exchange: Exchange) -> None:
        """A Sync that was sent before the end of the data is ignored during COPY."""
        if exchange.silent:
            raise OriginProtocolError("the origin wants data for a question of the proxy's own")
        end = exchange.end_of_copy()
        if end == BEFORE_SYNC:
            exchange.copying = False
            return
        ended = end == BEHIND_SYNC
        while not ended and len(self.exchanges) > 1 and self.exchanges[1].only_syncs:
            ended = self._absorb_next(exchange).has_copy_end
        exchange.copying = not ended
        if not exchange.in_query:
            (self._join_next if ended else self._reopen)(exchange)
        self._session.room_again()

    def _reopen(self, exchange: Exchange) -> None:
        """This exchange is not over with the terminator it was sent with: the next one ends it. That is a
        Sync: a Query is skipped, or refused during COPY, as whatever else comes before.
        """
        exchange.synced = False
        while len(self.exchanges) > 1 and not exchange.synced:
            following = self._absorb_next(exchange)
            exchange.synced = following.synced and not following.ends_without_sync

    def _join_next(self, exchange: Exchange) -> None:
        """Its COPY has swallowed the Sync that it was sent with, and its data have ended: what was sent next
        is run by the origin with no other Sync before it.
        """
        exchange.synced = False
        while len(self.exchanges) > 1 and not exchange.synced:
            following = self._absorb_next(exchange)
            exchange.follow_with(following)
            exchange.synced = following.synced

    def _absorb_next(self, exchange: Exchange) -> Exchange:
        """The one behind it has no end of its own: what it may change is settled with this one."""
        following = self.exchanges[1]
        del self.exchanges[1]
        exchange.ran += following.ran
        exchange.reach |= following.reach
        exchange.suspensions += following.suspensions
        exchange.commits = exchange.commits or following.commits
        self._finish_flights(following)
        return following

    def _landed(self, exchange: Exchange, ready: bytes) -> None:
        """ReadyForQuery: the memory is put right first, then the client is told."""
        after = backend.transaction_status(ready)  # a broken one settles nothing: all stays as it is
        self.exchanges.popleft()
        if exchange.silent:
            self._silent_landed(exchange)
        else:
            self._settle(exchange, ready, after)
            self.probe_if_in_doubt()
        self._cancel_if_due()
        if self.exchanges:
            self.exchanges[0].begin(self._session.out)
        else:
            self._session.certain_again()
        self._session.room_again()

    def _begun(self, exchange: Exchange) -> None:
        """A reply to what opens the block: maybe to its BEGIN."""
        if not exchange.opens:
            self._cancel_if_due()
            self._session.certain_again()

    def _cancel_if_due(self) -> None:
        if self.cancel_waits and not self.is_preparing:
            self.cancel_waits = False
            self._session.port.pass_on_cancel()

    def _judge(self, exchange: Exchange) -> None:
        """All is answered but the Sync, which is withheld: can it make anything visible?"""
        if not exchange.changed_nothing and not exchange.failed:
            self.end_withheld()
            return
        if exchange.is_fatal:
            return  # there is nobody left to answer a Sync
        self.exchanges.popleft()
        self._settle(exchange, backend.READY[IDLE], IDLE)
        self._send_silently(Batch()).told_early = True
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

    def _settle(self, exchange: Exchange, ready: bytes, after: int) -> None:
        before = self._session.transaction.status
        changed = effects.changed(exchange, before, after)
        if exchange.proof and not exchange.failed:
            self._note_proof(exchange)
        effects.settle(
            exchange, after, self._session.transaction, self._session.state, self._session.statements
        )
        for suspension in exchange.suspensions:
            self._session.memory.end(
                suspension, changed=changed, cause="ddl" if exchange.reach.ddl else "own_write"
            )
        entries = self._land_recordings(exchange)
        self.tenancy.settled(exchange)
        if exchange.failed:
            self._session.statements.restore(exchange.batch.parsed[exchange.parses_done :])
        self._session.out += exchange.held
        self._session.out.append(ready)
        self._count(exchange, entries)
        if changed and exchange.reach.ddl:
            self._session.database.catalogue = None
            self._session.port.catalogue_changed(everywhere=exchange.reach.extent == Extent.ORIGIN)
        if exchange.failed or any(s.state or s.transaction or not s.reach.proven for s in exchange.ran):
            self._session.outlook.state_moved()
        self._session.reconsider()

    def _note_proof(self, exchange: Exchange) -> None:
        counters = self._session.shared.counters
        if exchange.changed_nothing:
            counters.proven_unchanged += 1
        else:
            counters.not_proven += 1
        if exchange.proof == proof.BEHIND:
            shapes_in(exchange.batch)[0].proven_idle = exchange.changed_nothing

    def _land_recordings(self, exchange: Exchange) -> list[Entry]:
        entries: list[Entry] = []
        for recording in exchange.every_recording:
            payload = recording.payload()
            if payload and not exchange.failed:
                entry = self._session.memory.land(recording.ticket, payload)
                if entry is not None:
                    entries.append(entry)
                elif not exchange.refusal:
                    exchange.refusal = "moved"
            elif recording.refusal and not exchange.refusal:
                exchange.refusal = recording.refusal
        self._finish_flights(exchange)
        return entries

    def _finish_flights(self, exchange: Exchange) -> None:
        followers: list[Session] = []
        for recording in exchange.every_recording:
            if recording.flight is not None:
                followers += self._session.memory.finish(recording.flight)
        exchange.every_recording.clear()
        if followers:
            self._session.port.wake(followers)

    def _count(self, exchange: Exchange, entries: list[Entry]) -> None:
        if not exchange.ran or exchange.counted:
            return
        seconds = self._session.now - exchange.sent_at
        self._session.shared.counters.origin_latency.observe(seconds)
        shapes = shapes_in(exchange.batch)
        template = shapes[0].template if shapes else None
        word, reason = tally.count(
            self._session.shared.counters,
            template,
            exchange,
            entries,
            seconds,
            expiring=self._session.memory.expiring,
        )
        self._session.last.landed(word, reason, entries[-1] if entries else None, self._session.now)

    # Doubt and loss

    def probe_if_in_doubt(self) -> None:
        """Ask the origin what it cannot be told apart
        otherwise: settings, role, locks; in idle moments only.
        """
        wanted = self._session.state.doubt or self._session.state.locked
        if (
            wanted
            and not self.client_is_gone
            and self._session.transaction.status == IDLE
            and not self.exchanges
            and self.origin
        ):
            self._ask_state()

    def _ask_state(self) -> None:
        batch = Batch()
        batch.frames.append(probe.FRAMES)
        exchange = self._send_silently(batch)
        exchange.on_rows = exchange.rows.append

    def _silent_landed(self, exchange: Exchange) -> None:
        if exchange.carries:
            self.tenancy.failed() if exchange.failed else self.tenancy.arrived()
            return
        if exchange.failed and exchange.told_early:
            message = "the origin could not end the statement before this one, which had been answered"
            self._session.out.append(
                backend.error_response("FATAL", exchange.fault.get("C", "XX000"), message)
            )
            self._session.port.close_client()
        if exchange.failed:
            for statement in exchange.late:
                statement.at_origin = False  # whoever uses it gets the error
        self.tenancy.settled(exchange)
        learnt = probe.read(b"".join(exchange.rows))
        if learnt is not None:
            learnt.apply(self._session.state, first=False)
            if learnt.prepared_by_sql:
                self._session.statements.distrust_names()
        self._session.outlook.state_moved()
        self._session.reconsider()

    def lost(self) -> None:
        """The connection to the origin is gone. What may still
        commit there stays suspended until that backend is gone.
        """
        self.origin = None
        self.cancel_waits = False
        self._scanner = backend.scanner(self._session.shared.options.max_origin_message_bytes)
        outlives = self._may_outlive_its_origin()
        self.tenancy.lost()
        exchanges = list(self.exchanges)
        self.exchanges.clear()
        for exchange in exchanges:
            self._finish_flights(exchange)
            for suspension in exchange.suspensions:
                self._session.port.in_doubt(suspension, ddl=exchange.reach.ddl)
        if outlives and not any(not e.silent for e in exchanges):
            self._session.statements.forget_origin()
            self._parting = b""
            return
        if not any(e.is_fatal and not e.silent for e in exchanges):
            message = "the connection to the origin was lost"
            self._session.out.append(self._parting or backend.error_response("FATAL", "08006", message))
        self._session.flush()
        self._session.port.close_client()

    def _may_outlive_its_origin(self) -> bool:
        state = self._session.state
        if self._session.transaction.is_open_at_origin or state.doubt or self.tenancy.pinned_for():
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
            self._finish_flights(exchange)
        return False

    def abort_transaction(self) -> None:
        """A command of ours failed: as any error does, it ends the transaction block it stands in.

        Not while a later batch of the client's is half sent: what we say now would stand in the middle of it.
        """
        transaction = self._session.transaction
        if transaction.unsent:
            transaction.status = FAILED
            self._session.reconsider()
            return
        if transaction.status == IDLE or self.origin is None or self.unfinished is not None:
            return
        batch = Batch()
        batch.frames.append(steps.REFUSAL)
        self._send_silently(batch)
        transaction.status = FAILED


def _as_last_words(error: bytes) -> bytes:
    """What the origin said of our BEGIN, as what ends the session; whatever it may be."""
    fields = backend.error_fields(error)
    code, said = (fields.get(name, "").encode(errors="replace").decode() for name in "CM")
    return backend.error_response("FATAL", code or "08006", said or "the block could not be begun")


def _is_ordinary(statement: Statement) -> bool:
    """Does it leave prepared statements and settings alone? Not ``SELECT set_config(...)``, for one."""
    return statement.verb in QUERIES and statement.reach.proven and not statement.state


def _is_unparsed(shape: Shape) -> bool:
    return shape.analysis is not None and shape.analysis.unparsed
