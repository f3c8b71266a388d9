"""A PostgreSQL of a few hundred words: one number is all its data, and it answers only when it is told to.

It keeps what matters to the order of things: transactions, skipping after an error, prepared statements,
COPY. Every SELECT shows the number, every write adds one to it, at commit and not before.
Source: PostgreSQL docs, protocol-flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from proxy.errors import MalformedMessage
from proxy.session import probe, proof
from proxy.session.standing import Standing
from proxy.wire import backend, frontend
from proxy.wire.backend import Column
from proxy.wire.framing import Frame, FrameSplitter

TEXT_OID = 25
WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "DROP", "DO", "CALL")
_ABORTED = "current transaction is aborted, commands ignored until end of transaction block"


class Data:
    """What all sessions of one origin see: ``number`` is committed."""

    def __init__(self) -> None:
        self.number = 0


class Refusal(Exception):
    """The statement fails with ``code``; ``fields`` go to the client."""

    def __init__(self, code: str, message: str = "refused", **fields: str) -> None:
        super().__init__(message)
        texts = {"S": "ERROR", "V": "ERROR", "C": code, "M": message, **fields}
        body = b"".join(key.encode() + text.encode() + b"\0" for key, text in texts.items()) + b"\0"
        self.frame = b"E" + (len(body) + 4).to_bytes(4, "big") + body


class ScriptedOrigin:
    """One backend. ``heard`` is every frame it was sent; ``answer`` works off those not answered yet.

    ``faults``: texts that fail. ``aside``: frames said before a text's CommandComplete (ParameterStatus,
    notices). ``learnt``: the row that answers the probe. ``writing``: texts that write although they begin
    with SELECT; ``holdable``: a cursor WITH HOLD is open.
    """

    def __init__(self, data: Data, process_id: int = 4711) -> None:
        self.process_id = process_id
        self.data = data
        self.heard: list[Frame] = []
        self.writes: list[bytes] = []
        self.faults: dict[bytes, Refusal] = {}
        self.aside: dict[bytes, bytes] = {}
        self.learnt: list[str] = []
        self.standing: Standing | None = None
        self.writing: set[bytes] = set()
        self.holdable = False
        self.status = ord("I")
        self._splitter = FrameSplitter(1 << 20)
        self._waiting: deque[Frame] = deque()
        self._pending = 0
        self._skipping = False
        self._copying: bytes | None = None
        self._in_query = False
        self._statements: dict[bytes, bytes] = {}
        self._portals: dict[bytes, bytes] = {}

    def send(self, data: bytes) -> None:
        self.writes.append(data)
        frames = self._splitter.feed(data)
        self.heard += frames
        self._waiting += frames

    @property
    def pending(self) -> int:
        """Writes that this backend alone sees."""
        return self._pending

    @property
    def has_work(self) -> bool:
        return bool(self._waiting)

    def answer(self, frames: int | None = None) -> bytes:
        """The replies to the next ``frames`` messages, to all of them by default."""
        said: list[bytes] = []
        count = len(self._waiting) if frames is None else frames
        for _ in range(count):
            said += self._frame(self._waiting.popleft())
        return b"".join(said)

    def _frame(self, frame: Frame) -> Iterator[bytes]:
        kind, raw = frame.kind, frame.raw
        if self._copying is not None:
            yield from self._copy(kind)
        elif kind == frontend.SYNC:
            self._skipping = False
            yield self._ready()
        elif self._skipping or kind in (frontend.FLUSH, *b"dcf"):
            return
        else:
            try:
                yield from self._run(kind, raw)
            except MalformedMessage:
                yield from self._fail(Refusal("08P01"), simple=kind == frontend.QUERY)
            except Refusal as refusal:
                yield from self._fail(refusal, simple=kind == frontend.QUERY)

    def _fail(self, refusal: Refusal, *, simple: bool) -> Iterator[bytes]:
        self._pending = 0
        if self.status == ord("T"):
            self.status = ord("E")
        yield refusal.frame
        if simple:
            yield self._ready()
        else:
            self._skipping = True

    def _ready(self) -> bytes:
        if self.status == ord("I"):
            self._commit()
            self._portals.clear()
        return backend.READY[self.status]

    def _commit(self) -> None:
        self.data.number += self._pending
        self._pending = 0

    def _run(self, kind: int, raw: bytes) -> Iterator[bytes]:
        if kind == frontend.QUERY:
            yield from self._query(frontend.read_query(raw))
        elif kind == frontend.PARSE:
            yield self._parse(raw)
        elif kind == frontend.BIND:
            yield self._bind(raw)
        elif kind == frontend.DESCRIBE:
            yield from self._describe(raw)
        elif kind == frontend.EXECUTE:
            text = self._portals[frontend.read_execute(raw)[0]]
            if text == probe.TEXT.encode():
                yield backend.data_row([value.encode() for value in self.learnt])
                yield backend.command_complete(b"SELECT 1")
            else:
                yield from self._statement(text, described=True)
        elif kind == frontend.CLOSE:
            which, name = frontend.read_close(raw)
            (self._portals if which == frontend.PORTAL else self._statements).pop(name, None)
            yield backend.CLOSE_COMPLETE_FRAME
        elif kind == frontend.FUNCTION_CALL:
            self._pending += 1
            yield b"V\0\0\0\x08\xff\xff\xff\xff"
            yield self._ready()

    def _query(self, text: bytes) -> Iterator[bytes]:
        self._statements.pop(b"", None)
        parts = [part.strip() for part in text.split(b";") if part.strip()]
        if not parts:
            yield backend.EMPTY_QUERY_RESPONSE_FRAME
        for part in parts:
            yield from self._statement(part, described=False)
        self._in_query = self._copying is not None
        if not self._in_query:
            yield self._ready()

    def _parse(self, raw: bytes) -> bytes:
        name, text, _ = frontend.read_parse(raw)
        if name and name in self._statements:
            raise Refusal("42P05", "prepared statement already exists")
        self._refuse_if_told(b"PARSE " + text)
        self._refuse_if_aborted(text)
        self._statements[name] = text
        return backend.PARSE_COMPLETE_FRAME

    def _bind(self, raw: bytes) -> bytes:
        portal, name, _ = frontend.read_bind(raw)
        if name not in self._statements:
            raise Refusal("26000", "prepared statement does not exist")
        self._refuse_if_aborted(self._statements[name])
        self._portals[portal] = self._statements[name]
        return backend.BIND_COMPLETE_FRAME

    def _describe(self, raw: bytes) -> Iterator[bytes]:
        which, name = frontend.read_describe(raw)
        known = self._portals if which == frontend.PORTAL else self._statements
        if name not in known:
            raise Refusal("26000", "prepared statement does not exist")
        if which == frontend.STATEMENT:
            yield backend.parameter_description(())
        yield _description() if known[name].startswith(b"SELECT") else backend.NO_DATA_FRAME

    def _refuse_if_told(self, text: bytes) -> None:
        if text in self.faults:
            raise self.faults[text]

    def _refuse_if_aborted(self, text: bytes) -> None:
        if self.status == ord("E") and not text.startswith((b"ROLLBACK", b"COMMIT")):
            raise Refusal("25P02", _ABORTED)

    def _statement(self, text: bytes, *, described: bool) -> Iterator[bytes]:
        self._refuse_if_aborted(text)
        self._refuse_if_told(text)
        verb = text.split()[0].decode()
        if verb == "COPY" and text.endswith(b"STDIN"):
            self._copying = text
            yield b"G\0\0\0\x07\0\0\0"
            return
        if verb == "SELECT":
            if not described:
                yield _description()
            yield backend.data_row([self._value(text)])
        tag = self._tag(verb, text)
        yield self.aside.get(text, b"")
        yield backend.command_complete(tag)

    def _value(self, text: bytes) -> bytes:
        if text == proof.TEXT.encode():
            return b"f" if self._pending or self.holdable else b"t"
        self._pending += text in self.writing
        return str(self.data.number + self._pending).encode()

    def _tag(self, verb: str, text: bytes) -> bytes:
        if self.status == ord("I") and (verb == "SAVEPOINT" or b" TO " in text[:13]):
            raise Refusal("25P01", "there is no transaction in progress")
        if verb in ("BEGIN", "START"):
            self.status = ord("T")
        elif verb == "COMMIT":
            failed = self.status == ord("E")
            self._pending = 0 if failed else self._pending
            self._commit()
            self.status = ord("I")
            return b"ROLLBACK" if failed else b"COMMIT"
        elif verb == "ROLLBACK" and b" TO " not in text:
            self._pending = 0
            self.status = ord("I")
        elif verb == "ROLLBACK":
            self.status = ord("T")
        elif verb in WRITES:
            self._pending += 1
            return f"{verb} 0 1".encode() if verb == "INSERT" else f"{verb} 1".encode()
        return b"SELECT 1" if verb == "SELECT" else verb.encode()

    def _copy(self, kind: int) -> Iterator[bytes]:
        if kind == frontend.COPY_DONE:
            self._copying = None
            self._pending += 1
            yield backend.command_complete(b"COPY 1")
        elif kind == frontend.COPY_FAIL:
            self._copying = None
            yield from self._fail(Refusal("57014", "COPY from stdin failed"), simple=self._in_query)
            self._in_query = False
            return
        if self._copying is None and self._in_query:
            self._in_query = False
            yield self._ready()


def _description() -> bytes:
    return backend.row_description([Column("number", TEXT_OID)])
