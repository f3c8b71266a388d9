"""A write told message by message: whenever the client is told that it is over, the next read shows it."""

# ruff: noqa: E501 - each talk stands in one line
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.place import Connection, Place, Rows, ask, remember
from tests.integration.raw import RawClient
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.proxy import Proxy
    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

GROUND: Final = """
CREATE TABLE planets (id int PRIMARY KEY, moons int); INSERT INTO planets VALUES (1, 0), (2, 0);
CREATE TABLE links (planet int REFERENCES planets DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION adds() RETURNS int LANGUAGE sql AS $$ UPDATE planets SET moons = moons + 1 RETURNING 1 $$;
CREATE PROCEDURE adds_and_commits(divisor int) LANGUAGE plpgsql AS
  $$ BEGIN UPDATE planets SET moons = moons + 1; COMMIT; PERFORM 1 / divisor; END $$
"""
# The whole table, and one row: what a write to that row moves is not the same.
READS: Final = ("SELECT id, moons FROM planets ORDER BY id", "SELECT moons FROM planets WHERE id = 1")
_W: Final = "UPDATE planets SET moons = moons + 1 WHERE id = 1"
_ORPHAN: Final = "INSERT INTO links VALUES (99)"
SYNC: Final = frontend.SYNC_FRAME
FLUSH: Final = frontend.FLUSH_FRAME


def q(text: str) -> bytes:
    return frontend.query(text.encode())


def x(*texts: str, rows: int = 0) -> bytes:
    """Each by Parse, Bind, Execute."""
    return b"".join(
        frontend.parse(b"", text.encode()) + frontend.bind(b"", b"") + frontend.execute(b"", rows)
        for text in texts
    )


def copy_of(*rows: str) -> bytes:
    data = "".join(f"{row}\n" for row in rows).encode()
    return b"d" + (len(data) + 4).to_bytes(4, "big") + data


COPY_DONE: Final = b"c\0\0\0\4"

# Packets as they are sent; each ends in so many ReadyForQuery as it holds Syncs and Queries.
TALKS: Final[dict[str, tuple[bytes, ...]]] = {
    "one Sync": (x(_W) + SYNC,),
    "Flush, then Sync": (x(_W) + FLUSH, SYNC),
    "Flush between all": (frontend.parse(b"", _W.encode()) + FLUSH, frontend.bind(b"", b"") + FLUSH, frontend.execute(b"") + FLUSH, SYNC),
    "no Sync, then a Query": (x(_W), q("SELECT 1")),
    "no Sync, then a Query that fails": (x(_W), q("SELECT 1 / 0")),
    "no Sync, then a Query that commits": (x("BEGIN", _W), q("COMMIT")),
    "a block in one pipeline": (x("BEGIN", _W, "COMMIT") + SYNC,),
    "a block in one pipeline, then an error": (x("BEGIN", _W, "COMMIT", "SELECT 1 / 0") + SYNC,),
    "an error before the block": (x("SELECT 1 / 0", "BEGIN", _W, "COMMIT") + SYNC,),
    "COMMIT in the middle": (x(_W, "COMMIT", _W, "SELECT 1 / 0") + SYNC,),
    "ROLLBACK in the middle": (x(_W, "ROLLBACK", _W) + SYNC,),
    "several Syncs in one packet": (x(_W) + SYNC + x("SELECT 1 / 0") + SYNC + x(_W) + SYNC,),
    "a write behind an error": (x("SELECT 1 / 0", _W) + SYNC,),
    "an error behind a write": (x(_W, "SELECT 1 / 0") + SYNC,),
    "a block over several packets": (x("BEGIN") + SYNC, x(_W) + SYNC, x("COMMIT") + SYNC),
    "a block over several packets at once": (x("BEGIN") + SYNC + x(_W) + SYNC + x("COMMIT") + SYNC,),
    "COMMIT flushed, never synced": (x("BEGIN", _W, "COMMIT") + FLUSH, SYNC),
    "a deferred constraint fails at Sync": (x(_W, _ORPHAN) + SYNC,),
    "a deferred constraint fails at COMMIT": (q("BEGIN"), q(_W), q(_ORPHAN), q("COMMIT")),
    "a deferred constraint fails in a string": (q(f"{_W}; {_ORPHAN}"),),
    "a deferred constraint fails, another write had committed": (q(f"{_W}; COMMIT; {_W}; {_ORPHAN}"),),
    "a string": (q(f"{_W}; {_W}"),),
    "a string that fails": (q(f"{_W}; SELECT 1 / 0"),),
    "a string that cannot be parsed": (q(f"{_W}; SELEC 1"),),
    "a string that commits and fails": (q(f"{_W}; COMMIT; SELECT 1 / 0"),),
    "a string that begins": (q(f"{_W}; BEGIN"), q("COMMIT")),
    "a string that begins and fails": (q(f"{_W}; BEGIN; SELECT 1 / 0"), q("COMMIT")),
    "COMMIT AND CHAIN": (q("BEGIN"), q(_W), q("COMMIT AND CHAIN"), q(_W), q("COMMIT")),
    "COMMIT AND CHAIN, then ROLLBACK": (q("BEGIN"), q(_W), q("COMMIT AND CHAIN"), q(_W), q("ROLLBACK")),
    "ROLLBACK AND CHAIN": (q("BEGIN"), q(_W), q("ROLLBACK AND CHAIN"), q(_W), q("COMMIT")),
    "chained in one string that fails": (q(f"BEGIN; {_W}; COMMIT AND CHAIN; {_W}; SELECT 1 / 0"), q("ROLLBACK")),
    "a savepoint released": (q("BEGIN"), q("SAVEPOINT a"), q(_W), q("RELEASE a"), q("COMMIT")),
    "a savepoint rolled back": (q("BEGIN"), q(_W), q("SAVEPOINT a"), q(_W), q("ROLLBACK TO a"), q("COMMIT")),
    "a failed block gone on with": (q("BEGIN"), q("SAVEPOINT a"), q("SELECT 1 / 0"), q("ROLLBACK TO a"), q(_W), q("COMMIT")),
    "a write in a failed block": (q("BEGIN"), q("SELECT 1 / 0"), q(_W), q("COMMIT")),
    "a block that failed after its write": (q("BEGIN"), q(_W), q("SELECT 1 / 0"), q("COMMIT")),
    "ROLLBACK and a write in one string": (q("BEGIN"), q("SELECT 1 / 0"), q(f"ROLLBACK; {_W}")),
    "a portal read by pieces": (x(f"{_W} RETURNING id", rows=1) + SYNC,),
    "a portal read by pieces in a block": (q("BEGIN"), x(f"{_W} RETURNING id", rows=1) + SYNC, q("COMMIT")),
    "a prepared write": (frontend.parse(b"s", _W.encode()) + SYNC, frontend.bind(b"", b"s") + frontend.execute(b"") + SYNC),
    "prepared there, run by EXECUTE": (frontend.parse(b"s", _W.encode()) + SYNC, q("EXECUTE s")),
    "prepared by PREPARE, run there": (q(f"PREPARE s AS {_W}"), frontend.bind(b"", b"s") + frontend.execute(b"") + SYNC),
    "PREPARE rolled back stays": (q("BEGIN"), q(f"PREPARE s AS {_W}"), q("ROLLBACK"), q("EXECUTE s")),
    "a name prepared anew in a string that fails": (q("PREPARE s AS SELECT 1"), q(f"DEALLOCATE s; PREPARE s AS {_W}; SELECT 1 / 0"), q("EXECUTE s")),
    "COPY": (q("COPY planets FROM STDIN") + copy_of("3\t1") + COPY_DONE,),
    "COPY given up": (q("COPY planets FROM STDIN") + copy_of("4\t1") + frontend.copy_fail(b"no"),),
    "COPY with a bad row": (q("COPY planets FROM STDIN") + copy_of("5\t1", "x") + COPY_DONE,),
    "COPY by Execute": (x("COPY planets FROM STDIN") + FLUSH, copy_of("6\t1") + COPY_DONE + SYNC),
    "COPY in a block": (q("BEGIN"), q("COPY planets FROM STDIN") + copy_of("7\t1") + COPY_DONE, q("COMMIT")),
    "COPY in a string": (q(f"COPY planets FROM STDIN; {_W}") + copy_of("8\t1") + COPY_DONE,),
    "a procedure that commits": (q("CALL adds_and_commits(1)"),),
    "a procedure that commits and fails": (q("CALL adds_and_commits(0)"),),
    "a procedure that commits and fails, by Execute": (x("CALL adds_and_commits(0)") + SYNC,),
    "a block of code that commits and fails": (q(f"DO $$ BEGIN {_W}; COMMIT; PERFORM 1 / 0; END $$"),),
    "a function": (q("SELECT adds()"),),
    "a function bound, never run": (frontend.parse(b"", b"SELECT adds()") + frontend.bind(b"", b"") + SYNC,),
    "a function in a block, by COMMIT flushed": (x("BEGIN", "SELECT adds()", "COMMIT") + FLUSH, SYNC),
    "a held cursor over a function": (q("BEGIN"), q("DECLARE c CURSOR WITH HOLD FOR SELECT adds()"), q("COMMIT")),
    "an empty query behind a write": (x(_W, "") + SYNC,),
    "a second BEGIN": (q("BEGIN"), q("BEGIN"), q(_W), q("COMMIT"), q("COMMIT")),
    "a COMMIT without a block": (q("COMMIT"), x(_W, "COMMIT") + SYNC),
    "VACUUM behind a write": (x(_W, "VACUUM planets") + SYNC,),
    "a write behind VACUUM": (x("VACUUM planets", _W, "SELECT 1 / 0") + SYNC,),
    "an index built concurrently behind a write": (x(_W, "REINDEX INDEX CONCURRENTLY planets_pkey") + SYNC,),
    "Sync alone in a block": (q("BEGIN"), q(_W), SYNC, q("COMMIT")),
    "a statement timeout": (q("SET statement_timeout = 50"), q(f"{_W}; SELECT pg_sleep(5)")),
    "a statement timeout behind COMMIT": (q("SET statement_timeout = 50"), q(f"{_W}; COMMIT; SELECT pg_sleep(5)")),
    "a timeout in Execute behind a write": (q("SET statement_timeout = 50"), x(_W, "SELECT pg_sleep(5)") + SYNC),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """One database, a session whose memory is looked at, and one at the origin itself."""

    place: Place
    reader: Connection
    origin: Connection

    def remember(self) -> None:
        """Both answers are in the memory."""
        for read in READS:
            remember(self.reader, read)

    def differs(self) -> list[Rows]:
        """What the memory gives that PostgreSQL does not; asked again, so that what may be remembered is."""
        seen = [(ask(self.reader, read), ask(self.origin, read)) for read in READS]
        for read in READS:
            ask(self.reader, read)
        return [given for given, true in seen if given != true]


@pytest.fixture(scope="module")
def watched(cluster: Cluster, proxy: Proxy) -> Generator[Watched]:
    database = Database(cluster, "ordered")
    database.create()
    database.execute(GROUND)
    place = Place(proxy, database)
    with (
        place.connect() as reader,
        psycopg.connect(database.url(), autocommit=True, prepare_threshold=None) as origin,
    ):
        yield Watched(place, reader, origin)
    database.drop()


def _kinds(packet: bytes) -> bytes:
    kinds = bytearray()
    at = 0
    while at < len(packet):
        kinds.append(packet[at])
        at += 1 + int.from_bytes(packet[at + 1 : at + 5], "big")
    return bytes(kinds)


def _hear(client: RawClient, packet: bytes) -> None:
    """All that the client is told in answer to it: of what is flushed, that each Execute is done."""
    kinds = _kinds(packet)
    for _ in range(kinds.count(b"Q") + kinds.count(b"S")):
        client.until_ready()
    wanted = kinds.count(b"E") if kinds.endswith(b"H") and b"COPY" not in packet else 0
    while wanted:
        wanted -= client.frame().kind == ord("C")


@pytest.mark.soundness("6.1")
@pytest.mark.parametrize("talk", TALKS)
def test_whatever_the_client_has_been_told_the_next_read_says_what_postgresql_says(
    watched: Watched, talk: str
) -> None:
    with RawClient.logged_in(watched.place) as writer:
        watched.remember()
        for packet in TALKS[talk]:
            writer.send(packet)
            _hear(writer, packet)
            assert not watched.differs()
    assert not watched.differs()


@pytest.mark.soundness("6.5")
def test_a_commit_that_was_told_counts_though_its_client_vanishes_before_sync(watched: Watched) -> None:
    watched.remember()
    packet = x("BEGIN", _W, "COMMIT") + FLUSH
    with RawClient.logged_in(watched.place) as writer:
        writer.send(packet)
        _hear(writer, packet)
    assert not watched.differs()
    assert not watched.differs()
