"""What a hostile reader of the rules would try, as conversations moved on by hand."""

from __future__ import annotations

from proxy.errors import OriginUnreachable
from proxy.session.session import CATALOGUE, ORIGIN
from proxy.sql.analysis import ResetSetting
from proxy.wire import frontend
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


def test_settings_read_again_are_in_doubt_without_an_origin_as_well() -> None:
    world = World()
    world.client().remember()
    client = world.client()
    client.session.doubt_settings()
    client.say(frontend.query(READ))
    assert client.waits_for(ORIGIN)


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
