"""A script: steps of some clients, drawn from a seed alone, so that one seed is one script for ever.

What would make answers differ for no fault of the proxy is kept out: nobody waits for a lock, for only one
client at a time has a transaction open, or each writes rows of its own; no statement shows clocks, chance or
ids of processes.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Final, final

from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.differential import messages
from tests.differential.grammar import Grammar
from tests.differential.messages import Part, Step
from tests.differential.phrases import STATEMENTS
from tests.differential.queries import Query, write_query
from tests.differential.scenes import TEMPLATES, Scene, anew
from tests.differential.together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.differential.messages import Parameter

CLIENTS: Final = 3
_REMEMBERED: Final = 40  # queries that may be asked again
_PREPARED: Final = (
    "",
    "a",
    "b",
    "c",
)  # names of prepared statements; the unnamed one is often lost meanwhile
_SYNC: Final = frontend.SYNC_FRAME

# The command, and what the client sends behind it; None: CopyFail.
_COPIES_IN: Final[tuple[tuple[str, tuple[bytes, ...] | None], ...]] = (
    ("COPY archive FROM STDIN", (b"1\t2\tcopied\t3\n2\t\\N\t", b"\\N\t4\n")),
    ("COPY archive (id, name) FROM STDIN (FORMAT csv)", (b'5,"a,b"\n', b"6,\n")),
    ("COPY moon FROM STDIN", (b"88\t\\N\tcopied\t1\n",)),
    ("COPY archive FROM STDIN", (b"x\ty\n",)),
    ("COPY nosuch FROM STDIN", (b"1\n",)),
    ("COPY archive FROM STDIN", None),
    ("COPY body FROM STDIN", ()),
)

# Right by themselves, and wrong where they stand.
_WRONG: Final = (
    messages.execute("nosuch"),
    messages.bind("", "nosuch") + messages.execute(),
    messages.describe_statement("nosuch"),
    messages.close_statement("nosuch"),
    messages.parse("", "SELECT name FROM planet WHERE id = $1") + messages.bind("", "") + messages.execute(),
    messages.parse("", "SELECT name FROM planet") + messages.bind("", "", (), (7,)) + messages.execute(),
    messages.parse("", "SELECT 1; SELECT 2") + messages.bind("", "") + messages.execute(),
    messages.parse("", "SELECT name FROM planet ORDER BY id") + messages.describe_statement(),
    messages.bind("", "") + messages.execute(),
    messages.bind("", "") + messages.execute() + messages.execute(),
    frontend.FLUSH_FRAME,
    b"",
)
# FunctionCall of int4pl without arguments.
_WRONG_CALL: Final = compose(frontend.FUNCTION_CALL, (177).to_bytes(4, "big") + bytes(6))

# Tables whose changes show in another, beside its own.
_SHOWN_IN: Final = {
    "planet": {"star"},
    "moon": {"planet", "star"},
    "system": {"star", "planet"},
    "bright": {"star"},
    "reading": {"reading_2024", "reading_2025"},
    "reading_2025": {"reading"},
    "body": {"comet"},
    "comet": {"body"},
    "log": {"moon", "scratch", "tally"},
    "archive": {"moon"},
}


def _words(sql: str) -> set[str]:
    return set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in sql).split())


def _changes_shown_in(sql: str) -> list[str]:
    """The templates of changes that may show in the query ``sql``."""
    tables = _words(sql)
    for table in tables & _SHOWN_IN.keys():
        tables = tables | _SHOWN_IN[table]
    return [change for change in STATEMENTS["changes"] if _words(change.partition("(")[0]) & tables]


@final
class Script:
    """Writes the steps of one script; ``steps`` once."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._asked: deque[Query] = deque(maxlen=_REMEMBERED)
        self._prepared: dict[tuple[int, str], Query] = {}
        self._acts: tuple[tuple[int, Callable[[int], Iterator[Step]]], ...] = (
            (30, self._read), (20, self._again), (10, self._prepared_read), (3, self._portal),
            (12, self._change), (8, self._far_change), (4, self._text), (2, self._definition),
            (10, self._setting), (10, self._transaction), (4, self._pipeline), (3, self._copy),
            (3, self._mistake), (8, self._block), (40, self._scene), (2, self._together),
        )  # fmt: skip

    def steps(self, count: int) -> list[Step]:
        """At least ``count`` steps, all transactions ended."""
        steps: list[Step] = []
        weights = [weight for weight, _ in self._acts]
        while len(steps) < count:
            _, act = self._random.choices(self._acts, weights)[0]
            steps += act(self._random.randrange(CLIENTS))
        return steps

    def _other(self, client: int) -> int:
        return (client + self._random.randrange(1, CLIENTS)) % CLIENTS

    # Reads

    def _read(self, client: int) -> Iterator[Step]:
        query = write_query(self._random, parameters=self._random.random() < 0.5)
        self._asked.append(query)
        yield self._asking(client, query)

    def _again(self, client: int) -> Iterator[Step]:
        if self._asked:
            yield self._asking(client, self._random.choice(self._asked))

    def _asking(self, client: int, query: Query) -> Step:
        if not query.parameters and self._random.random() < 0.5:
            return messages.query(client, query.sql, read=True, ordered=query.ordered)
        return Step(client, self._extended(query), read=True, ordered=query.ordered)

    def _extended(self, query: Query) -> tuple[Part, ...]:
        """Unnamed, in the manner of one driver or another."""
        parse = messages.parse("", query.sql, query.parameters)
        run = messages.bind("", "", query.parameters, self._formats())
        if self._random.random() < 0.6:
            run += messages.describe_portal()
        run += messages.execute()
        manner = self._random.random()
        if manner < 0.2:
            described = parse + messages.describe_statement() + frontend.FLUSH_FRAME
            return Part(described, b"TnE"), Part(run + _SYNC)
        if manner < 0.3:
            return Part(parse + messages.describe_statement() + _SYNC), Part(run + _SYNC)
        return (Part(parse + run + _SYNC),)

    def _formats(self) -> Sequence[int]:
        return self._random.choice(((), (), (1,), (0,)))

    def _prepared_read(self, client: int) -> Iterator[Step]:
        """A prepared statement of this client: made, run with its values, or closed."""
        name = self._random.choice(_PREPARED)
        query = self._prepared.get((client, name))
        if query is None or self._random.random() < 0.05:
            query = self._prepared[client, name] = write_query(self._random, parameters=True)
            yield Step(client, (Part(messages.parse(name, query.sql, query.parameters) + _SYNC),))
        elif self._random.random() < 0.15:
            del self._prepared[client, name]
            yield Step(client, (Part(messages.close_statement(name) + _SYNC),))
            return
        describe = messages.describe_portal() if self._random.random() < 0.5 else b""
        run = messages.bind("", name, query.parameters, self._formats()) + describe + messages.execute()
        yield Step(client, (Part(run + _SYNC),), read=True, ordered=query.ordered)

    def _portal(self, client: int) -> Iterator[Step]:
        """A portal fetched in pieces, in and out of a transaction."""
        query = Query("SELECT id, name FROM planet ORDER BY id")
        frames = messages.parse("", query.sql) + messages.bind("p", "")
        if self._random.random() < 0.5:
            pieces = messages.execute("p", 2) + messages.execute("p", 3) + messages.execute("p")
            yield Step(client, (Part(frames + messages.describe_portal("p") + pieces + _SYNC),), read=True)
            return
        yield messages.query(client, "BEGIN")
        yield Step(client, (Part(frames + messages.execute("p", 4) + _SYNC),))
        yield Step(client, (Part(messages.execute("p", 4) + messages.execute("p", 100) + _SYNC),))
        yield messages.query(client, "COMMIT")

    # Writes

    def _change(self, client: int) -> Iterator[Step]:
        focus = Query(self._drawn("telling"))
        yield from self._around(client, focus, self._changing(client, focus))

    def _far_change(self, client: int) -> Iterator[Step]:
        focus, _, change = self._drawn("far changes").partition(" ;; ")
        yield from self._around(client, Query(focus), messages.query(client, change, ordered=False))

    def _around(self, client: int, focus: Query, step: Step) -> Iterator[Step]:
        """What may show a change is in memory when it comes; then its client looks again, and the other."""
        yield self._asking(client, focus)
        yield step
        yield self._asking(client, focus)
        yield self._asking(self._other(client), focus)

    def _around_any(self, client: int, step: Step) -> Iterator[Step]:
        yield from self._around(client, Query(self._drawn("telling")), step)

    def _changing(self, client: int, focus: Query) -> Step:
        """A change, most often one that shows in ``focus``."""
        related = _changes_shown_in(focus.sql) if self._random.random() < 0.8 else []
        parameters: list[Parameter] | None = [] if self._random.random() < 0.6 else None
        sql = Grammar(self._random, {}, parameters).pick(related or STATEMENTS["changes"])
        if parameters is None:
            return messages.query(client, sql, ordered=False)
        frames = messages.parse("", sql, parameters) + messages.bind("", "", parameters, self._formats())
        frames += messages.describe_portal() + messages.execute()
        return Step(client, (Part(frames + _SYNC),), ordered=False)

    def _text(self, client: int) -> Iterator[Step]:
        yield from self._around_any(client, messages.query(client, self._drawn("texts"), ordered=False))

    def _definition(self, client: int) -> Iterator[Step]:
        yield from self._around_any(client, messages.query(client, self._drawn("definitions")))

    def _setting(self, client: int) -> Iterator[Step]:
        section = "settings" if self._random.random() < 0.8 else "other settings"
        focus = Query(self._drawn("telling of settings"))
        yield from self._around(client, focus, messages.query(client, self._drawn(section)))
        yield self._asking(client, Query(self._drawn("telling of settings")))
        if self._random.random() < 0.4:
            yield from self._anew(client)

    def _anew(self, client: int) -> Iterator[Step]:
        """The session is as it was at its login."""
        yield from anew(client)
        self._prepared = {at: query for at, query in self._prepared.items() if at[0] != client}

    def _mistake(self, client: int) -> Iterator[Step]:
        sql = self._random.choice(STATEMENTS["mistakes"])
        frames = messages.parse("", sql) + messages.bind("", "") + messages.execute()
        wrong = (
            frontend.query(sql.encode()),
            frames + _SYNC,
            self._random.choice(_WRONG) + _SYNC,
            _WRONG_CALL,
        )
        yield Step(client, (Part(self._random.choices(wrong, (4, 4, 2, 1))[0]),))

    def _copy(self, client: int) -> Iterator[Step]:
        if self._random.random() < 0.4:
            yield messages.query(client, self._random.choice(STATEMENTS["copies out"]), ordered=False)
            return
        sql, pieces = self._random.choice(_COPIES_IN)
        if pieces is None:
            data = frontend.copy_fail(b"changed my mind")
        else:
            data = b"".join(map(messages.copy_data, pieces)) + frontend.COPY_DONE_FRAME
        if self._random.random() < 0.5:
            frames = frontend.query(sql.encode()) + data
        else:
            frames = messages.parse("", sql) + messages.bind("", "") + messages.execute() + data + _SYNC
        yield from self._around_any(client, Step(client, (Part(frames),)))

    def _drawn(self, section: str) -> str:
        return Grammar(self._random, {}).pick(STATEMENTS[section])

    # Several at once

    def _scene(self, client: int) -> Iterator[Step]:
        template = self._random.choice(TEMPLATES)
        yield from Scene(self._random, template, client, self._other(client)).steps()
        yield from self._anew(client)

    def _together(self, _: int) -> Iterator[Step]:
        yield from together(self._random, CLIENTS)

    def _transaction(self, client: int) -> Iterator[Step]:
        """A block of one client: it writes and the other reads or is silent, or the other way round."""
        inside = self._random.choice((self._writing, self._defining, self._watching))
        focus = Query(self._drawn("telling"))
        yield self._asking(client, focus)
        yield messages.query(client, self._random.choice(STATEMENTS["beginnings"]))
        for _ in range(self._random.randint(1, 7)):
            yield from inside(client, focus)
        yield messages.query(client, self._random.choice(STATEMENTS["endings"]), ordered=False)
        yield messages.query(client, "ROLLBACK")
        yield self._asking(client, focus)
        yield self._asking(self._other(client), focus)

    def _block(self, client: int) -> Iterator[Step]:
        """One change or setting in a block: seen inside, kept or undone, and seen again."""
        focus, _, change = self._drawn("far changes").partition(" ;; ")
        if self._random.random() < 0.4:
            focus, change = self._drawn("telling of settings"), self._drawn("settings")
        end = self._random.choice(("COMMIT", "COMMIT", "ROLLBACK", "ROLLBACK TO a; COMMIT"))
        for sql in ("BEGIN; SAVEPOINT a", change, end):
            yield from self._around(client, Query(focus), messages.query(client, sql, ordered=False))
        yield messages.query(client, "ROLLBACK")

    def _writing(self, client: int, focus: Query) -> Iterator[Step]:
        chance = self._random.random()
        if chance < 0.2:
            yield self._asking(self._other(client), focus)
        elif chance < 0.5:
            yield self._changing(client, focus)
        elif chance < 0.55:
            yield messages.query(client, self._drawn("inside with locks"), ordered=False)
        else:
            yield from self._in_any_block(client, focus)

    def _defining(self, client: int, focus: Query) -> Iterator[Step]:
        chance = self._random.random()
        if chance < 0.25:
            yield messages.query(client, self._drawn("definitions"))
        elif chance < 0.5:
            yield self._changing(client, focus)
        else:
            yield from self._in_any_block(client, focus)

    def _watching(self, client: int, focus: Query) -> Iterator[Step]:
        if self._random.random() < 0.35:
            yield self._changing(self._other(client), focus)
            yield self._asking(self._other(client), focus)
        else:
            yield from self._in_any_block(client, focus)

    def _in_any_block(self, client: int, focus: Query) -> Iterator[Step]:
        chance = self._random.random()
        if chance < 0.6:
            yield self._asking(client, focus)
        elif chance < 0.7:
            yield from self._read(client)
        else:
            yield messages.query(client, self._drawn("inside"), ordered=False)

    def _pipeline(self, client: int) -> Iterator[Step]:
        """Several statements up to one Sync, or several Syncs in one go; some of them fail."""
        frames, syncs = b"", 0
        for _ in range(self._random.randint(2, 5)):
            frames += self._unit()
            if self._random.random() < 0.4:
                frames += _SYNC
                syncs += 1
        step = Step(client, (Part(frames + _SYNC, count=syncs + 1),), ordered=False)
        yield from self._around_any(client, step)

    def _unit(self) -> bytes:
        """One statement without its Sync."""
        what = self._random.random()
        if what < 0.4 and self._asked:
            query = self._random.choice(self._asked)
            sql, parameters = query.sql, query.parameters
        elif what < 0.8:
            parameters = []
            sql = Grammar(self._random, {}, parameters).pick(STATEMENTS["changes"])
        else:
            sql, parameters = self._random.choice(STATEMENTS["mistakes"]), []
        bound = messages.bind("", "", parameters, self._formats())
        return messages.parse("", sql, parameters) + bound + messages.execute()
