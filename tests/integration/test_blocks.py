"""Transaction blocks whose BEGIN is answered before the origin has heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.place import NAMES, PLANETS, Place, ask, remember
from tests.integration.proxy import until
from tests.integration.raw import RawClient
from tests.matrix import one_memory, pool_transaction
from tests.proxy.session.world import rerun, run, spell

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.conftest import StartProxy
    from tests.integration.place import Connection
    from tests.postgres import Database

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("4.5")]

WRITE = "UPDATE planets SET name = name || 'X' WHERE id = 1"
# With these a BEGIN of 100 kB takes longer than it may.
SLOW = (
    *(b"log_statement = 'all'", b"log_min_messages = debug5", b"log_parser_stats = on"),
    b"statement_timeout = 1",
)
IN_BLOCKS = """SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""


@pytest.fixture
def client(place: Place) -> Generator[Connection]:
    """One that finds the names in the memory."""
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        yield connection


def figures(place: Place) -> tuple[int, int]:
    return place.proxy.figure("blocks", "withdrawn"), place.proxy.figure("blocks", "opened")


def test_a_block_of_hits_is_never_opened(place: Place, client: Connection) -> None:
    withdrawn, opened = figures(place)
    with client.transaction():
        assert len(ask(client, NAMES)) == 3
        inside = client.info.transaction_status
    assert inside == psycopg.pq.TransactionStatus.INTRANS
    assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert figures(place) == (withdrawn + 1, opened)


@pytest.mark.usefixtures("client")
async def test_asyncpg_runs_its_blocks_from_memory(place: Place) -> None:
    connection = await asyncpg.connect(place.url())
    try:
        await connection.fetch(NAMES)
        await connection.fetch(NAMES)
        before = place.proxy.figure("outcomes", "hit"), figures(place)[0]
        for _ in range(3):
            async with connection.transaction(readonly=True):
                assert len(await connection.fetch(NAMES)) == 3
        assert place.proxy.figure("outcomes", "hit") == before[0] + 3
        assert figures(place)[0] == before[1] + 3
    finally:
        await connection.close()


def test_a_block_that_writes_is_one_transaction(place: Place, client: Connection) -> None:
    ask(client, "BEGIN")
    ask(client, NAMES)
    ask(client, WRITE)
    assert place.direct(NAMES)[0] == ("Mercury",)
    assert ask(client, NAMES)[0] == ("MercuryX",)
    ask(client, "ROLLBACK")
    assert ask(client, NAMES)[0] == ("Mercury",)
    ask(client, "BEGIN")
    ask(client, WRITE)
    ask(client, "COMMIT")
    assert ask(client, NAMES)[0] == ("MercuryX",)


def test_what_begin_said_holds_at_the_origin(client: Connection) -> None:
    ask(client, "BEGIN READ ONLY")
    ask(client, NAMES)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(client, WRITE)
    assert client.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    ask(client, "ROLLBACK")


def test_several_statements_in_one_text_run_in_it(place: Place, client: Connection) -> None:
    ask(client, "BEGIN")
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(client, f"{WRITE}; SELECT 1/0")
    ask(client, "COMMIT")
    assert place.direct(NAMES)[0] == ("Mercury",)


def test_an_error_in_the_first_statement_fails_the_block(client: Connection) -> None:
    ask(client, "BEGIN")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(client, "SELECT FROM nowhere")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        ask(client, NAMES)
    assert client.execute("COMMIT").statusmessage == "ROLLBACK"


def test_begin_in_a_block_warns(client: Connection) -> None:
    said: list[str | None] = []
    client.add_notice_handler(lambda notice: said.append(notice.sqlstate))
    ask(client, "BEGIN")
    ask(client, "BEGIN")
    ask(client, "COMMIT")
    assert said == ["25001"]


def test_two_reads_in_the_flight_that_begins_it_are_not_mixed_up(place: Place, client: Connection) -> None:
    one, two = (f"SELECT name FROM planets WHERE id = {number}" for number in (1, 2))
    ask(client, "BEGIN")
    with client.pipeline():
        first, second = client.execute(one.encode()), client.execute(two.encode())
    assert (first.fetchall(), second.fetchall()) == ([("Mercury",)], [("Venus",)])
    ask(client, "COMMIT")
    with place.connect() as other, other.pipeline():
        assert other.execute(two.encode()).fetchall() == [("Venus",)]


def test_nothing_runs_outside_of_a_block_that_could_not_begin(place: Place) -> None:
    place.direct(PLANETS)
    late = frontend.query(b"BEGIN /*" + b"/* */ " * 16_400 + b"*/")
    ended = 0
    for _ in range(10):
        with RawClient.logged_in(place) as raw:
            for setting in SLOW:
                raw.send(frontend.query(b"SET " + setting))
                raw.until_ready()
            raw.send(late)
            raw.until_ready()
            write = run(WRITE.encode()) + frontend.SYNC_FRAME
            raw.send(run(b"SELECT 1") + frontend.SYNC_FRAME + write)
            try:
                for _ in range(2):
                    raw.until_ready()
            except (EOFError, ConnectionResetError):
                ended += 1
    assert ended, "BEGIN was in time each time: this proves nothing"
    assert place.direct(NAMES)[0] == ("Mercury",)


@pytest.mark.parametrize(
    "text",
    [b"DEALLOCATE s", b"EXECUTE s", b"SET search_path = public, pg_catalog"],
    ids=["drop", "run", "set"],
)
def test_what_only_memory_has_run_is_known_in_the_block(place: Place, text: bytes) -> None:
    place.direct(PLANETS)
    sync = frontend.SYNC_FRAME
    for _ in range(3):
        with RawClient.logged_in(place) as raw:
            raw.send(run(NAMES.encode(), b"s") + sync)
            raw.until_ready()
            for said in (frontend.query(b"BEGIN"), frontend.query(text)):
                raw.send(said)
                assert spell(raw.until_ready()).endswith("Z:T")
            if text.startswith(b"SET"):
                raw.send(rerun(b"s") + sync)
                assert spell(raw.until_ready()).endswith("C:SELECT 3 Z:T")


def test_an_unnamed_statement_from_memory_hides_an_older_one_of_the_origin(place: Place) -> None:
    place.direct(PLANETS)
    one, two = (b"SELECT name FROM planets WHERE id = %d" % number for number in (1, 2))
    sync = frontend.SYNC_FRAME
    with RawClient.logged_in(place) as other, RawClient.logged_in(place) as raw:
        for _ in range(3):
            other.send(run(one) + sync)
            other.until_ready()
        set_path = frontend.parse(b"set", b"SET search_path = public, pg_catalog")
        for said in (set_path, run(two), run(one), rerun(b"set")):
            raw.send(said + sync)
            raw.until_ready()
        raw.send(rerun(b"") + sync)
        assert "D:Mercury" in spell(raw.until_ready())


def test_settings_of_a_block_end_with_it(client: Connection) -> None:
    ask(client, "BEGIN")
    ask(client, "SET LOCAL search_path = pg_catalog")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(client, NAMES)
    ask(client, "ROLLBACK")
    assert len(ask(client, NAMES)) == 3


def test_a_block_that_stays_open_shows_at_the_origin(place: Place, client: Connection) -> None:
    ask(client, "BEGIN")
    ask(client, NAMES)
    until(lambda: place.direct(IN_BLOCKS) == [(1,)], "the origin has heard of it")
    began = ask(client, "SELECT now()")
    assert ask(client, "SELECT now()") == began
    ask(client, "COMMIT")
    assert place.direct(IN_BLOCKS) == [(0,)]


@one_memory
@pool_transaction
def test_a_block_of_hits_needs_no_connection(database: Database, start_proxy: StartProxy) -> None:
    database.execute(PLANETS)
    options = ("--pool-size", "1", "--pool-wait-seconds", "1", "--freshness", "wire")
    place = Place(start_proxy(*options), database)
    with place.connect() as holder, place.connect() as client, place.connect() as late:
        remember(client)
        ask(holder, "BEGIN")
        ask(holder, "LOCK planets IN ACCESS SHARE MODE")
        ask(client, "BEGIN")
        assert len(ask(client, NAMES)) == 3
        ask(client, "COMMIT")
        ask(late, "BEGIN")
        with pytest.raises(psycopg.OperationalError, match="pool-size"):
            ask(late, WRITE)
        assert late.broken
        ask(holder, "ROLLBACK")
        assert ask(client, NAMES)[0] == ("Mercury",)


@pool_transaction
def test_an_idle_connection_that_ends_under_it_is_not_missed(place: Place, client: Connection) -> None:
    ask(client, "BEGIN")
    place.direct(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ''"
    )
    until(lambda: place.proxy.figure("origin", "open") == 0, "the proxy has heard of it")
    ask(client, WRITE)
    ask(client, "COMMIT")
    assert place.direct(NAMES)[0] == ("MercuryX",)


def test_a_command_of_the_proxy_that_fails_fails_the_block(client: Connection) -> None:
    ask(client, "BEGIN")
    with pytest.raises(psycopg.Error):
        ask(client, "ORRERY PURGE nowhere")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        ask(client, WRITE)
    ask(client, "ROLLBACK")
