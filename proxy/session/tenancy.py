"""One session at a connection to the origin that many sessions share: how it moves in, how long it must stay.

Between two transactions the connection goes to whoever needs it next. What a session leaves behind there is
carried on to its next connection (settings, statements prepared by Parse), or keeps it where it is. In doubt
it stays. Source: PostgreSQL docs, sql-discard, which lists what a session holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from proxy.errors import OriginUnreachable
from proxy.session import batch as steps
from proxy.session import effects
from proxy.session.batch import Batch
from proxy.session.outlook import shapes_in
from proxy.session.standing import ASKS_SEQUENCES, SEEDS, Standing, can_be_carried
from proxy.session.statements import UNKNOWN_SCOPE, Prepared
from proxy.session.transaction import FAILED
from proxy.sql.analysis import DiscardAll, Statement
from proxy.wire import backend, frontend

if TYPE_CHECKING:
    from proxy.session.exchange import Exchange
    from proxy.session.probe import Learnt
    from proxy.session.session import Session
    from proxy.session.virtual import Virtual

# Verbs that take no number of a sequence; a SELECT that may be remembered calls nothing that does.
_COUNTLESS: Final = frozenset(
    (
        *("begin", "start transaction", "commit", "rollback", "savepoint", "release", "rollback to"),
        *("set", "reset", "show", "delete", "truncate", "prepare", "deallocate", "close", "lock"),
        *("discard", "discard all", "listen", "unlisten", "notify", "comment", "checkpoint", "vacuum"),
        *("create database", "drop database", "create role", "drop role", "alter role", "grant", "revoke"),
    )
)
_VIRTUAL_NAME: Final = re.compile(rb'"(orrery_[0-9]+)"')


@final
class Tenancy:
    """Of ``session``. ``standing`` is that of the connection lent to it; None: none is, or none is shared.

    ``token`` stands for the session where a connection remembers whom it served. ``told``: what
    ParameterStatus has told the client. ``is_free``: when it was last looked nothing kept the session here,
    and only ordinary statements ran since.
    """

    __slots__ = ("_moving", "_session", "is_free", "standing", "token", "told")

    def __init__(self, session: Session, told: dict[str, str]) -> None:
        self._session = session
        self._moving = False  # nothing has been sent since the connection was lent
        self.standing: Standing | None = None
        self.is_free = False
        self.token = object()
        self.told = told

    # Moving in

    def move_in(self, standing: Standing, learnt: Learnt) -> bool:
        """A connection is lent: from here on the session has its settings, and its own on top of them. Is
        anything another than before?
        """
        self.standing = standing
        self._moving = True
        session = self._session
        session.state.database, session.state.session_user = learnt.database, learnt.session_user
        session.statements.foreign_unnamed = b"" not in session.statements.named
        if session.state.rests_on(learnt.values):
            return False
        self.is_free = False
        session.state.moved(learnt.values, standing.statuses)
        return True

    def settings(self) -> bytes:
        """What must be sent before anything else; b"": nothing."""
        if not self._moving or self.standing is None:
            return b""
        self._moving = False
        state = self._session.state
        frames = self.standing.carry(state.own(), state.customs, self.token)
        if not frames:
            self.arrived()
        return frames

    def arrived(self) -> None:
        """The connection has the session's settings. The client is told what it was told otherwise."""
        assert self.standing is not None
        state = self._session.state
        self.standing.carried(state.own(), state.customs, self.token)
        if self.told == self.standing.statuses:
            return
        for name, value in self.standing.statuses.items():
            if self.told.get(name) != value:
                self._tell(name, value)
                self._session.out.append(backend.parameter_status(name, value))

    def failed(self) -> None:
        """The origin has not taken the settings: what follows them must not be answered. Raises
        ``OriginUnreachable``.
        """
        raise OriginUnreachable("the origin refused the settings of the session on another connection")

    def reports(self, name: str, value: str, exchange: Exchange | None) -> bool:
        """ParameterStatus has arrived; is it for the client?"""
        if self.standing is not None:
            self.standing.statuses[name] = value
        if exchange is not None and exchange.carries:
            return False
        self._tell(name, value)
        return True

    def _tell(self, name: str, value: str) -> None:
        self.told = self.told | {name: value}

    # While it stays

    def ahead(self, batch: Batch, ran: tuple[Statement, ...]) -> list[bytes]:
        """Close of what must make room, before a batch; what the batch says of the session is noted."""
        if self.standing is None:
            return []
        self._note(batch, ran)
        # Nothing of ours may stand before a Query: should it fail, the Query would be skipped.
        return self.standing.make_room(self._session.statements.there) if batch.simple is None else []

    def names_spoken_of(self, ran: tuple[Statement, ...]) -> list[bytes]:
        """Parse for each statement of the client's that these speak of by its name, in SQL."""
        statements = self._session.statements
        said: list[bytes] = []
        if self._session.transaction.status == FAILED:
            return said
        for statement in ran:
            named = statement.named
            if self.standing is None or named is None or named.action in ("declare", "fetch", "close"):
                continue
            name = named.name.encode()
            prepared = statements.named.get(name)
            if prepared is not None and prepared.virtual is not None and name not in statements.true_names:
                statements.true_names.add(name)
                said.append(prepared.parse_frame())
        return said

    def to_introduce(self, batch: Batch, ran: tuple[Statement, ...], *, in_block: bool) -> list[Prepared]:
        """Statements that the origin must know before this batch changes what their Parse would mean: by the
        settings, or by a temporary relation, of whose columns no catalogue tells. ``in_block``: the batch may
        stand in one, which an error would end.
        """
        shadows = not in_block and any(statement.temporary for statement in ran)
        if not shadows and not any(map(effects.moves_scope, ran)):
            return []
        scope = self._session.outlook.scope
        brought = {prepared for prepared, _ in batch.parsed}
        local = self._session.statements.local()
        return [one for one in local if one.scope == scope and one not in brought]

    def to_reveal(self, batch: Batch, ran: tuple[Statement, ...]) -> list[Prepared]:
        """Statements that code which nobody has read may speak of by the client's own names: from here on
        they have those at the origin. Such a session stays where it is.
        """
        session = self._session
        if session.transaction.status == FAILED or all(s.reach.proven for s in ran):
            return []
        used = {prepared for prepared, _ in batch.parsed} | {read.statement for read in batch.reads}
        used.update(batch.named)
        return [
            one
            for one in session.statements.named.values()
            if one.virtual is not None and one.scope == session.outlook.scope and one not in used
        ]

    def note_ordinary(self, statement: Statement) -> None:
        """An ordinary statement is about to be sent."""
        if self.standing is not None and not _is_countless(statement):
            self.standing.counted_for = self.token

    def settled_ordinary(self) -> None:
        """It has landed."""
        if self.standing is not None:
            state = self._session.state
            self.standing.spoiled |= state.unproven or state.temporary or state.seeded

    def _note(self, batch: Batch, ran: tuple[Statement, ...]) -> None:
        assert self.standing is not None
        session = self._session
        if any(not _is_countless(statement) for statement in ran):
            self.standing.counted_for = self.token
        for shape in shapes_in(batch):
            if ASKS_SEQUENCES.search(shape.key):
                session.state.counted = True
                session.shared.note_teller(session.state.database, session.state.session_user)
            if SEEDS.search(shape.key):
                session.state.seeded = True

    def parsed(self, virtual: Virtual) -> None:
        """A client's own Parse, sent under this name, means just what the name stands for."""
        if self.standing is not None:
            self.standing.prepared(virtual)

    def reread(self, prepared: Prepared) -> None:
        """The origin may have read its literals anew under other settings: it serves nobody else any more,
        nor another name of this client.
        """
        virtual = prepared.virtual
        if virtual is None or self.standing is None:
            return
        self.standing.forget(virtual)
        for other in self._session.statements.there.get(virtual, ()):
            if other is not prepared:
                other.virtual = self._session.shared.virtuals.of(other.text, other.types, UNKNOWN_SCOPE, 0)
                other.at_origin = False

    def settled(self, exchange: Exchange) -> None:
        """A batch has landed, or one of our own that prepares statements."""
        standing, statements = self.standing, self._session.statements
        if standing is None:
            return
        if not exchange.failed and any(_discards_all(statement) for statement in exchange.ran):
            standing.counted_for = None
        if any(_deallocates_all(statement) for statement in exchange.ran):
            standing.deallocated()
            statements.true_names.clear()
            for virtual in list(statements.there):
                statements.untold(virtual)
        if exchange.failed:
            parsed = [prepared for prepared, _ in exchange.batch.parsed[exchange.parses_done :]]
            for prepared in (*exchange.late, *parsed):
                if prepared.virtual is not None:
                    standing.forget(prepared.virtual)
                    statements.untold(prepared.virtual)
        state = self._session.state
        standing.spoiled |= state.unproven or state.temporary or state.seeded

    def in_the_client_s_words(self, raw: bytes) -> bytes:
        """An error of the origin that speaks of a statement by the name that only the origin knows."""
        if self.standing is None or b'"orrery_' not in raw:
            return raw
        names = {
            prepared.virtual.name: name
            for name, prepared in self._session.statements.named.items()
            if prepared.virtual is not None
        }
        told = _VIRTUAL_NAME.sub(lambda found: b'"' + names.get(found[1], found[1]) + b'"', raw)
        return raw if told == raw else told[:1] + (len(told) - 1).to_bytes(4, "big") + told[5:]

    # Moving out

    def pinned_for(self) -> str:
        """What keeps the session at its connection outside of a transaction, in one word; "": nothing."""
        state, statements = self._session.state, self._session.statements
        for holds, reason in (
            (state.unproven, "unproven"),
            (state.temporary, "temporary"),
            (state.locked, "lock"),
            (state.listening, "listen"),
            (state.holding or bool(statements.cursors), "cursor"),
            (state.prepared or bool(statements.sql_named), "prepare"),
            (state.seeded, "seed"),
            (state.has_role, "role"),
            (self._counts(), "sequence"),
        ):
            if holds:
                return reason
        if not can_be_carried(state.own()):
            return "setting"
        return "" if all(map(self._can_follow, statements.named.values())) else "statement"

    def _counts(self) -> bool:
        state, standing = self._session.state, self.standing
        if standing is None or standing.counted_for is not self.token:
            return False
        return state.counted or self._session.shared.is_teller(state.database, state.session_user)

    def _can_follow(self, prepared: Prepared) -> bool:
        if prepared.own is not None:
            return True
        if prepared.scope != self._session.outlook.scope:
            return False
        # Where connections are shared, a client's own name at one of them is another's at the next.
        return self.standing is None or not (prepared.name and prepared.at_origin and not prepared.virtual)

    def may_move_out(self) -> bool:
        """Is the session outside of a transaction, and does it hold nothing that keeps it here?"""
        session = self._session
        if self.standing is None or session.transaction.is_open_at_origin or session.state.doubt:
            return False
        if self.is_free and not self._counts():
            return True
        reason = self.pinned_for()
        session.note_pinned(reason)
        self.is_free = not reason
        return self.is_free

    def true_names(self) -> Batch | None:
        """What closes the names of the client's that stand for statements of ours; None: there are none."""
        names = self._session.statements.true_names
        if not names:
            return None
        batch = Batch()
        for name in names:
            batch.add(steps.LATE_CLOSE, frontend.close(frontend.STATEMENT, name))
        names.clear()
        return batch

    def move_out(self) -> bool:
        """The connection is given back. May others have it?"""
        assert self.standing is not None
        standing, self.standing = self.standing, None
        state = self._session.state
        if not self._moving:
            standing.carried(state.own(), state.customs, self.token)
        self._moving = False
        standing.has_statements = bool(self._session.statements.there)
        self._session.statements.leave_origin()
        return not standing.spoiled

    def lost(self) -> None:
        """The connection is gone."""
        self.standing = None
        self._moving = False


def _is_countless(statement: Statement) -> bool:
    return statement.verb in _COUNTLESS or (statement.verb == "select" and not statement.reason)


def _deallocates_all(statement: Statement) -> bool:
    named = statement.named
    everything = named is not None and named.action == "deallocate" and not named.name
    return everything or _discards_all(statement)


def _discards_all(statement: Statement) -> bool:
    return any(isinstance(change, DiscardAll) for change in statement.state)
