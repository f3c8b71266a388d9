"""What a hostile reader of the rules would try, as conversations moved on by hand."""

from __future__ import annotations

import pytest

from proxy.cache import tags
from proxy.errors import OriginUnreachable
from proxy.session.port import CATALOGUE, ORIGIN
from proxy.sql.analysis import ResetSetting
from proxy.wire import backend, frontend
from tests.proxy.session import sky
from tests.proxy.session.world import (
    BASELINE,
    FLUSH,
    OTHER_READ,
    READ,
    SYNC,
    USER,
    WRITE,
    World,
    a_state,
    rerun,
    run,
)

ANSWER = "T D:0 C:SELECT 1 Z:I"


@pytest.mark.soundness("2.8")
def test_a_remembered_prepared_read_does_not_overtake_an_earlier_reply() -> None:
    client = World().client()
    for _ in range(2):
        client.ask(run(READ, b"s"), SYNC)
        client.ask(frontend.close(frontend.STATEMENT, b"s"), SYNC)
    client.ask(run(READ, b"s"), SYNC)
    client.say(frontend.query(OTHER_READ))
    client.say(rerun(b"s"), SYNC)
    assert client.told() == ""


def test_a_batch_refused_for_want_of_an_origin_prepares_nothing() -> None:
    client = World().client()
    client.say(run(READ, b"s"), SYNC)
    client.session.origin_failed(OriginUnreachable("the origin cannot be reached"), 0.0)
    assert client.told() == "E:08006 Z:I"
    client.ask(run(READ, b"s"), SYNC)
    assert [word for word in client.heard() if word.startswith("P")] == [f"Ps:{READ.decode()}"]


@pytest.mark.soundness("3.3")
def test_settings_read_again_are_in_doubt_without_an_origin_as_well() -> None:
    world = World()
    world.client().remember()
    client = world.client()
    client.session.doubt_settings()
    client.say(frontend.query(READ))
    assert client.waits_for(ORIGIN)


@pytest.mark.soundness("3.3")
def test_what_reset_goes_back_to_is_in_doubt_once_the_configuration_was_read_again() -> None:
    state = a_state()
    state.probed(1, USER, USER, BASELINE, first=True)
    state.reloaded()
    state.probed(1, USER, USER, BASELINE, first=False)
    assert state.refusal() == ""
    state.apply(ResetSetting("search_path"), in_transaction=False)
    assert state.refusal() == "doubt"


def test_a_write_whose_client_left_before_sync_holds_nothing_at_the_origin() -> None:
    client = World().client()
    client.ask(frontend.query(OTHER_READ))
    client.say(run(WRITE), FLUSH)
    client.answer()
    assert not client.session.client_gone(0.0)


def test_a_write_waits_for_the_catalogue_rather_than_reach_everything() -> None:
    world = World()
    client = world.client()
    client.ask(frontend.query(OTHER_READ))
    catalogue = world.database.catalogue
    world.learn(None)
    client.say(frontend.query(WRITE))
    assert client.waits_for(CATALOGUE)
    world.learn(catalogue)
    client.settle()
    assert not client.session.state.doubt


@pytest.mark.soundness("3.6")
def test_a_statement_that_only_we_know_is_refused_once_its_table_has_other_columns() -> None:
    world = World()
    filler, client = world.client(), world.client()
    filler.ask(run(READ), SYNC)
    assert "E:" not in client.ask(run(READ, b"s"), SYNC)
    altered = sky.table(sky.PLANET, "planet", ("id", 23), ("name", 25), ("mass", 23))
    world.memory.drop(tags.whole(sky.DATABASE), "ddl")
    world.learn(sky.catalogue(altered, fingerprint="second"))
    assert client.ask(rerun(b"s"), SYNC) == "E:0A000 Z:I"
    assert "E:" not in client.ask(run(READ, b"t"), SYNC)


@pytest.mark.soundness("2.7")
def test_a_portal_that_the_memory_answered_hides_an_older_one_of_the_origin() -> None:
    world = World()
    client = world.client()
    world.client().ask(run(READ), SYNC)
    client.query(b"BEGIN", b"SAVEPOINT a")
    assert client.ask(run(READ), SYNC).endswith("Z:T")
    client.heard()
    client.say(frontend.execute(b""), SYNC)
    assert client.heard()[:2] == ["C", "E"]


def test_what_follows_a_refused_message_is_skipped_up_to_its_sync() -> None:
    client = World().client()
    client.say(frontend.parse(b"", READ), FLUSH)
    client.session.origin_failed(OriginUnreachable("nobody there"), 0.0)
    assert client.told() == "E:08006"
    client.say(rerun(b""), SYNC)
    assert client.told() == "Z:I"
    assert client.query(READ) == ANSWER


def test_the_origins_last_words_reach_the_client_in_the_middle_of_a_question_of_ours() -> None:
    client = World().client()
    client.ask(frontend.query(OTHER_READ))
    client.session.doubt_settings()  # the question is on its way
    parting = backend.error_response("FATAL", "57P01", "terminating connection due to administrator command")
    client.session.origin_received(parting, 0.0)
    client.session.origin_lost(0.0)
    assert client.told() == "E:57P01"
