"""session.here: what is answered without the origin, in its turn."""

from __future__ import annotations

from proxy.errors import ClientFault
from proxy.wire import frontend
from tests.proxy.session.world import READ, SYNC, World, run

QUERY = frontend.query


def test_sync_alone_is_answered_here_while_there_is_no_origin() -> None:
    client = World().client()
    assert client.ask(SYNC) == "Z:I"
    assert client.port.asked == []


def test_a_command_of_ours_is_answered_in_its_turn() -> None:
    client = World().client()
    client.attach()
    client.say(QUERY(READ), QUERY(b"SHOW orrery.status"))
    assert client.told() == ""
    client.settle()
    assert client.told().startswith("T D:0 C:SELECT 1 Z:I T D:")


def test_a_command_of_ours_that_fails_ends_its_batch() -> None:
    client = World().client()
    said = run(b"ORRERY PURGE") + run(b"SHOW orrery.status")
    client.port.purge_fault = ClientFault("no")
    assert client.ask(said, SYNC) == "1 2 n E:08P01 Z:I"
    assert client.heard() == []
