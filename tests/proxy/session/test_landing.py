"""session.landing: what an answer leaves behind, and what an error has made nothing of."""

from __future__ import annotations

import pytest

from proxy.errors import OriginFault
from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import (
    READ,
    SYNC,
    WRITE,
    World,
    rerun,
)

QUERY = frontend.query


@pytest.mark.soundness("2.7", "7.6")
def test_an_answer_that_is_too_large_is_served_and_forgotten() -> None:
    client = World().client()
    client.origin.aside[READ] = b"D" + (1 << 20).to_bytes(4, "big") + bytes((1 << 20) - 4)
    client.query(READ)
    assert client.last == ("bypass", "size")
    assert not client.hits()


@pytest.mark.soundness("2.7")
def test_an_answer_with_a_notice_is_not_kept() -> None:
    client = World().client()
    client.origin.aside[READ] = b"N\0\0\0\5\0"
    client.query(READ)
    assert client.last == ("bypass", "notice")


def test_a_name_whose_parse_failed_does_not_exist() -> None:
    client = World().client()
    client.origin.faults[b"PARSE SELEKT"] = Refusal("42601", P="1")
    assert client.ask(frontend.parse(b"s", b"SELEKT"), SYNC) == "E:42601 Z:I"
    assert client.ask(rerun(b"s"), SYNC) == "E:26000 Z:I"


def test_a_parse_that_an_earlier_error_skipped_makes_no_statement() -> None:
    client = World().client()
    assert client.ask(rerun(b"nobody"), frontend.parse(b"s", READ), SYNC) == "E:26000 Z:I"
    assert b"s" not in client.session.statements.named


def test_a_parse_before_the_error_stays() -> None:
    client = World().client()
    client.ask(frontend.parse(b"s", READ), rerun(b"nobody"), SYNC)
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:0 C:SELECT 1 Z:I"


def test_a_ready_for_query_with_an_unknown_status_ends_no_suspension() -> None:
    world = World()
    client = world.client()
    client.attach()
    client.say(QUERY(WRITE))
    with pytest.raises(OriginFault):
        client.session.origin_received(b"Z\0\0\0\5?", 0.0)
    client.session.origin_lost(0.0)
    assert len(client.port.doubts) == world.memory.suspended == 1


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(
    "end",
    [b"COMMIT", b"ROLLBACK", b"COMMIT AND CHAIN", b"ROLLBACK AND CHAIN", b"ROLLBACK TO a", b"COMMIT; BEGIN"],
)
def test_what_was_set_in_a_block_is_undone_by_its_end(end: bytes) -> None:
    client = World().client()
    client.attach()
    before = client.session.outlook.scope
    for _ in range(2):
        for text in (b"BEGIN", b"SAVEPOINT a", b"SET LOCAL search_path = elsewhere"):
            client.query(text)
        assert client.session.outlook.scope != before
        client.query(end)
        assert client.session.outlook.scope == before
        client.query(b"ROLLBACK")
