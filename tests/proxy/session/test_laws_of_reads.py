"""The laws of the hall that speak of reads: which may be answered from memory in this session, now."""

from __future__ import annotations

import pytest

from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import OTHER_READ, READ, SYNC, WRITE, World, rerun, run

QUERY = frontend.query
ANSWER = "T D:0 C:SELECT 1 Z:I"


@pytest.mark.soundness("4.1")
def test_reads_in_read_committed_hit_until_the_transaction_writes() -> None:
    world = World()
    client = world.client()
    client.remember()
    client.query(b"BEGIN")
    assert client.hits()
    client.query(WRITE)
    assert not client.hits()
    assert client.last == ("bypass", "transaction")
    assert not client.hits(OTHER_READ)


@pytest.mark.soundness("4.2")
def test_reads_in_read_committed_hit_until_the_transaction_locks() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", b"SELECT name FROM star FOR UPDATE")
    assert not client.hits()
    assert client.last == ("bypass", "locked")
    client.query(b"COMMIT")
    assert client.hits()


def test_a_hit_in_a_transaction_says_that_it_stands_open() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN")
    assert client.query(READ) == "T D:0 C:SELECT 1 Z:T"


@pytest.mark.soundness("4.1")
@pytest.mark.parametrize("level", [b"REPEATABLE READ", b"SERIALIZABLE"])
@pytest.mark.parametrize("verb", [b"BEGIN", b"START TRANSACTION"])
def test_stricter_isolation_bypasses(verb: bytes, level: bytes) -> None:
    client = World().client()
    client.remember()
    client.query(verb + b" ISOLATION LEVEL " + level)
    assert not client.hits()
    assert client.last == ("bypass", "isolation")


@pytest.mark.soundness("4.1")
def test_isolation_set_inside_the_transaction_bypasses() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    assert not client.hits()
    assert client.last == ("bypass", "isolation")


@pytest.mark.soundness("4.1")
def test_isolation_by_default_bypasses() -> None:
    world = World()
    world.client().remember()
    client = world.client(default_transaction_isolation="repeatable read")
    assert not client.hits()
    assert client.last == ("bypass", "isolation")


@pytest.mark.soundness("4.1")
def test_a_failed_transaction_bypasses() -> None:
    client = World().client()
    client.remember()
    client.origin.faults[b"SELECT 1/0"] = Refusal("22012")
    client.query(b"BEGIN", b"SELECT 1/0")
    assert client.query(READ) == "E:25P02 Z:E"
    assert client.query(b"ROLLBACK") == "C:ROLLBACK Z:I"
    assert client.hits()


@pytest.mark.soundness("3.3")
def test_a_set_inside_a_transaction_is_undone_with_it() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", b"SET search_path = public")
    assert not client.hits()
    client.query(b"ROLLBACK")
    assert client.hits()


@pytest.mark.soundness("3.3")
def test_a_set_local_ends_with_its_transaction() -> None:
    client = World().client()
    client.remember()
    client.query(b"BEGIN", b"SET LOCAL search_path = public")
    assert not client.hits()
    client.query(b"COMMIT")
    assert client.hits()


@pytest.mark.soundness("4.4")
def test_what_is_read_in_a_transaction_that_wrote_is_not_stored() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.query(b"BEGIN", WRITE, READ, b"ROLLBACK")
    assert reader.query(READ) == ANSWER
    assert reader.last == ("fill", "")


@pytest.mark.soundness("3.5")
def test_a_statement_prepared_under_other_settings_bypasses() -> None:
    client = World().client()
    client.ask(run(READ, b"s"), SYNC)
    client.query(b"SET search_path = public")
    client.ask(rerun(b"s"), SYNC)
    assert client.last == ("bypass", "settings")
    client.query(b"RESET search_path")
    client.heard()
    client.ask(rerun(b"s"), SYNC)
    assert client.last == ("hit", "")


@pytest.mark.soundness("3.5")
def test_a_statement_prepared_while_a_set_is_on_its_way_is_never_answered_from_memory() -> None:
    client = World().client()
    client.attach()
    client.ask(QUERY(b"SET search_path = public"), run(READ, b"s"), SYNC)
    client.ask(rerun(b"s"), SYNC)
    assert client.last == ("bypass", "settings")


@pytest.mark.soundness("2.7")
@pytest.mark.parametrize("max_rows", [1, 5])
def test_a_portal_fetched_in_pieces_bypasses(max_rows: int) -> None:
    client = World().client()
    pieces = frontend.parse(b"", READ) + frontend.bind(b"", b"") + frontend.execute(b"", max_rows)
    for _ in range(2):
        client.ask(frontend.parse(b"", b"BEGIN"), frontend.bind(b"", b""), frontend.execute(b""), SYNC)
        client.ask(pieces, SYNC)
        assert client.last[0] == "bypass"
        client.query(b"ROLLBACK")


@pytest.mark.soundness("2.5")
def test_a_moving_date_among_the_parameters_bypasses() -> None:
    client = World().client()
    text = b"SELECT name FROM planet WHERE discovered = $1"
    for value, outcome in ((b"1846-09-23", "fill"), (b"today", "bypass"), (b"today", "bypass")):
        tail = b"\0\0\0\1" + len(value).to_bytes(4, "big") + value + b"\0\0"
        client.ask(run(text, tail=tail), SYNC)
        assert client.last[0] == outcome
