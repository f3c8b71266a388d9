"""stage: the app's port is demanded, and addresses move to where the relay and the proxy are."""

from __future__ import annotations

import socket

import pytest

from tools.stage.children import Stop
from tools.stage.errors import Misused, PartFailed
from tools.stage.stage import Stage, demand_free, moved


def test_a_taken_port_is_refused_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misused, match=rf"port {port} cannot be had .* PORT="):
            demand_free(port)
    demand_free(port)


def test_an_address_moves_to_another_port_and_keeps_the_rest() -> None:
    assert (
        moved("postgresql://a:b%40c@127.0.0.1:5432/d?e=f", 15432)
        == "postgresql://a:b%40c@127.0.0.1:15432/d?e=f"
    )


def test_a_program_sees_what_it_is_given_and_nothing_of_the_callers_own_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("LOCUST_USERS", "9")
    with Stage(0, Stop()) as stage:
        program = stage.begin("env", ["env"], DATABASE_URL="postgresql://here")
        while not program.has_finished():
            pass
        assert program.told("(DATABASE_URL=.*)") == "DATABASE_URL=postgresql://here"
        assert program.told("(PGPASSWORD|LOCUST_USERS)") is None


def test_a_program_that_is_to_stay_is_missed_when_it_ends() -> None:
    with Stage(0, Stop()) as stage:
        stage.start("the clock", ["sh", "-c", "echo stopped; exit 3"])
        with pytest.raises(PartFailed, match=r"(?s)^the clock ended .*stopped$"):
            stage.watch()
