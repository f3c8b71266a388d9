"""The rehearsal: Koyeb's own SDK against the stand-in."""

from __future__ import annotations

import pytest

from deploy.document import Value, read
from deploy.rehearsal import Played, RehearsalFailed, play, same
from deploy.standin import LIFE, StandIn
from tests.deploy.planted import MANIFEST

TREE = read(MANIFEST).tree


def rehearse(outcomes: dict[str, str], attempts: int = 10) -> tuple[list[Played], Value]:
    with StandIn(outcomes) as api:
        return play(TREE, api.url, "token", pause_seconds=0.0, attempts=attempts), api.received


def test_the_whole_manifest_arrives_and_every_service_is_followed_to_its_end() -> None:
    played, received = rehearse({})
    assert [service.service for service in played] == ["cache", "api"]
    assert all(service.statuses == (*LIFE, "HEALTHY") and service.healthy for service in played)
    assert same(TREE, received)


@pytest.mark.parametrize("outcome", ["DEGRADED", "UNHEALTHY", "CANCELED", "STOPPED", "ERROR"])
def test_any_other_end_than_healthy_is_none(outcome: str) -> None:
    played, _ = rehearse({"api": outcome})
    assert [service.healthy for service in played] == [True, False]


def test_a_deployment_without_an_end_is_given_up() -> None:
    with pytest.raises(RehearsalFailed, match="after 3 questions the deployment is still SCHEDULED"):
        rehearse({}, attempts=3)


def test_an_api_that_refuses_is_told() -> None:
    with StandIn() as api, pytest.raises(RehearsalFailed, match=r"the API refused: \(400\)"):
        play(TREE, f"{api.url}/elsewhere", "token", pause_seconds=0.0, attempts=1)


def test_what_was_lost_or_added_on_the_way_is_seen() -> None:
    assert same({"a": [{"b": 1}]}, {"a": [{"b": 1, "mesh": "DEPLOYMENT_MESH_AUTO"}]})
    assert not same({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]})
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert not same({"mesh": "DEPLOYMENT_MESH_AUTO"}, {})
