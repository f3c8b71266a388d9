"""What a client asks in one go: everything up to Sync, or one Query; kept until it is clear who answers it.

Source: PostgreSQL docs, protocol-flow, "Extended Query", "Pipelining".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from proxy.session.shapes import Shape
from proxy.session.statements import Prepared
from proxy.sql.commands import Command, Refused
from proxy.wire import frontend

# Steps of a batch: which reply of the origin, or of ours, answers each message.
PARSE: Final = ord("P")
BIND: Final = ord("B")
DESCRIBE_STATEMENT: Final = ord("s")
DESCRIBE_PORTAL: Final = ord("D")
EXECUTE: Final = ord("E")
CLOSE: Final = ord("C")
QUERY: Final = ord("Q")
FUNCTION_CALL: Final = ord("F")
MALFORMED: Final = ord("?")  # the origin has an error to say to it
LATE_PARSE: Final = ord("p")  # a Parse of ours before the client's messages; its reply is ours too
LATE_CLOSE: Final = ord("c")  # likewise a Close
LATE_BIND: Final = ord("b")  # likewise a Bind
BEGIN: Final = ord("t")  # the Execute of a BEGIN that the client was answered before
PROOF: Final = ord("x")  # a SELECT of ours: its rows are kept, no reply of it is the client's
STATEMENT: Final = ord("q")  # the client's only statement in a Query that holds one of ours as well
OWN: Final = ord("o")  # answered by us, in its place among the origin's replies
REFUSED: Final = ord("r")  # a command of ours that makes no sense: the origin fails in its place
MEMORY: Final = ord("m")  # the kind of an own step whose answer is remembered

# One run of a prepared statement, as drivers send it.
RUN: Final = bytes((BIND, EXECUTE))
DESCRIBED_RUN: Final = bytes((BIND, DESCRIBE_PORTAL, EXECUTE))

# What an ``OwnStep`` takes beside its tail.
_STEP_BYTES: Final = 100

# A Parse that always fails: an error of ours has to end what PostgreSQL's own would have ended.
# Closing what does not exist is no error, and changes nothing.
_TURN: Final = frontend.close(frontend.STATEMENT, b"orrery_turn")
REFUSAL: Final = frontend.parse(b"orrery_refused", b"a statement of the proxy was refused")


@final
class Read:
    """[Parse] Bind [Describe] Execute: one run of one statement, as drivers send it."""

    __slots__ = ("described", "executed", "max_rows", "parsed", "portal", "statement", "tail")

    def __init__(self, statement: Prepared | None, portal: bytes, tail: bytes, *, parsed: bool) -> None:
        self.statement = statement  # None: a name that this session does not know
        self.portal = portal
        self.tail = tail
        self.parsed = parsed
        self.described = False
        self.executed = False
        self.max_rows = 0

    @property
    def key(self) -> bytes:
        """What makes this run differ from another of the same
        statement: formats, parameters, row description or not.
        """
        return (b"T" if self.described else b"-") + self.tail


@final
class OwnStep:
    """One message of ours to answer in its place: a Parse, Bind, Describe ... of a command of ours, or what
    the memory answers (``reply``) to a read whose statement the origin is describing. ``act`` carries out a
    purge whose rights were found sufficient.
    """

    __slots__ = ("act", "command", "kind", "reply", "tail")

    def __init__(self, kind: int, command: Command | None, tail: bytes = b"", reply: bytes = b"") -> None:
        self.reply = reply
        self.act: Callable[[], None] | None = None
        self.kind = kind
        self.command = command
        self.tail = tail


@final
class Batch:
    """Messages of the extended protocol up to Sync (``simple`` None), or one Query, or one FunctionCall.

    ``plain``: nothing but whole ``Read``s, so that the memory may answer all of it. ``opened``: a part of
    it has been sent already (Flush, or too much to hold), the rest follows. ``waited_...``: what it has
    waited for once, it does not wait for again.
    """

    __slots__ = (
        "asked_workers",
        "frames",
        "named",
        "opened",
        "own",
        "own_query",
        "parsed",
        "plain",
        "plan",
        "reads",
        "runs",
        "simple",
        "size",
        "waited_catalogue",
        "waited_flight",
    )

    def __init__(self) -> None:
        self.frames: list[bytes] = []  # what the origin would get
        self.size = 0
        self.plan = bytearray()
        self.reads: list[Read] = []
        self.parsed: list[
            tuple[Prepared, Prepared | None]
        ] = []  # with the statement that had the name before
        self.runs: list[Prepared | None] = []  # the statement of each Execute; None may do anything
        self.named: list[Prepared | None] = []  # statements that Describe speaks of
        self.own: list[OwnStep] = []
        self.simple: Shape | None = None
        self.own_query: Command | None = None
        self.plain = True
        self.opened = False
        self.waited_catalogue = False
        self.waited_flight = False
        self.asked_workers = False

    @property
    def tails(self) -> list[bytes]:
        """What Bind gave to each of ``runs``; b"" for all where they are not one run for each Bind."""
        if len(self.reads) == len(self.runs) and all(read.executed for read in self.reads):
            return [read.tail for read in self.reads]
        return [b""] * len(self.runs)

    @property
    def concerns_us(self) -> bool:
        """Is a command of ours in it?"""
        return bool(self.own) or self.own_query is not None

    def add(self, step: int, raw: bytes) -> None:
        """The next message, for the origin."""
        self.plan.append(step)
        self.frames.append(raw)
        self.size += len(raw)

    def add_own(self, step: OwnStep) -> None:
        """The next message, answered by us; it is held as any other, so it counts."""
        self.plan.append(OWN)
        self.own.append(step)
        self.size += _STEP_BYTES + len(step.tail)
        self.plain = False

    def add_refused(self, step: OwnStep) -> None:
        """The next message, whose error is ours; what the
        origin fails with in its place is kept from the client.
        """
        self.add(REFUSED, REFUSAL)
        self.own.append(step)
        self.plain = False

    def wait_for_turn(self) -> None:
        """What is ours alone asks the origin for its place in the order of replies. Where a client's message
        would break a COPY there, this one does too.
        """
        if self.own and len(self.own) == len(self.plan):
            self.plan.insert(0, LATE_CLOSE)
            self.frames.insert(0, _TURN)

    def refuse(self, step: OwnStep, refused: Refused) -> None:
        """One of ``own`` is refused after all: as ``add_refused`` would have had it."""
        places = [at for at in range(len(self.plan)) if self.plan[at] in (OWN, REFUSED)]
        at = places[self.own.index(step)]
        step.command = refused
        self.frames.insert(at - self.plan[:at].count(OWN), REFUSAL)
        self.plan[at] = REFUSED
