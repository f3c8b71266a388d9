"""Asking the origin again for an answer that was given from memory, as the one who got it, and comparing.

The question is a dialogue (see ``handshake``) for a connection that no client has: one flight, one read-only
transaction that is rolled back. In it the settings and the role of the key are brought in line with SET
LOCAL's means, the origin says what they are (``probe``), and the statement runs, for one row more than
remembered. Source: PostgreSQL docs, protocol-flow, "Extended Query"; functions-admin, set_config.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final, final

from proxy.cache.entry import Entry
from proxy.cache.fills import Ticket
from proxy.schema.catalogue import Catalogue
from proxy.session import probe
from proxy.session.shapes import Shape
from proxy.session.state import KEY_SETTINGS, Scope
from proxy.sql.determinacy import Count, Determinacy, determinacy, with_higher_limit
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND, Frame, FrameSplitter

# Verdicts; any other one is a word of why nothing can be said.
FRESH: Final = "fresh"
DIFFERENT: Final = "different"
EXCUSED: Final = "excused"

# What the origin may spend on one question, of its own work and of waiting for somebody's lock.
_LIMITS: Final = (("statement_timeout", "2000"), ("lock_timeout", "200"))
_NO_PARAMETERS: Final = b"\0\0\0\0\0\0"
_TEXT_OID: Final = (25).to_bytes(4, "big")
_FLOATS: Final = frozenset((700, 701))
# No declared type, int8, int2, int4: what LIMIT and OFFSET are given.
_WHOLE: Final = frozenset((0, 20, 21, 23))
_DIGITS: Final = re.compile(rb"[0-9]{1,19}")
# The statements of one flight by their place: BEGIN, set_config(), the probe, the one in question, ROLLBACK.
_PROBE, _STATEMENT = 3, 4
_GAVE_UP: Final = frozenset(("57014", "55P03"))  # query_canceled, lock_not_available


@final
class Sample:
    """One answer as it was given. ``ticket`` tells later whether anything that it depends on has moved since;
    ``scope`` is the session's; ``at`` and ``age`` are seconds.
    """

    __slots__ = ("age", "at", "catalogue", "entry", "scope", "shape", "template", "ticket")

    def __init__(self, shape: Shape, entry: Entry, ticket: Ticket, scope: Scope, at: float) -> None:
        self.shape = shape
        self.entry = entry
        self.ticket = ticket
        self.scope = scope
        self.at = at
        self.age = at - entry.born
        self.catalogue = shape.catalogue
        self.template = shape.analysis.template if shape.analysis is not None else ""

    @property
    def session_user(self) -> str:
        """The role that has logged in, or that SET SESSION AUTHORIZATION has made of it."""
        return self.scope[1]

    @property
    def described(self) -> bool:
        """Does the answer begin with its row description?"""
        return self.entry.key[:1] != b"-"

    @property
    def tail(self) -> bytes:
        """What Bind says beyond the names; a Query has no parameters and wants text."""
        return self.entry.key[1:] or _NO_PARAMETERS

    def determinacy(self) -> Determinacy:
        """Whether rows determine the answer, the views behind the statement included."""
        text = self.shape.key.partition(b"\0")[0].decode("utf-8", "replace")
        analysis = self.shape.analysis
        if analysis is None or self.catalogue is None or len(analysis.statements) != 1:
            return Determinacy(determined=False)
        return determinacy(text, _definitions(self.catalogue, analysis.statements[0].mentions))


def _definitions(catalogue: Catalogue, mentions: frozenset[int]) -> list[str]:
    """Of all views that these relations are or use."""
    seen: set[int] = set()
    waiting = list(mentions)
    while waiting:
        oid = waiting.pop()
        relation = catalogue.relations.get(oid)
        if oid not in seen and relation is not None and relation.kind == "v":
            waiting += relation.uses
        seen.add(oid)
    views = (catalogue.relations.get(oid) for oid in seen)
    return [view.definition or "" for view in views if view is not None and view.kind == "v"]


# What to ask


@dataclass(frozen=True, slots=True)
class Request:
    """``raised``: with a LIMIT one higher than the client's, which was met by as many rows as it allows: only
    if no more come than before did it cut nothing off.
    """

    text: bytes
    types: bytes
    tail: bytes
    found: Determinacy
    raised: bool = False


def request(sample: Sample) -> Request | None:
    """How to ask for this answer again; None where the rows do not determine it, so that nothing would follow
    from a difference.

    Told from the remembered answer alone: what is left out must not depend on what would be found.
    """
    text, _, types = sample.shape.key.partition(b"\0")
    found = sample.determinacy()
    limit, offset = _number(found.limit, types, sample.tail), _number(found.offset, types, sample.tail)
    if not found.determined or limit is None or offset != 0:
        return None
    same = Request(text, types, sample.tail, found)
    if found.limit is None or _row_count(sample.entry.payload) < limit:
        return same
    return _raised(same, found.limit, limit + 1)


def _raised(same: Request, count: Count, limit: int) -> Request | None:
    if not count.parameter:
        text = with_higher_limit(same.text.decode())
        return None if text is None else replace(same, text=text.encode(), raised=True)
    code, value = frontend.bind_parameters(same.tail)[count.parameter - 1]
    size = len(value or b"")
    if code and limit >> (8 * size - 1):
        return None
    higher = limit.to_bytes(size, "big") if code else str(limit).encode()
    return replace(same, tail=frontend.with_parameter(same.tail, count.parameter, higher), raised=True)


def _number(count: Count | None, types: bytes, tail: bytes) -> int | None:
    """What is given to LIMIT or OFFSET, 0 where there is none; None if that cannot be read or is negative."""
    if count is None or not count.parameter:
        return 0 if count is None else count.value
    parameters = frontend.bind_parameters(tail)
    declared = int.from_bytes(types[4 * count.parameter - 4 : 4 * count.parameter], "big")
    if count.parameter > len(parameters) or declared not in _WHOLE:
        return None
    code, value = parameters[count.parameter - 1]
    if not value:
        return None
    number = (
        int.from_bytes(value, "big", signed=True) if code else int(value) if _DIGITS.fullmatch(value) else -1
    )
    return number if number >= 0 else None


def _row_count(payload: bytes) -> int:
    """From the tag at the end: ``SELECT n``."""
    return int(payload[:-1].rpartition(b" ")[2])


# Asking


@final
class Reply:
    """What came back. ``body``: rows and tag, None once they are more than the remembered answer has.

    ``more``: there are more rows than it has. ``failed``: the place in the flight of the statement that
    failed with ``sqlstate``; 0 for none.
    """

    __slots__ = ("_ended", "_left", "_place", "body", "description", "failed", "learnt", "more", "sqlstate")

    def __init__(self, most_bytes: int) -> None:
        self.learnt: probe.Learnt | None = None
        self.description = b""
        self.body: list[bytes] | None = []
        self.sqlstate = ""
        self.failed = 0
        self.more = False
        self._left = most_bytes
        self._place = 0  # of the statement that is answered
        self._ended = 0

    def take(self, frame: Frame) -> None:
        """The next frame of the flight."""
        kind, raw = frame.kind, frame.raw
        if kind == backend.ERROR_RESPONSE:
            self.failed, self.sqlstate = self._ended + 1, backend.sqlstate(raw)
        elif kind == backend.PARSE_COMPLETE:
            self._place += 1
        elif kind == backend.DATA_ROW and self._place == _PROBE:
            self.learnt = probe.read(raw)
        elif self._place == _STATEMENT and kind == backend.ROW_DESCRIPTION:
            self.description = raw
        elif kind == backend.COMMAND_COMPLETE:
            self._ended += 1
            if self._place == _STATEMENT:
                self._keep(raw)
        elif self._place == _STATEMENT and kind == backend.DATA_ROW:
            self._keep(raw)
        elif self._place == _STATEMENT and kind == backend.PORTAL_SUSPENDED:
            self.more = True
            self.body = None

    def _keep(self, raw: bytes) -> None:
        self._left -= len(raw)
        if self._left < 0:
            self.body = None
        elif self.body is not None:
            self.body.append(raw)


def question(sample: Sample, asked: Request, known: probe.Learnt) -> Generator[bytes, Frame, Reply]:
    """Ask for this answer over a connection that began as ``known``. Ends outside of any transaction."""
    reply = Reply(len(sample.entry.payload))
    frame = yield _flight(sample, asked, known)
    while frame.kind != backend.READY_FOR_QUERY:
        reply.take(frame)
        frame = yield b""
    if backend.transaction_status(frame.raw) != backend.IDLE:
        frame = yield frontend.query(b"ROLLBACK")
        while frame.kind != backend.READY_FOR_QUERY:
            frame = yield b""
    return reply


def _flight(sample: Sample, asked: Request, known: probe.Learnt) -> bytes:
    changes = dict(_LIMITS) | _changes(sample.scope, known)
    return b"".join(
        (
            _run(b"BEGIN READ ONLY"),
            _set(changes),
            probe.FRAMES,
            frontend.parse(b"", asked.text, asked.types),
            frontend.bind(b"", b"", asked.tail),
            frontend.describe(frontend.PORTAL, b""),
            frontend.execute(b"", _row_count(sample.entry.payload) + 1),
            _run(b"ROLLBACK"),
            frontend.SYNC_FRAME,
        )
    )


def _changes(scope: Scope, known: probe.Learnt) -> dict[str, str]:
    """What has to be set for the connection to be in this scope; the role last."""
    _, _, role, values = scope
    wanted = dict(zip(KEY_SETTINGS, values, strict=True))
    changes = {name: value for name, value in wanted.items() if value != known.values[name]}
    return changes | ({"role": role} if role != known.role else {})


def _set(changes: Mapping[str, str]) -> bytes:
    calls = ", ".join(
        f"pg_catalog.set_config(${number}, ${number + 1}, true)" for number in range(1, 2 * len(changes), 2)
    )
    texts = [text.encode("utf-8", "surrogateescape") for change in changes.items() for text in change]
    return _run(b"SELECT " + calls.encode(), _TEXT_OID * len(texts), frontend.bind_texts(texts))


def _run(text: bytes, types: bytes = b"", tail: bytes = _NO_PARAMETERS) -> bytes:
    return frontend.parse(b"", text, types) + frontend.bind(b"", b"", tail) + frontend.execute(b"")


# Judging


def judge(sample: Sample, asked: Request, reply: Reply) -> str:
    """``FRESH``, ``DIFFERENT``, ``EXCUSED``, or one word of why nothing can be said.

    ``refused``: the origin has an error for this statement now. ``order``: see ``request``.
    To be called as soon as the reply is there: only what has moved by then is an excuse.
    """
    if not sample.ticket.is_valid():
        return EXCUSED
    if reply.failed == _STATEMENT:
        return "timeout" if reply.sqlstate in _GAVE_UP else "refused"
    if reply.failed or reply.learnt is None or _scope(reply.learnt) != sample.scope:
        return "settings"
    if (asked.raised and reply.more) or (asked.found.adding and _has_floats(reply.description)):
        return "order"
    return _compare(sample, reply, ordered=asked.found.ordered)


def _scope(learnt: probe.Learnt) -> Scope:
    values = tuple(learnt.values[name] for name in KEY_SETTINGS)
    return learnt.database, learnt.session_user, learnt.role, values


def _has_floats(description: bytes) -> bool:
    return any(column.type_oid in _FLOATS for column in backend.read_row_description(description))


def _compare(sample: Sample, reply: Reply, *, ordered: bool) -> str:
    if reply.body is None:
        return DIFFERENT
    told = [reply.description, *reply.body] if sample.described else reply.body
    payload = sample.entry.payload
    if b"".join(told) == payload:
        return FRESH
    remembered = [frame.raw for frame in FrameSplitter(len(payload) + 1, BACKEND).feed(payload)]
    if sorted(remembered) != sorted(told):
        return DIFFERENT
    return "order" if ordered else FRESH  # ties, or a moved row: nobody can tell
