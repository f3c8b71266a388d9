"""What a hostile reader of the rules would try, as conversations moved on by hand."""

from __future__ import annotations

from proxy.wire import frontend
from tests.proxy.session.world import OTHER_READ, READ, SYNC, World, rerun, run


def test_a_remembered_prepared_read_does_not_overtake_an_earlier_reply() -> None:
    client = World().client()
    for _ in range(2):
        client.ask(run(READ, b"s"), SYNC)
        client.ask(frontend.close(frontend.STATEMENT, b"s"), SYNC)
    client.ask(run(READ, b"s"), SYNC)
    client.say(frontend.query(OTHER_READ))
    client.say(rerun(b"s"), SYNC)
    assert client.told() == ""
