"""session.exchange: what the client gets of the origin's replies, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.session import batch as steps
from proxy.session.batch import Batch, OwnStep
from proxy.session.exchange import Exchange
from proxy.sql.commands import Refused, Show
from proxy.wire import backend, frontend
from proxy.wire.backend import Column
from proxy.wire.framing import BACKEND, FrameSplitter
from tests.doubles.origin import Refusal
from tests.proxy.session.world import READ, SYNC, WRITE, World, run, spell

ONE, TWO = backend.PARSE_COMPLETE_FRAME, backend.BIND_COMPLETE_FRAME
ROWS = backend.row_description([Column("name", 25)])
ROW = backend.data_row([b"x"])
DONE = backend.command_complete(b"SELECT 1")
NOTIFICATION = b"A" + (4 + 7).to_bytes(4, "big") + b"\0\0\0\1c\0\0"
READY = backend.READY_IDLE


def sent(plan: bytes, *own: OwnStep) -> Exchange:
    exchange = Exchange(Batch(), (), 0.0)
    exchange.synced = True
    exchange.follow(plan, list(own))
    exchange.answer_own = lambda _: backend.command_complete(b"OURS")
    return exchange


def replies(exchange: Exchange, *frames: bytes) -> str:
    """What the client gets for these replies; ``!`` where the exchange is over."""
    out: list[bytes] = []
    over = [exchange.take(frame[0], frame, out) for frame in frames]
    return spell(FrameSplitter(1 << 20, BACKEND).feed(b"".join(out))) + (" !" if over[-1] else "")


def test_replies_pass_in_order_and_ready_for_query_ends() -> None:
    assert replies(sent(b"PBDE"), ONE, TWO, ROWS, ROW, DONE, READY) == "1 2 T D:x C:SELECT 1 !"


def test_the_reply_to_a_late_parse_is_ours() -> None:
    assert replies(sent(b"ppBE"), ONE, ONE, TWO, DONE, READY) == "2 C:SELECT 1 !"
    assert replies(sent(b"pPBE"), ONE, ONE, TWO, DONE, READY) == "1 2 C:SELECT 1 !"


def test_the_replies_to_a_question_of_ours_are_kept_from_the_client() -> None:
    closed = backend.CLOSE_COMPLETE_FRAME
    exchange = sent(b"BE" + b"ccpbxcc")
    asked = (closed, closed, ONE, TWO, backend.data_row([b"t"]), DONE, closed, closed)
    assert replies(exchange, TWO, ROW, backend.command_complete(b"UPDATE 1"), *asked) == "2 D:x C:UPDATE 1"
    assert (exchange.changed_nothing, exchange.is_answered, exchange.tag) == (True, True, b"UPDATE 1")


@pytest.mark.parametrize("row", [b"f", b"", b"tt"])
def test_only_the_one_word_proves_that_nothing_changed(row: bytes) -> None:
    exchange = sent(b"x")
    assert replies(exchange, ROWS, backend.data_row([row]), DONE, READY) == " !"
    assert not exchange.changed_nothing


def test_in_one_text_the_replies_are_told_apart_by_their_order() -> None:
    yes = backend.data_row([b"t"])
    assert replies(sent(b"qx"), ROWS, ROW, DONE, ROWS, yes, DONE, READY) == "T D:x C:SELECT 1 !"
    commit = backend.command_complete(b"COMMIT")
    assert replies(sent(b"xq"), ROWS, yes, DONE, commit, READY) == "C:COMMIT !"


def test_an_error_after_the_last_step_is_passed_on() -> None:
    exchange = sent(b"xq")
    assert replies(exchange, ROWS, Refusal("57014").frame, READY) == "E:57014 !"
    assert not exchange.skipped_query()


def test_a_step_of_ours_is_answered_in_its_place() -> None:
    ours = OwnStep(steps.EXECUTE, Show("last"))
    assert replies(sent(b"Eo", ours), DONE, READY) == "C:SELECT 1 C:OURS !"
    first: list[bytes] = []
    exchange = sent(b"oE", ours)
    exchange.begin(first)
    assert spell(FrameSplitter(100, BACKEND).feed(b"".join(first))) == "C:OURS"
    assert replies(exchange, DONE, READY) == "C:SELECT 1 !"


def test_after_an_error_our_steps_are_skipped() -> None:
    error = Refusal("23505").frame
    assert replies(sent(b"Eo", OwnStep(steps.EXECUTE, Show("last"))), error, READY) == "E:23505 !"


def test_a_refused_command_of_ours_is_told_in_the_place_of_the_origin_s_error() -> None:
    refused = OwnStep(steps.EXECUTE, Refused("no such thing", "42704"))
    exchange = sent(b"Er", refused)
    assert replies(exchange, DONE, Refusal("42601").frame, READY) == "C:SELECT 1 E:42704 !"
    assert exchange.failed
    assert replies(sent(b"r", refused), Refusal("25P02").frame, READY) == "E:25P02 !"
    assert replies(sent(b"Er", refused), Refusal("23505").frame, READY) == "E:23505 !"


def test_commandcomplete_is_held_where_it_may_commit_and_goes_with_what_follows() -> None:
    exchange = sent(b"BEBE")
    exchange.holds = True
    assert replies(exchange, TWO, DONE) == "2"
    assert replies(exchange, TWO) == "C:SELECT 1 2"
    assert replies(exchange, DONE, READY) == " !"
    assert exchange.held == [DONE]


def test_what_follows_the_last_commandcomplete_is_held_with_it() -> None:
    exchange = sent(b"EC")
    exchange.holds = True
    out: list[bytes] = []
    for frame in (DONE, backend.CLOSE_COMPLETE_FRAME, NOTIFICATION):
        exchange.take(frame[0], frame, out)
    assert out == []
    assert exchange.held == [DONE, backend.CLOSE_COMPLETE_FRAME, NOTIFICATION]


def test_an_answer_of_ours_does_not_overtake_what_is_held() -> None:
    exchange = sent(b"Eo", OwnStep(steps.EXECUTE, Show("last")))
    exchange.holds = True
    assert replies(exchange, DONE) == "C:SELECT 1 C:OURS"


def test_a_question_of_our_own_shows_the_client_nothing_but_what_is_always_told() -> None:
    exchange = sent(b"pBE")
    exchange.silent = True
    status = backend.parameter_status("TimeZone", "Mars")
    assert replies(exchange, ONE, TWO, ROW, NOTIFICATION, status, DONE, READY) == "A S !"


@pytest.mark.parametrize("plan", [b"P", b"Ps", b"pP"])
def test_an_exchange_that_has_only_described_says_so(plan: bytes) -> None:
    whole, part, bound = sent(plan), sent(plan), sent(plan + b"B")
    part.synced = bound.synced = False
    assert (whole.only_describes, part.only_describes, bound.only_describes) == (False, True, False)


def test_the_fault_is_the_first_error_s_and_tells_whether_it_was_the_first_reply() -> None:
    exchange = sent(b"Q")
    replies(exchange, Refusal("42601", P="7").frame, Refusal("22012").frame)
    assert (exchange.fault["C"], exchange.fault["P"], exchange.fault["first"]) == ("42601", "7", "yes")
    late = sent(b"Q")
    replies(late, DONE, Refusal("42601").frame)
    assert late.fault["first"] == ""


def test_a_query_behind_a_failed_message_is_known_to_be_skipped() -> None:
    exchange = sent(b"PBEQ")
    replies(exchange, ONE, Refusal("26000").frame)
    assert exchange.skipped_query()
    whole = sent(b"PBEQ")
    replies(whole, ONE, TWO, DONE, Refusal("26000").frame)
    assert not whole.skipped_query()
    assert not sent(b"Q").skipped_query()


def test_only_parses_that_succeeded_are_counted() -> None:
    exchange = sent(b"pPBP")
    replies(exchange, ONE, ONE, TWO, Refusal("42601").frame, READY)
    assert exchange.parses_done == 1


@given(cuts=st.lists(st.integers(1, 400), max_size=30), write=st.booleans())
def test_any_chunking_of_the_origin_s_bytes_gives_the_client_the_same_bytes(
    cuts: list[int], write: bool
) -> None:
    whole, chunked = (World().client() for _ in range(2))
    for client in (whole, chunked):
        client.attach()
        client.say(run(READ), frontend.describe(frontend.STATEMENT, b""), run(WRITE if write else READ), SYNC)
    whole.settle()
    said = chunked.origin.answer()
    at = 0
    for cut in [*cuts, len(said)]:
        chunked.session.origin_received(said[at : at + cut], chunked.world.clock.now)
        at += cut
    assert b"".join(chunked.port.writes) == b"".join(whole.port.writes)
    assert chunked.last == whole.last
