"""Large answers stream: the proxy holds a little of them, however slowly they are read."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.integration.place import Place, ask, last
from tests.integration.proxy import PATIENCE_SECONDS, until
from tests.integration.raw import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres

ROWS = "SELECT repeat('x', 1000) FROM generate_series(1, {})"
HELD_BYTES = 40 << 20


def _bytes_of(place: Place, rows: int) -> Iterator[int]:
    with psycopg.connect(place.url(), autocommit=True) as connection:
        for row in connection.cursor().stream(ROWS.format(rows).encode()):
            yield len(row[0])


def test_two_hundred_megabytes_stream_through(place: Place) -> None:
    before = place.proxy.resident_bytes()
    assert sum(_bytes_of(place, 200_000)) == 200_000_000
    assert place.proxy.resident_bytes() - before < HELD_BYTES


@pytest.mark.soundness("7.3", "7.6")
def test_a_client_that_does_not_read_holds_nothing_up(place: Place) -> None:
    before = place.proxy.resident_bytes()
    with RawClient.logged_in(place, receive_buffer=4096) as slow, place.connect() as other:
        slow.send(frontend.query(ROWS.format(100_000).encode()))
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'"
        until(lambda: bool(place.direct(waits)), "the origin waits for the slow client")
        assert ask(other, "SELECT 1") == [(1,)]
        assert place.proxy.resident_bytes() - before < HELD_BYTES
        rows = sum(1 for frame in slow.until_ready() if frame.kind == ord("D"))
        assert rows == 100_000


@pytest.mark.soundness("7.3", "7.6")
def test_a_copy_that_the_origin_does_not_take_holds_nothing_up(place: Place) -> None:
    place.direct(
        """CREATE TABLE big (x text);
        CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END';
        CREATE TRIGGER waits BEFORE INSERT ON big EXECUTE FUNCTION waits()"""
    )
    before = place.proxy.resident_bytes()
    line = b"x" * 999 + b"\n"
    sent: list[int] = []

    def copy() -> None:
        with place.connect() as connection, connection.cursor().copy("COPY big FROM STDIN") as data:
            for number in range(500):
                data.write(line * 100)
                sent.append(number)

    with psycopg.connect(place.origin.url(), autocommit=True) as holder, place.connect() as other:
        holder.execute("SELECT pg_advisory_lock(7)")
        writer = threading.Thread(target=copy)
        writer.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'"
        until(lambda: bool(place.direct(waits)), "the origin waits for the lock")
        until(lambda: _stands(sent), "the client cannot send any more")
        assert ask(other, "SELECT 1") == [(1,)]
        assert place.proxy.resident_bytes() - before < HELD_BYTES
        assert len(sent) < 500
        holder.execute("SELECT pg_advisory_unlock(7)")
        writer.join(PATIENCE_SECONDS)
    assert place.direct("SELECT count(*) FROM big") == [(50_000,)]


def _stands(sent: list[int]) -> bool:
    """Has nothing been added for a fifth of a second?"""
    before = len(sent)
    time.sleep(0.2)
    return before == len(sent)


def test_one_row_of_many_megabytes_arrives_whole(place: Place) -> None:
    with place.connect() as connection:
        found = connection.execute("SELECT repeat('x', 50000000)").fetchone()
        assert found is not None
        assert len(str(found[0])) == 50_000_000


@pytest.mark.soundness("2.7")
def test_an_answer_over_the_entry_limit_is_not_kept(place: Place) -> None:
    place.direct("CREATE TABLE big AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 5000)")
    with place.connect() as connection:
        for _ in range(2):
            assert len(ask(connection, "SELECT x FROM big")) == 5000
            assert last(connection) == ("bypass", "size")


def test_a_copy_of_many_megabytes_goes_both_ways(place: Place) -> None:
    place.direct("CREATE TABLE big (x text)")
    before = place.proxy.resident_bytes()
    line = b"x" * 999 + b"\n"
    with place.connect() as connection:
        with connection.cursor().copy("COPY big FROM STDIN") as copy:
            for _ in range(500):
                copy.write(line * 100)
        with connection.cursor().copy("COPY big TO STDOUT") as out:
            assert sum(len(piece) for piece in out) == 50_000_000
    assert place.proxy.resident_bytes() - before < HELD_BYTES


def test_a_copy_that_fails_in_the_middle_of_a_message_leaves_the_connection_in_order(place: Place) -> None:
    place.direct("CREATE TABLE numbers (n int)")
    data = compose(ord("d"), b"no number\n" * 100_000)
    with RawClient.logged_in(place) as client:
        client.send(frontend.query(b"COPY numbers FROM STDIN"))
        assert client.frame().kind == ord("G")
        client.send(data[:500_000])
        assert [frame.kind for frame in client.until_ready()] == [*b"EZ"]
        client.send(
            data[500_000:] + frontend.COPY_DONE_FRAME + frontend.query(b"SELECT count(*) FROM numbers")
        )
        assert [frame.kind for frame in client.until_ready()] == [*b"TDCZ"]


def test_a_client_that_vanishes_in_the_middle_of_a_message_of_copy_leaves_nothing(place: Place) -> None:
    place.direct("CREATE TABLE numbers (n int)")
    data = compose(ord("d"), b"1\n" * 1_000)
    with RawClient.logged_in(place) as client:
        client.send(frontend.query(b"COPY numbers FROM STDIN"))
        assert client.frame().kind == ord("G")
        client.send(data[:500])
    copies = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY numbers%' AND state = 'active'"
    until(lambda: not place.direct(copies), "the origin has given the COPY up")
    assert place.direct("SELECT count(*) FROM numbers") == [(0,)]
