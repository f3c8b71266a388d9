"""session.block: a BEGIN that was answered, and of which the origin has not heard."""

from __future__ import annotations

import pytest

from proxy.errors import OriginUnreachable
from proxy.session import block
from proxy.session.port import CERTAINTY, FLIGHT, ORIGIN
from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.doubles.origin import Refusal
from tests.proxy.session.test_tenancy import Turns, another, is_free
from tests.proxy.session.world import OTHER_READ, READ, WRITE, Conversation, World, learnt, run

pytestmark = pytest.mark.soundness("4.5")

SYNC = frontend.SYNC_FRAME
BEGIN = ["C", "Porrery_begin:BEGIN", "B", "E", "C", "C", "H"]


def a_client(world: World | None = None) -> Conversation:
    """One who finds READ in the memory, and has said nothing yet."""
    world = world or World()
    world.client().query(READ)
    return world.client()


def test_a_block_of_answers_from_memory_is_unknown_to_the_origin() -> None:
    client = a_client()
    assert client.query(b"BEGIN", READ, b"COMMIT") == "C:BEGIN Z:T T D:0 C:SELECT 1 Z:T C:COMMIT Z:I"
    assert client.heard() == []
    assert "need_origin" not in client.port.asked
    assert client.world.counters.blocks_withdrawn == 1


def test_blocks_of_answers_from_memory_in_one_packet_are_answered_with_one_write() -> None:
    client = a_client()
    client.query(b"BEGIN", READ, b"COMMIT")  # from here on the texts are known
    client.told()
    writes = len(client.port.writes)
    block = frontend.query(b"BEGIN") + frontend.query(READ) + frontend.query(b"COMMIT")
    assert client.ask(block + block) == " ".join(["C:BEGIN Z:T T D:0 C:SELECT 1 Z:T C:COMMIT Z:I"] * 2)
    assert len(client.port.writes) == writes + 1
    assert client.heard() == []


def test_a_packet_whose_block_meets_a_miss_opens_it_there() -> None:
    client = a_client()
    client.query(b"BEGIN", READ, b"COMMIT")
    client.attach()
    client.told()
    block = frontend.query(b"BEGIN") + frontend.query(OTHER_READ) + frontend.query(b"COMMIT")
    assert client.ask(block) == "C:BEGIN Z:T T D:0 C:SELECT 1 Z:T C:COMMIT Z:I"
    assert client.heard() == [*BEGIN, OTHER_READ.decode(), "COMMIT"]


@pytest.mark.parametrize(
    ("begin", "end", "tags"),
    [
        (b"begin work;", b"end", ("BEGIN", "COMMIT")),
        (b"START TRANSACTION", b"ABORT", ("START TRANSACTION", "ROLLBACK")),
        (b"BEGIN READ ONLY", b"rollback", ("BEGIN", "ROLLBACK")),
        (b"BEGIN ISOLATION LEVEL READ COMMITTED", b"COMMIT AND NO CHAIN", ("BEGIN", "COMMIT")),
    ],
)
def test_its_forms_are_answered_in_postgresql_s_words(
    begin: bytes, end: bytes, tags: tuple[str, str]
) -> None:
    client = a_client()
    assert client.query(begin, end) == f"C:{tags[0]} Z:T C:{tags[1]} Z:I"
    assert client.heard() == []


def test_by_the_extended_protocol_it_is_answered_as_well() -> None:
    client = a_client()
    client.world.client().ask(run(READ), SYNC)
    bare = frontend.parse(b"", b"BEGIN") + frontend.bind(b"", b"") + frontend.execute(b"")
    assert client.ask(bare, SYNC) == "1 2 C:BEGIN Z:T"
    assert client.ask(run(READ), SYNC) == "1 2 T D:0 C:SELECT 1 Z:T"
    assert client.ask(run(b"COMMIT"), SYNC) == "1 2 n C:COMMIT Z:I"
    assert client.heard() == []


@pytest.mark.parametrize(
    "begin",
    [
        b"BEGIN ISOLATION LEVEL REPEATABLE READ",
        b"BEGIN; SELECT 1",
        b"SELECT 1; BEGIN",
    ],
)
def test_other_beginnings_go_to_the_origin(begin: bytes) -> None:
    client = a_client()
    assert client.query(begin).endswith("Z:T")
    assert client.heard() == [begin.decode()]


def test_under_another_default_it_goes_to_the_origin() -> None:
    client = World().client(default_transaction_isolation="serializable")
    client.query(b"BEGIN")
    assert client.heard() == ["BEGIN"]


def test_where_notifications_may_come_it_goes_to_the_origin() -> None:
    client = a_client()
    client.query(b"LISTEN news")
    client.heard()
    client.query(b"BEGIN")
    assert client.heard() == ["BEGIN"]


def test_what_the_origin_must_answer_goes_behind_it_in_one_flight() -> None:
    client = a_client()
    client.query(b"BEGIN", READ)
    client.say(frontend.query(WRITE))
    client.attach()
    assert client.heard() == [*BEGIN, WRITE.decode()]
    assert len(client.origin.writes) == 1
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:T"
    assert client.world.data.number == 0
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"
    assert client.world.data.number == 1
    assert client.world.counters.blocks_opened == 1


def test_a_pipeline_goes_behind_it_as_well() -> None:
    client = a_client()
    client.query(b"BEGIN")
    assert client.ask(run(WRITE), run(READ), SYNC) == "1 2 n C:UPDATE 1 1 2 T D:1 C:SELECT 1 Z:T"
    assert client.heard()[:7] == BEGIN
    assert client.query(b"ROLLBACK", READ) == "C:ROLLBACK Z:I T D:0 C:SELECT 1 Z:I"


@pytest.mark.parametrize("asked", [frontend.query(READ), run(READ) + SYNC])
def test_what_is_remembered_of_the_flight_that_begins_it_is_the_answer_alone(asked: bytes) -> None:
    world = World()
    client, other = world.client(), world.client()
    client.query(b"BEGIN")
    told = client.ask(asked)
    assert client.last == ("fill", "")
    assert other.ask(asked) == told.replace("Z:T", "Z:I")
    assert other.last[0] == "hit"


def test_each_read_of_the_flight_that_begins_it_is_remembered_under_its_own_key() -> None:
    world = World()
    client, other = world.client(), world.client()
    client.query(b"BEGIN")
    client.say(run(READ), run(OTHER_READ), SYNC)
    client.attach()
    client.answer(13)  # up to the first read's rows
    world.data.number = 7
    client.settle()
    told = client.told()
    assert other.ask(run(READ), SYNC).split()[3] == told.split()[3] == "D:0"
    assert other.ask(run(OTHER_READ), SYNC).split()[3] == told.split()[9] == "D:7"
    assert world.counters.hit == 2


def test_statements_that_only_the_memory_has_run_are_made_known_before_it() -> None:
    world = World()
    world.client().ask(run(READ, b"s"), SYNC)
    for in_time in (False, True):
        client = world.client()
        client.ask(run(READ, b"s"), SYNC)
        client.query(b"BEGIN")
        assert client.heard() == []
        if in_time:
            client.session.open_block(world.clock.now + 1.0)
            client.settle()
        client.query(b"DEALLOCATE s")
        said = client.heard()
        assert said.index("Ps:SELECT name FROM planet") < said.index("Porrery_begin:BEGIN")


def test_after_a_write_of_its_own_the_memory_is_silent_in_the_block() -> None:
    client = a_client()
    assert client.query(b"BEGIN", WRITE, READ).endswith("T D:1 C:SELECT 1 Z:T")
    assert client.query(b"ROLLBACK").endswith("Z:I")


def test_its_writes_are_dropped_from_memory_at_its_commit() -> None:
    world = World()
    client, other = a_client(world), world.client()
    client.query(b"BEGIN", WRITE)
    assert other.query(READ) == "T D:0 C:SELECT 1 Z:I"
    client.query(b"COMMIT")
    assert other.query(READ) == "T D:1 C:SELECT 1 Z:I"


@pytest.mark.parametrize(
    "follows",
    [
        frontend.query(WRITE),
        run(WRITE) + SYNC,
        (run(WRITE) + SYNC) * 2,
        frontend.query(WRITE) * 2 + SYNC + frontend.query(WRITE),
    ],
    ids=["query", "extended", "pipelined", "queries"],
)
def test_if_it_fails_what_follows_does_not_run_and_the_session_ends(follows: bytes) -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(follows)
    client.origin.faults[b"BEGIN"] = Refusal("57014")
    client.attach()
    with pytest.raises(OriginUnreachable):
        client.settle()
    client.session.origin_lost(0.0)
    assert client.told() == "E:57014"
    assert client.port.asked[-1] == "close_client"
    while client.origin.has_work:  # what had been sent is carried out all the same
        client.origin.answer()
    assert (client.world.data.number, client.origin.pending) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "told"), [(b"", "E:08006"), (b"M\xff\0C57014\0", "E:57014"), (b"C\xff\0", "E:\\xff")]
)
def test_whatever_its_error_says_the_session_ends(fields: bytes, told: str) -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(frontend.query(WRITE))
    client.attach()
    with pytest.raises(OriginUnreachable):
        client.session.origin_received(compose(ord("E"), fields + b"\0"), 0.0)
    client.session.origin_lost(0.0)
    assert client.told() == told


def test_without_a_connection_the_session_ends() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(frontend.query(WRITE), frontend.query(WRITE))
    assert client.waits_for(ORIGIN)
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"
    assert not client.session.waiting_for


def test_a_connection_that_goes_before_it_was_needed_is_not_missed() -> None:
    client = a_client()
    client.query(WRITE, READ, b"BEGIN")
    client.session.origin_lost(0.0)
    assert client.told() == ""
    assert client.query(READ) == "T D:1 C:SELECT 1 Z:T"


def test_in_time_the_origin_hears_of_it() -> None:
    client = a_client()
    client.query(b"BEGIN", READ)
    assert client.port.asked[-1] == f"hold_block {block.HOLD_SECONDS:g}"
    assert client.session.open_block(client.world.clock.now + 0.04) == pytest.approx(0.06)
    assert client.session.open_block(client.world.clock.now + 0.1) == 0.0
    assert client.port.asked[-1] == "need_origin"
    client.attach()
    assert client.heard() == [*BEGIN, "S"]
    client.say(frontend.query(WRITE))
    assert client.waits_for(CERTAINTY)
    assert client.heard() == []
    client.settle()
    assert client.told() == "C:UPDATE 1 Z:T"
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"


def test_in_time_it_is_sent_over_a_connection_that_is_there() -> None:
    client = a_client()
    client.query(WRITE, b"BEGIN")
    client.heard()
    assert client.session.open_block(client.world.clock.now + 1.0) == 0.0
    client.settle()
    assert client.heard() == [*BEGIN, "S"]
    assert client.query(READ, b"ROLLBACK") == "T D:1 C:SELECT 1 Z:T C:ROLLBACK Z:I"


def test_a_block_that_is_over_is_not_opened() -> None:
    client = a_client()
    client.query(b"BEGIN", b"COMMIT")
    assert client.session.open_block(client.world.clock.now + 1.0) == 0.0
    assert client.heard() == []


def test_while_it_waits_for_a_connection_the_memory_answers_and_it_may_be_withdrawn() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.session.open_block(client.world.clock.now + 1.0)
    assert client.query(READ, b"COMMIT") == "T D:0 C:SELECT 1 Z:T C:COMMIT Z:I"
    assert client.port.asked[-1] == "withdraw_origin"
    assert client.heard() == []


def test_a_connection_that_comes_too_late_is_given_back() -> None:
    turns = Turns()
    client = turns.client()
    client.query(b"BEGIN")
    client.session.open_block(turns.world.clock.now + 1.0)
    client.session.uplink.abort_transaction()
    client.attach()
    assert client.heard() == []
    assert is_free(client)


def test_a_connection_that_fails_in_time_ends_nothing_yet() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.session.open_block(client.world.clock.now + 1.0)
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.query(READ) == "T D:0 C:SELECT 1 Z:T"
    client.say(frontend.query(WRITE))
    assert client.port.asked.count("need_origin") == 2
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006"
    assert client.port.asked[-1] == "close_client"
    asked = len(client.port.asked)
    client.session.open_block(client.world.clock.now + 2.0)
    client.say(frontend.query(WRITE))
    assert client.port.asked[asked:] == []


def test_a_statement_that_waits_behind_it_for_a_connection_asks_once_and_can_be_cancelled() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.session.open_block(client.world.clock.now + 1.0)
    client.say(frontend.query(WRITE))
    assert client.port.asked.count("need_origin") == 1
    assert client.session.may_give_up
    client.session.cancel_waiting(0.0)
    assert client.told() == "E:57014 Z:E"
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"


def test_a_command_of_ours_waits_until_the_origin_has_begun() -> None:
    client = a_client()
    client.query(b"BEGIN")
    assert client.ask(frontend.query(b"SHOW orrery.nonsense")).startswith("E:")
    client.settle()
    assert client.query(READ) == "E:25P02 Z:E"
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"


def a_failed_client(world: World, monkeypatch: pytest.MonkeyPatch | None = None) -> Conversation:
    """One whose block has failed before the origin has heard of it; with ``monkeypatch`` a connection for it
    is on its way, as it comes with --pool session.
    """
    leader, client = world.client(), world.client()
    client.query(b"BEGIN")
    if monkeypatch is not None:
        monkeypatch.setattr(client.port, "withdraw_origin", lambda: False)
        client.session.open_block(world.clock.now + 1.0)
    leader.say(frontend.query(READ))
    leader.attach()
    client.say(frontend.query(READ))
    assert client.waits_for(FLIGHT)
    client.session.cancel_waiting(0.0)
    assert client.told() == "E:57014 Z:E"
    return client


def test_an_error_of_ours_fails_the_block() -> None:
    client = a_failed_client(World())
    assert client.session.open_block(client.world.clock.now + 1.0) == 0.0
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"
    assert client.heard() == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (frontend.query(READ), "E:25P02 Z:E"),
        (run(WRITE) + SYNC, "E:25P02 Z:E"),
        (frontend.query(b"ROLLBACK; SELECT 1"), "C:ROLLBACK T D:0 C:SELECT 1 Z:I"),
        (frontend.close(frontend.STATEMENT, b"x") + run(b"ROLLBACK") + SYNC, "3 1 2 n C:ROLLBACK Z:I"),
        (run(b"ROLLBACK", b"named") + SYNC, "1 2 n C:ROLLBACK Z:I"),
        (SYNC, "Z:E"),
    ],
    ids=["read", "write", "several", "with a Close", "by name", "nothing"],
)
def test_in_a_failed_block_the_origin_has_the_say(said: bytes, told: str) -> None:
    client = a_failed_client(World())
    assert client.ask(said) == told


def test_a_sync_alone_opens_nothing() -> None:
    client = a_client()
    client.query(WRITE, READ, b"BEGIN")
    client.heard()
    assert client.ask(SYNC) == "Z:T"
    client.session.uplink.abort_transaction()
    assert client.ask(SYNC) == "Z:E"
    assert client.heard() == []


def test_a_cancel_does_not_forget_a_connection_that_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    client = a_failed_client(World(), monkeypatch)
    assert client.query(b"ROLLBACK") == "C:ROLLBACK Z:I"
    client.say(frontend.query(WRITE))
    assert client.port.asked.count("need_origin") == 1


def test_a_failed_block_that_ends_behind_a_question_of_ours_is_rolled_back() -> None:
    client = a_client()
    client.query(WRITE, b"BEGIN")
    client.session.uplink.abort_transaction()
    client.session.uplink._ask_state()
    assert client.query(b"COMMIT") == "C:ROLLBACK Z:I"


def test_doubts_that_came_up_meanwhile_are_settled_after_it() -> None:
    client = a_client()
    client.query(WRITE, b"BEGIN")
    client.heard()
    client.session.doubt_settings()
    assert client.heard() == []
    assert client.query(b"COMMIT") == "C:COMMIT Z:I"
    assert "probe" in " ".join(client.heard())


def test_settings_of_the_block_are_undone_with_it() -> None:
    world = World()
    client = a_client(world)
    client.query(b"BEGIN", b"SET search_path = other", b"ROLLBACK")
    assert client.session.state.value("search_path") == '"$user", public'
    client.query(b"BEGIN", b"SET search_path = other", b"COMMIT")
    assert client.session.state.value("search_path") == "other"


def test_the_connection_s_own_default_decides_how_it_is_isolated() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.origin.learnt = learnt({"default_transaction_isolation": "repeatable read"})
    assert (
        client.query(b"SAVEPOINT a", b"RELEASE a", READ)
        == "C:SAVEPOINT Z:T C:RELEASE Z:T T D:0 C:SELECT 1 Z:T"
    )
    assert client.last == ("bypass", "isolation")


def test_a_cancel_waits_until_it_has_begun() -> None:
    client = a_client()
    client.query(b"BEGIN")
    client.say(frontend.query(WRITE))
    client.attach()
    assert not client.session.may_be_cancelled()
    client.answer(3)
    assert "pass_on_cancel" not in client.port.asked
    client.answer(1)
    assert client.port.asked[-1] == "pass_on_cancel"
    assert client.session.may_be_cancelled()


def test_a_cancel_waits_for_what_goes_before_it_as_well() -> None:
    turns = Turns()
    other, client = turns.client(), turns.client()
    other.origin = another(turns)
    other.ask(run(READ, b"s"), SYNC)
    client.ask(run(READ, b"s"), SYNC)
    client.query(b"BEGIN")
    client.say(frontend.query(b"SET search_path = other"))
    client.attach()
    assert not client.session.may_be_cancelled()


def test_a_connection_that_nobody_needs_any_more_is_given_back() -> None:
    turns = Turns()
    other, client = turns.client(), turns.client()
    other.origin = another(turns)
    client.query(b"BEGIN")
    client.say(frontend.query(READ))
    assert client.waits_for(ORIGIN)
    other.query(READ)
    client.attach()
    assert client.told() == "T D:0 C:SELECT 1 Z:T"
    assert is_free(client)
