"""session.runs: a batch runs what its texts say, and anything at all where that is not certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.session.runs import Runs
from proxy.sql.analysis import UNKNOWN, Extent
from proxy.wire import frontend
from tests.proxy.session.world import READ, WRITE, Conversation, World

if TYPE_CHECKING:
    from proxy.sql.analysis import Statement


def ran(client: Conversation, *texts: bytes, executed: bool = True) -> tuple[Statement, ...]:
    """What a batch with these texts, each parsed, bound and run, is taken for."""
    intake = client.session._intake
    for text in texts:
        intake.parse(frontend.parse(b"", text), client.session.outlook.scope)
        intake.bind(frontend.bind(b"", b""))
        if executed:
            intake.execute(frontend.execute(b""))
    return Runs(client.session).of(intake.finish())


def test_statements_come_in_their_order() -> None:
    found = ran(World().client(), READ, WRITE)
    assert [one.verb for one in found] == ["select", "update"]
    assert found[0].reach.extent == Extent.NOTHING
    assert found[1].reach.proven


def test_an_unknown_name_may_do_anything() -> None:
    client = World().client()
    intake = client.session._intake
    intake.bind(frontend.bind(b"", b"nobody"))
    intake.execute(frontend.execute(b""))
    (found,) = Runs(client.session).of(intake.finish())
    assert found.reach == UNKNOWN


def test_what_was_only_bound_counts_if_planning_may_run_code_of_users() -> None:
    client = World().client()
    assert ran(client, READ, executed=False) == ()
    assert not ran(client, b"SELECT mystery()", executed=False)[0].reach.proven


def test_behind_what_moves_the_meaning_of_names_everything_is_in_doubt() -> None:
    client = World().client()
    path, read = ran(client, b"SET search_path = elsewhere", READ)
    assert path.verb == "set"
    assert not read.reach.proven
    client.session.state.doubt = True
    assert not ran(client, READ)[0].reach.proven


def test_names_of_prepare_are_forgotten_with_the_catalogue_that_they_were_read_by() -> None:
    client = World().client()
    runs = Runs(client.session)
    runs.of(client.session._intake.finish())
    client.session.statements.sql_named["s"] = ran(client, READ)[0]
    runs.of(client.session._intake.finish())
    assert "s" in client.session.statements.sql_named
    client.world.learn(None)
    runs.of(client.session._intake.finish())
    assert not client.session.statements.sql_named
