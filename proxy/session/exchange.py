"""One batch that went to the origin, and its replies on their way back.

Frames come in, what the client gets goes out at once; only what may not be told before the memory has been
put right (CommandComplete and ReadyForQuery of a write) is held. Source: PostgreSQL docs, protocol-flow,
"Extended Query", "COPY Operations"; protocol-error-fields.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, final

from proxy.cache.tags import Suspension
from proxy.session import batch as steps
from proxy.session import proof
from proxy.session.batch import Batch, OwnStep
from proxy.session.recording import Recording
from proxy.session.statements import Prepared
from proxy.sql import commands
from proxy.sql.analysis import NOTHING, Reach, Statement
from proxy.wire import backend

_DESCRIBING: Final = bytes((steps.PARSE, steps.LATE_PARSE, steps.LATE_CLOSE, steps.DESCRIBE_STATEMENT))
# The reply that ends each step; a step of the plan is over when one of these kinds has arrived.
_ENDS: Final[dict[int, bytes]] = {
    steps.PARSE: b"1",
    steps.LATE_PARSE: b"1",
    steps.LATE_CLOSE: b"3",
    steps.LATE_BIND: b"2",
    steps.BEGIN: b"C",
    steps.PROOF: b"C",
    steps.STATEMENT: b"C",
    steps.BIND: b"2",
    steps.CLOSE: b"3",
    steps.DESCRIBE_PORTAL: b"Tn",
    steps.DESCRIBE_STATEMENT: b"Tn",
    steps.EXECUTE: b"CsI",
}

# Steps of ours: what ends them is kept from the client.
_OURS: Final = frozenset((steps.LATE_PARSE, steps.LATE_CLOSE, steps.LATE_BIND, steps.BEGIN, steps.PROOF))

# What may stand between the last CommandComplete and ReadyForQuery: it keeps its place behind the former.
_BETWEEN: Final = frozenset(
    (
        backend.CLOSE_COMPLETE,
        backend.PARAMETER_STATUS,
        backend.NOTICE_RESPONSE,
        backend.NOTIFICATION_RESPONSE,
    )
)

# What the origin may say at any time, and not in answer to a question of ours.
_ASYNCHRONOUS: Final = (backend.PARAMETER_STATUS, backend.NOTIFICATION_RESPONSE)

# Steps of a batch that are looked at again and again; a longer one is of no interest to the memory.
_LONG_PLAN: Final = 1_000

# Pieces of the answer to a question of ours that are kept: it is one row, and more make it none.
_MAX_PIECES: Final = 100

# Where the end of a COPY was sent.
NOT_YET, BEFORE_SYNC, BEHIND_SYNC = range(3)

_PARSED_AND_BOUND: Final = backend.PARSE_COMPLETE_FRAME + backend.BIND_COMPLETE_FRAME

_SYNTAX_ERROR: Final = "42601"  # what the origin says to ``batch.REFUSAL``


@final
class Exchange:
    """``ran``: the statements in order. ``reach``: what it
    may change, the pending changes it may commit included.

    ``commits``: something may become visible by it. ``silent``: a question of our own, the client sees
    nothing. ``synced``: the Sync (or Query) that ends it has been sent, or is ``withheld`` until the origin
    has proven that it changes nothing. ``proof``: where that question stands (``proof.place``);
    ``told_early``: the client was told of the success of this Sync before the origin has spoken.
    ``late``: statements that a Parse of ours makes known in it; ``carries``: it brings the session's settings
    to a connection; ``opens``: the origin has yet to begin, by a BEGIN of ours in it, the block that the
    client stands in; ``is_ordinary``: see ``misses.py``; ``ready``: the ReadyForQuery that ends it then.
    ``fault``: the fields of the first error; ``is_fatal``: one of the errors ends the origin's session.
    """

    __slots__ = (
        "_at",
        "_copy_ends",
        "_plan",
        "answer_own",
        "batch",
        "carries",
        "commits",
        "copying",
        "counted",
        "current",
        "every_recording",
        "failed",
        "fault",
        "first",
        "held",
        "holds",
        "is_fatal",
        "is_ordinary",
        "late",
        "on_rows",
        "opens",
        "own",
        "parses_done",
        "proof",
        "proof_row",
        "ran",
        "reach",
        "ready",
        "recordings",
        "refusal",
        "rows",
        "sent_at",
        "silent",
        "suspensions",
        "synced",
        "tag",
        "told_early",
        "unparsed",
        "withheld",
    )

    def __init__(self, batch: Batch, ran: tuple[Statement, ...], sent_at: float) -> None:
        self.batch = batch
        self.ran = ran
        self.sent_at = sent_at
        self.reach: Reach = NOTHING
        self.commits = False
        self.suspensions: list[Suspension] = []
        self.silent = False
        self.late: list[Prepared] = []
        self.carries = False
        self.opens = False
        self.is_ordinary = False
        self.ready = b""
        self.synced = False
        self.unparsed = False
        self.failed = False
        self.fault: dict[str, str] = {}
        self.is_fatal = False
        self.first = True  # no reply has come yet but to messages of ours
        self.copying = False
        self.tag = b""  # of the last CommandComplete
        self.parses_done = 0
        self.holds = False
        self.held: list[bytes] = []
        self.recordings: deque[Recording | None] = deque()
        self.current: Recording | None = None
        self.every_recording: list[Recording] = []
        self.refusal = ""
        self.rows: list[bytes] = []  # of a question of our own
        self.on_rows: Callable[[bytes], None] | None = None
        self.answer_own: Callable[[OwnStep], bytes] | None = None
        self.own: deque[OwnStep] = deque()
        self.proof = proof.NOWHERE
        self.proof_row = b""
        self.withheld = False
        self.told_early = False
        self.counted = False  # its outcome is in the figures already
        self._plan = bytearray()
        self._at = 0
        # For each end of a COPY that was sent early: behind how many steps, and whether behind the Sync too.
        self._copy_ends: deque[tuple[int, bool]] = deque()

    def follow(self, plan: bytes, own: list[OwnStep]) -> None:
        """Further steps whose replies are expected, in order;
        without a plan frames are passed on as they come.
        """
        self._plan += plan
        self.own.extend(own)

    def follow_with(self, following: Exchange) -> None:
        """All that the one behind it asks for is asked for in this one."""
        self.follow(bytes(following._plan), list(following.own))
        self.batch.parsed += following.batch.parsed
        self.unparsed |= following.unparsed

    def take(self, kind: int, raw: bytes, out: list[bytes]) -> bool:
        """One frame (or a piece of rows) from the origin;
        True when it was the ReadyForQuery that ends all.
        """
        if kind == backend.DATA_ROW:
            self._row(raw, out)
            return False
        if kind == backend.READY_FOR_QUERY:
            return True
        if kind == backend.COMMAND_COMPLETE and not (self.opens or self._is_at(steps.PROOF)):
            self.tag = backend.command_tag(raw)
        elif kind == backend.ERROR_RESPONSE:
            raw = self._refusal(raw)
            self._fail(raw)
        elif kind == backend.COPY_IN_RESPONSE:
            self.copying = True
        elif kind == backend.BIND_COMPLETE and self.recordings and not self._is_at(steps.LATE_BIND):
            self.current = self.recordings.popleft()
        self._record(kind, raw)
        if self._advance(kind):
            self.first = False
            self._emit(kind, raw, out)
        self._own_steps(out)
        return False

    def is_answered_by(self, data: bytes) -> bool:
        """Is that all of its answer, and nothing else, and no error? Nothing may have come of it before."""
        return (
            self.first and not self.failed and backend.is_whole_answer(data, self._acknowledged(), self.ready)
        )

    def record_whole(self, answer: bytes) -> None:
        """What may be remembered of an answer that came whole: not what acknowledges, nor ReadyForQuery."""
        for recording in self.every_recording:
            recording.add(answer[len(self._acknowledged()) : -len(self.ready)])
            recording.complete = True

    def _acknowledged(self) -> bytes:
        """What the answer to an ordinary statement begins with: it is no part of what is remembered."""
        if self.in_query:
            return b""
        return _PARSED_AND_BOUND if self.batch.parsed else backend.BIND_COMPLETE_FRAME

    @property
    def changed_nothing(self) -> bool:
        """Has the origin proven it?"""
        return self.proof_row == proof.NOTHING_CHANGED

    @property
    def is_answered(self) -> bool:
        """Has everything been answered but the Sync? An error answers all."""
        return self.failed or self._at >= len(self._plan)

    @property
    def only_describes(self) -> bool:
        """Has it asked for nothing yet but Parse and Describe, without an error?"""
        if self.synced or self.failed or not 0 < len(self._plan) < _LONG_PLAN:
            return False
        return not self._plan.strip(_DESCRIBING)

    def begin(self, out: list[bytes]) -> None:
        """Before the first reply: steps of ours that stand at the front."""
        self._own_steps(out)

    def end_copy(self) -> None:
        """CopyDone or CopyFail was sent, maybe before the origin has said that it waits for data."""
        if self.copying:
            self.copying = False
        else:
            self._copy_ends.append((len(self._plan), self.synced))

    def end_of_copy(self) -> int:
        """Where the end of the COPY that begins now was sent: NOT_YET, BEFORE_SYNC or BEHIND_SYNC.

        PostgreSQL ignores an end that comes while nothing is copied, so before what asks for the COPY.
        """
        while self._copy_ends:
            steps_before, behind_sync = self._copy_ends.popleft()
            if steps_before > self._at:
                return BEHIND_SYNC if behind_sync else BEFORE_SYNC
        return NOT_YET

    @property
    def has_copy_end(self) -> bool:
        """Was the end of a COPY sent behind it?"""
        return bool(self._copy_ends)

    @property
    def in_query(self) -> bool:
        """Is a Query what is being answered?"""
        return self._is_at(steps.QUERY)

    @property
    def only_syncs(self) -> bool:
        """Is it nothing but a Sync?"""
        return not self._plan and not self.silent

    @property
    def ends_without_sync(self) -> bool:
        """Is its last message a Query or a FunctionCall, which are answered by ReadyForQuery themselves?"""
        return bool(self._plan) and self._plan[-1] in (steps.QUERY, steps.FUNCTION_CALL)

    def skipped_query(self) -> bool:
        """Was the Query at the end of unsynced messages skipped, because one of those failed before it?

        PostgreSQL discards messages after an error up to
        Sync, a Query as well: no ReadyForQuery answers it.
        """
        return self.failed and self.ends_without_sync and self._at < len(self._plan) - 1

    def _is_at(self, step: int) -> bool:
        return self._at < len(self._plan) and self._plan[self._at] == step

    def _row(self, raw: bytes, out: list[bytes]) -> None:
        if self._is_at(steps.PROOF):
            self.proof_row += raw
            return
        if self.current is not None:
            self.current.add(raw)
        if self.on_rows is not None and len(self.rows) < _MAX_PIECES:
            self.on_rows(raw)
        if not self.silent:
            out.append(raw)

    def _refusal(self, raw: bytes) -> bytes:
        """Our own error where the origin's stands in for it; in a failed transaction its own holds."""
        if self.failed or not self._is_at(steps.REFUSED):
            return raw
        refused = self.own[0].command
        if not isinstance(refused, commands.Refused) or backend.sqlstate(raw) != _SYNTAX_ERROR:
            return raw
        return backend.error_response("ERROR", refused.sqlstate, refused.message)

    def _fail(self, raw: bytes) -> None:
        fields = backend.error_fields(raw)
        self.is_fatal |= fields.get("V", "") in ("FATAL", "PANIC")
        if not self.failed:
            self.fault = fields
            self.fault["first"] = "yes" if self.first else ""
        if self._is_at(steps.PROOF) and steps.STATEMENT in self._plan:
            self.held.clear()  # by itself the client's text would have failed before it was complete
        self.failed = True
        self.copying = False
        self.own.clear()
        self._spoil("error")

    def _spoil(self, reason: str) -> None:
        if self.current is not None:
            self.current.spoil(reason)
        for recording in self.recordings:
            if recording is not None:
                recording.spoil(reason)

    def _record(self, kind: int, raw: bytes) -> None:
        if kind == backend.NOTICE_RESPONSE:
            self._spoil("notice")  # Parse may have one to say as well: that a name is too long
        current = self.current
        if current is None or self.opens:
            return
        if kind in (backend.ROW_DESCRIPTION, backend.NO_DATA):
            current.add(raw)
        elif kind == backend.COMMAND_COMPLETE:
            current.add(raw)
            current.complete = True
            self.current = None
        elif kind in (backend.PARAMETER_STATUS, backend.NOTIFICATION_RESPONSE):
            current.spoil("notice")

    def settings_moved(self) -> None:
        """The origin tells of a setting that is another one by now: what it answers is kept under no key."""
        for recording in self.every_recording:
            recording.spoil("settings")

    def _advance(self, kind: int) -> bool:
        """Follow the plan; False for a reply that is not the client's."""
        if self._at >= len(self._plan) or self.failed:
            return True
        step = self._plan[self._at]
        if kind not in _ENDS.get(step, b""):
            return step != steps.PROOF or kind != backend.ROW_DESCRIPTION
        self._at += 1
        if step == steps.PARSE:
            self.parses_done += 1
        elif step == steps.BEGIN:
            self.opens = False
        return step not in _OURS

    def _own_steps(self, out: list[bytes]) -> None:
        while (
            not self.failed and self.own and self._at < len(self._plan) and self._plan[self._at] == steps.OWN
        ):
            self._at += 1
            if self.answer_own is not None:
                out.extend(self.held)
                self.held.clear()
                out.append(self.answer_own(self.own.popleft()))

    def _emit(self, kind: int, raw: bytes, out: list[bytes]) -> None:
        if self.silent:
            if kind in _ASYNCHRONOUS or (self.told_early and kind == backend.NOTICE_RESPONSE):
                out.append(raw)
            return
        if self.holds:
            if self.held and kind in _BETWEEN:
                self.held.append(raw)
                return
            if self.held:
                out.extend(self.held)
                self.held.clear()
            # Before Sync has been sent the client waits for it, having sent Flush; the reach stays suspended.
            if kind == backend.COMMAND_COMPLETE and self.synced:
                self.held.append(raw)
                return
        out.append(raw)
