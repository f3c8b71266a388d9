"""session.introductions: the origin hears of statements before what may change their meaning."""

from __future__ import annotations

import pytest

from proxy.wire import frontend
from tests.doubles.origin import Refusal
from tests.proxy.session.world import (
    OTHER_READ,
    READ,
    SYNC,
    WRITE,
    Conversation,
    World,
    rerun,
    run,
)

QUERY = frontend.query


def with_known_statement(world: World, name: bytes = b"s") -> Conversation:
    """A client whose only prepared statement was answered from memory: the origin has not heard of it."""
    world.client().ask(run(READ), SYNC)
    client = world.client()
    assert client.ask(run(READ, name), SYNC) == "1 2 T D:0 C:SELECT 1 Z:I"
    assert client.heard() == []
    client.attach()
    return client


def test_a_statement_known_only_here_is_parsed_late_when_its_run_must_go_to_the_origin() -> None:
    world = World()
    client = with_known_statement(world)
    world.client().query(WRITE)
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:1 C:SELECT 1 Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "B", "D", "E", "S"]
    world.client().query(WRITE)
    client.ask(rerun(b"s"), SYNC)
    assert client.heard() == ["B", "D", "E", "S"]


def test_describe_of_a_statement_known_only_here_parses_it_late() -> None:
    client = with_known_statement(World())
    assert client.ask(frontend.describe(frontend.STATEMENT, b"s"), SYNC) == "t T Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "D", "S"]


@pytest.mark.soundness("3.5")
def test_statements_known_only_here_are_introduced_before_a_set() -> None:
    client = with_known_statement(World())
    assert client.query(b"SET search_path = other") == "C:SET Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "S", "SET search_path = other"]


def test_a_failing_introduction_touches_nothing_of_the_clients() -> None:
    client = with_known_statement(World())
    client.origin.faults[b"PARSE " + READ] = Refusal("42P01")
    assert client.query(b"SET search_path = other") == "C:SET Z:I"


@pytest.mark.parametrize("text", [b"SET search_path = other", b"SELECT mystery()"])
def test_a_statement_that_its_own_batch_brings_is_parsed_once(text: bytes) -> None:
    client = World().client()
    client.attach()
    assert client.ask(run(text, b"s"), SYNC).startswith("1 2")
    assert [word for word in client.heard() if word.startswith("Ps:")] == [f"Ps:{text.decode()}"]


def test_a_name_in_use_only_here_is_refused_by_the_origin_itself() -> None:
    client = with_known_statement(World())
    assert client.ask(frontend.parse(b"s", OTHER_READ), SYNC) == "E:42P05 Z:I"
    assert client.heard() == ["Ps:SELECT name FROM planet", "Ps:SELECT name FROM star", "S"]
    assert client.ask(rerun(b"s"), SYNC) == "2 T D:0 C:SELECT 1 Z:I"
