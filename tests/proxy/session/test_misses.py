"""session.misses: what is sent the short way is what the long way would have sent, and is settled alike."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import MessageTooLarge
from proxy.session import probe
from proxy.session.port import CATALOGUE, ORIGIN
from proxy.session.shared import SessionOptions
from proxy.session.standing import Standing
from proxy.session.transaction import IDLE
from proxy.wire import backend, frontend
from tests.doubles.origin import Refusal, ScriptedOrigin
from tests.proxy.session.world import (
    BINARY_RESULT,
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    Conversation,
    World,
    learnt,
    rerun,
    run,
)

QUERY: Final = frontend.query
STATUSES: Final = {"TimeZone": "UTC"}
BROKEN: Final = b"SELECT name FROM star WHERE id = 1 / 0"
ROW_WRITE: Final = b"UPDATE planet SET name = $1 WHERE id = $2"
PLAIN_RERUN: Final = frontend.bind(b"", b"s") + frontend.execute(b"") + SYNC


def went_short(client: Conversation, *frames: bytes) -> bool:
    """Was this sent the short way? It is on its way now."""
    client.say(*frames)
    exchanges = client.session.uplink.exchanges
    return bool(exchanges) and exchanges[-1].is_ordinary


def a_client(*, cache: bool = True) -> Conversation:
    """With a connection of its own; ``s`` reads, ``w`` writes, and every text is known."""
    client = World(SessionOptions(cache=cache)).client()
    client.attach()
    client.ask(frontend.parse(b"s", READ) + frontend.parse(b"w", WRITE) + SYNC)
    client.ask(run(WRITE) + SYNC)
    for text in (READ, OTHER_READ, WRITE):
        client.query(text)
    client.heard()
    return client


@pytest.mark.parametrize(
    ("packet", "reply", "heard"),
    [
        (QUERY(WRITE), "C:UPDATE 1 Z:I", [WRITE.decode()]),
        (rerun(b"w") + SYNC, "2 n C:UPDATE 1 Z:I", ["B", "D", "E", "S"]),
        (rerun(b"s", BINARY_RESULT) + SYNC, "2 T D:2 C:SELECT 1 Z:I", ["B", "D", "E", "S"]),
        (PLAIN_RERUN, "2 D:2 C:SELECT 1 Z:I", ["B", "E", "S"]),
        (run(WRITE) + SYNC, "1 2 n C:UPDATE 1 Z:I", ["P:" + WRITE.decode(), "B", "D", "E", "S"]),
    ],
    ids=["query", "write", "read", "not described", "parsed"],
)
def test_an_ordinary_statement_is_sent_as_it_came(packet: bytes, reply: str, heard: list[str]) -> None:
    client = a_client()
    assert went_short(client, packet)
    assert client.heard() == heard
    assert client.told() == ""
    client.settle()
    assert client.told() == reply


@pytest.mark.soundness("6.1")
@pytest.mark.parametrize("write", [QUERY(WRITE), rerun(b"w") + SYNC], ids=["query", "prepared"])
def test_a_write_suspends_before_it_is_sent_and_drops_before_its_client_is_told(write: bytes) -> None:
    client = a_client()
    other = client.world.client()
    other.remember()
    assert went_short(client, write)
    other.say(QUERY(READ))
    assert other.told() == ""  # suspended
    client.settle()
    other.settle()
    assert other.told() == "T D:3 C:SELECT 1 Z:I"
    assert not client.session.memory.suspended


def test_a_fill_the_short_way_is_a_hit_afterwards() -> None:
    client = a_client()
    assert went_short(client, PLAIN_RERUN)
    client.settle()
    assert client.last == ("fill", "")
    hits = client.world.counters.hit
    client.ask(PLAIN_RERUN)
    assert client.world.counters.hit == hits + 1


@pytest.mark.soundness("6.3")
def test_a_fill_that_a_write_has_overtaken_does_not_land() -> None:
    client = a_client()
    writer = client.world.client()
    assert went_short(client, PLAIN_RERUN)
    writer.query(WRITE)
    client.settle()
    assert client.last == ("bypass", "moved")
    assert went_short(client, PLAIN_RERUN)  # nothing is remembered


def test_with_the_cache_off_everything_ordinary_goes_short() -> None:
    client = a_client(cache=False)
    for packet in (QUERY(READ), QUERY(WRITE), PLAIN_RERUN):
        assert went_short(client, packet)
        client.settle()
    assert client.world.counters.hit == 0


def test_an_error_is_settled_the_long_way() -> None:
    client = a_client()
    client.origin.faults[WRITE] = Refusal("23505")
    assert went_short(client, QUERY(WRITE))
    client.settle()
    assert client.told() == "E:23505 Z:I"
    assert client.last == ("error", "")
    assert not client.session.memory.suspended


@pytest.mark.parametrize(
    ("before", "packet"),
    [
        (QUERY(b"BEGIN") + QUERY(b"CREATE TABLE moon (n int)"), QUERY(WRITE)),
        (QUERY(b"BEGIN") + QUERY(b"SELECT mystery()"), QUERY(b"COMMIT")),
        (QUERY(b"BEGIN") + QUERY(BROKEN), QUERY(b"ROLLBACK")),
        (b"", QUERY(b"COMMIT")),
        (QUERY(b"BEGIN") + QUERY(WRITE), QUERY(b"BEGIN")),
        (QUERY(b"BEGIN") + QUERY(WRITE), QUERY(b"COMMIT AND CHAIN")),
        (QUERY(b"BEGIN") + QUERY(WRITE), QUERY(b"SAVEPOINT a")),
        (QUERY(b"SELECT mystery()"), QUERY(WRITE)),
        (QUERY(b"PREPARE s AS SELECT 1"), QUERY(WRITE)),
        (QUERY(b"CREATE TEMPORARY TABLE t (n int)"), QUERY(WRITE)),
        (b"", QUERY(b"SET search_path = elsewhere")),
        (b"", QUERY(b"SELECT pg_advisory_lock(1)")),
        (b"", QUERY(b"SELECT name FROM planet WHERE id = lastval()")),
        (b"", QUERY(WRITE) + QUERY(WRITE)),
        (b"", rerun(b"w") + rerun(b"w") + SYNC),
        (b"", frontend.bind(b"p", b"w") + frontend.execute(b"p") + SYNC),
        (b"", frontend.bind(b"", b"w") + frontend.execute(b"", 1) + SYNC),
        (b"", rerun(b"nobody") + SYNC),
    ],
)
def test_whatever_else_there_is_goes_the_long_way(before: bytes, packet: bytes) -> None:
    client = a_client()
    client.session.uplink.probe_if_in_doubt()
    for _ in range(2):  # the second time the text is known
        client.say(before)
        client.settle()
        assert not went_short(client, packet)
        client.settle()


def in_a_block(begin: bytes = b"BEGIN") -> Conversation:
    """A client whose block the origin has begun, and that has read in it."""
    client = a_client()
    for text in (b"BEGIN", b"COMMIT", b"ROLLBACK", begin, b"COMMIT"):
        client.query(text)
    client.query(begin)
    client.query(b"SELECT name FROM star WHERE id = 5")  # is not remembered
    assert client.session.transaction.is_ordinary
    client.heard()
    client.told()
    return client


@pytest.mark.parametrize("begin", [b"BEGIN", b"BEGIN ISOLATION LEVEL SERIALIZABLE"])
def test_inside_a_block_that_the_origin_has_begun_a_statement_goes_short(begin: bytes) -> None:
    client = in_a_block(begin)
    for packet, told in (
        (rerun(b"w") + SYNC, ["2", "n", "C:UPDATE", "1", "Z:T"]),
        (QUERY(READ), ["T", "C:SELECT", "1", "Z:T"]),
        (PLAIN_RERUN, ["2", "C:SELECT", "1", "Z:T"]),
        (QUERY(b"COMMIT"), ["C:COMMIT", "Z:I"]),
    ):
        assert went_short(client, packet)
        client.settle()
        assert [word for word in client.told().split() if not word.startswith("D:")] == told
    assert client.session.transaction.status == IDLE
    assert not client.session.memory.suspended


@pytest.mark.soundness("6.1")
def test_what_a_block_has_changed_is_suspended_by_its_commit_and_dropped_before_the_client_is_told() -> None:
    client = in_a_block()
    other = client.world.client()
    other.remember()
    assert went_short(client, QUERY(WRITE))
    client.settle()
    other.say(QUERY(READ))
    assert other.told() != ""  # nobody else can see it yet
    assert went_short(client, QUERY(b"COMMIT"))
    other.say(QUERY(READ))
    assert other.told() == ""  # suspended
    client.settle()
    other.settle()
    assert other.told() == "T D:3 C:SELECT 1 Z:I"


@pytest.mark.soundness("6.1")
def test_a_rollback_drops_nothing() -> None:
    client = in_a_block()
    other = client.world.client()
    other.remember()
    assert went_short(client, QUERY(WRITE))
    client.settle()
    assert went_short(client, QUERY(b"ROLLBACK"))
    client.settle()
    hits = client.world.counters.hit
    other.ask(QUERY(READ))
    assert client.world.counters.hit == hits + 1


def test_in_a_block_nothing_comes_from_memory_behind_a_write_the_short_way() -> None:
    client = in_a_block()
    client.world.client().remember()
    assert went_short(client, QUERY(WRITE))
    client.settle()
    assert went_short(client, QUERY(READ))
    client.settle()
    assert client.last == ("bypass", "transaction")


def test_with_the_cache_off_begin_and_commit_go_short() -> None:
    client = a_client(cache=False)
    for _ in range(2):
        client.query(b"BEGIN")
        client.query(b"COMMIT")
    for packet in map(QUERY, (b"BEGIN", WRITE, b"COMMIT")):
        assert went_short(client, packet)
        client.settle()


def test_a_query_the_short_way_ends_the_unnamed_portal() -> None:
    client = in_a_block()
    client.ask(run(b"SHOW orrery.cache") + SYNC)
    assert went_short(client, QUERY(WRITE))
    client.settle()
    client.heard()
    client.told()
    client.say(frontend.execute(b"") + SYNC)
    assert client.told() == ""  # PostgreSQL has an error to say
    assert client.heard() == ["E", "S"]


def test_a_block_whose_connection_is_lost_goes_on_at_no_other() -> None:
    shared = Shared(pieces=False, cache=True)
    client = shared.clients[0]
    for text in (b"BEGIN", WRITE):
        shared.ask(0, QUERY(text), whole=True)
    assert client.session.transaction.is_ordinary
    client.session.origin_lost(client.world.clock.now)
    client.port.borrow = lambda: pytest.fail("a statement of the block would run outside of it")
    client.session.receive(QUERY(WRITE), client.world.clock.now)


def test_a_catalogue_that_changes_meanwhile_puts_the_block_on_the_long_way() -> None:
    client = in_a_block()
    client.session.uplink.judged_anew()
    assert not went_short(client, QUERY(WRITE))


def test_an_answer_in_pieces_is_the_same() -> None:
    client = a_client()
    assert went_short(client, rerun(b"w") + SYNC)
    while client.origin.has_work:
        client.answer(1)
    assert client.told() == "2 n C:UPDATE 1 Z:I"
    assert client.last == ("write", "")


def test_a_setting_that_is_told_meanwhile_spoils_the_fill() -> None:
    client = a_client()
    assert went_short(client, PLAIN_RERUN)
    client.session.origin_received(backend.parameter_status("TimeZone", "Asia/Tokyo"), client.world.clock.now)
    client.settle()
    assert client.last == ("bypass", "settings")


@pytest.mark.soundness("6.2")
def test_what_is_judged_anew_on_its_way_is_settled_the_long_way() -> None:
    client = a_client()
    assert went_short(client, QUERY(WRITE))
    client.session.uplink.judged_anew()
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:I"
    assert client.session.state.unproven
    assert not client.session.memory.suspended


def test_while_another_connection_is_on_its_way_none_is_borrowed() -> None:
    shared = Shared(pieces=False, cache=True)
    client = shared.clients[0]
    client.session.is_queued = True  # a block asked for one, and has ended meanwhile
    client.say(QUERY(WRITE))
    assert client.waits_for(ORIGIN)
    assert client.session.uplink.origin is None


@pytest.mark.parametrize("packet", [QUERY(b"SELECT 1"), run(b"SELECT 1") + SYNC], ids=["query", "run"])
def test_a_ping_that_is_ours_to_answer_is_not_sent(packet: bytes) -> None:
    world = World(SessionOptions(local_ping=True))
    client = world.client()
    client.attach()
    client.ask(packet)
    client.heard()
    world.shared.ping_until = world.clock.now + 1.0
    client.ask(packet)
    assert client.heard() == []


def test_a_message_beyond_the_limit_is_refused() -> None:
    client = World(SessionOptions(max_message_bytes=1 << 16)).client()
    client.attach()
    client.ask(frontend.parse(b"t", ROW_WRITE) + SYNC)
    for _ in range(2):
        client.ask(frontend.bind(b"", b"t", ROW) + frontend.execute(b"") + SYNC)
    long = frontend.bind(b"", b"t", frontend.bind_texts([b"x" * (1 << 17), b"1"]))
    with pytest.raises(MessageTooLarge):
        client.say(long + frontend.execute(b"") + SYNC)


def test_a_borrowed_connection_by_whose_login_the_cache_is_off_has_the_say() -> None:
    shared = Shared(pieces=False, cache=True)
    text = b"SELECT name FROM star WHERE id = 7"
    shared.ask(1, QUERY(text), whole=True)
    shared.ask(1, QUERY(b"UPDATE star SET name = 'x'"), whole=True)
    shared.origin.learnt = learnt({"orrery.cache": "off"})
    shared.ask(0, QUERY(text), whole=True)
    assert shared.clients[0].last == ("bypass", "off")


def test_what_is_pipelined_behind_a_write_of_one_row_reaches_no_further() -> None:
    client = World().client()
    client.attach()
    packet = frontend.bind(b"", b"t", ROW) + frontend.execute(b"") + SYNC
    client.ask(frontend.parse(b"t", ROW_WRITE) + SYNC)
    client.ask(packet)
    client.port.announced.clear()
    assert went_short(client, packet)
    client.say(QUERY(b"SELECT name FROM star WHERE id = 1"))
    first, second = (reach for _, reach, _ in client.port.announced)
    assert first.changes == second.changes


# The law: both ways are one


class Shared:
    """Clients that take turns at one connection; in ``pieces`` no packet is whole, so all go the long way."""

    def __init__(self, *, pieces: bool, cache: bool) -> None:
        self.world = World(SessionOptions(sharing=True, cache=cache))
        self.origin = ScriptedOrigin(self.world.data)
        self.origin.learnt = learnt()
        self.origin.standing = Standing(probe.Learnt(learnt()), STATUSES, 3)
        self.origin.faults[BROKEN] = Refusal("22012")
        self.origin.faults[b"PARSE a statement of the proxy was refused"] = Refusal("42601", P="1")
        self.clients = [self._client() for _ in range(2)]
        self.told: list[str] = []
        self._pieces = pieces
        for who, packet in product(range(2), ORDINARY + COMMANDS):
            self.ask(who, packet, whole=True)  # from here on the texts are known

    def _client(self) -> Conversation:
        client = self.world.client()
        client.session.uplink.tenancy.told = dict(STATUSES)
        client.origin = self.origin
        client.port.borrow = lambda: self._lend(client)
        return client

    def _lend(self, client: Conversation) -> bool:
        if any(one.session.uplink.origin is not None for one in self.clients):
            return False
        client.attach()
        return client.session.uplink.origin is not None

    def ask(self, who: int, packet: bytes, *, whole: bool) -> None:
        client = self.clients[who]
        if self._pieces:
            client.say(packet[:1])
        client.say(packet[1:] if self._pieces else packet)
        if client.waits_for(CATALOGUE):
            client.session.resume(self.world.clock.now)
        if client.waits_for(ORIGIN):
            client.attach()
        while client.origin.has_work:
            client.answer(None if whole else 1)
        self.told.append(f"{client.told()} {client.last}")
        session = client.session
        assert session.outlook.scope == session.shared.scopes.intern(session.state.scope())

    def is_free(self) -> bool:
        return all(one.session.uplink.origin is None for one in self.clients)

    def picture(self) -> list[object]:
        """All that may differ."""
        counters, memory = self.world.counters, self.world.memory
        figures = [counters.hit, counters.fill, counters.write, counters.error, counters.bypass_reasons]
        states = [(one.session.pinned_for, one.session.outlook.scope) for one in self.clients]
        heard = [frame.raw for frame in self.origin.heard]
        return [self.told, heard, figures, states, memory.entries, memory.suspended, self.is_free()]


TEXTS: Final = (
    *(
        READ,
        OTHER_READ,
        WRITE,
        BROKEN,
        b"DELETE FROM star WHERE id = 2",
        b"SELECT name FROM star WHERE id = 1",
    ),
    *(b"SET timezone = 'Asia/Tokyo'", b"SET search_path = elsewhere, public", b"RESET search_path"),
    *(b"BEGIN", b"COMMIT", b"ROLLBACK", b"BEGIN ISOLATION LEVEL REPEATABLE READ", b"COMMIT AND CHAIN"),
    *(b"SAVEPOINT a", b"ROLLBACK TO a", b"SET LOCAL search_path = elsewhere", b"CREATE TABLE moon (n int)"),
    *(
        b"DECLARE c CURSOR FOR SELECT 1",
        b"LOCK TABLE planet",
        b"SELECT mystery()",
        b"SET orrery.cache = off",
        b"SET orrery.cache = on",
    ),
    *(b"DEALLOCATE ALL", b"DISCARD ALL", b"SELECT currval('s')", b"LISTEN x", b"UNLISTEN x"),
)
ROW: Final = frontend.bind_texts([b"x", b"1"])
ORDINARY: Final = (
    *map(QUERY, TEXTS[:6]),
    *(frontend.parse(name, text) + SYNC for name, text in ((b"s", READ), (b"t", ROW_WRITE))),
    frontend.parse(b"", READ) + SYNC,
    rerun(b"") + SYNC,
    *(run(text) + SYNC for text in (READ, WRITE, BROKEN)),
    rerun(b"s") + SYNC,
    frontend.bind(b"", b"s") + frontend.execute(b"") + SYNC,
    frontend.bind(b"", b"t", ROW) + frontend.execute(b"") + SYNC,
)
COMMANDS: Final = tuple(map(QUERY, (b"BEGIN", b"COMMIT", b"ROLLBACK")))
PACKETS: Final = (
    *map(QUERY, TEXTS),
    *(frontend.parse(name, text) + SYNC for name in (b"", b"s", b"t") for text in (READ, WRITE, ROW_WRITE)),
    *(rerun(name) + SYNC for name in (b"", b"s", b"t")),
    *(frontend.bind(b"", name, ROW) + frontend.execute(b"") + SYNC for name in (b"s", b"t")),
    *(frontend.close(frontend.STATEMENT, name) + SYNC for name in (b"s", b"t")),
    *(run(text) + SYNC for text in (READ, WRITE)),
    QUERY(READ) + QUERY(WRITE),
)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(1, 3),
            st.sampled_from(PACKETS + ORDINARY * 2 + COMMANDS * 6),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_both_ways_are_one(acts: list[tuple[int, int, bytes, bool]], cache: bool) -> None:
    short, long = (Shared(pieces=pieces, cache=cache) for pieces in (False, True))
    for who, times, packet, whole in acts:
        for _ in range(times):
            for shared in (short, long):
                if shared.is_free() or shared.clients[who].session.uplink.origin is not None:
                    shared.ask(who, packet, whole=whole)
    assert short.picture() == long.picture()
