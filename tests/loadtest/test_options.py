"""options: what can be used is taken, anything else is refused by name."""

from __future__ import annotations

import pytest

from loadtest.options import NAMES, Deployment, Options, read_options
from tools.stage.errors import Misused


def test_nothing_said_means_washington_to_frankfurt_with_one_percent_of_edits() -> None:
    options = read_options({"USERS": ""})
    assert options == Options(objectives=options.objectives)
    assert (options.distance_ms, options.writes) == (45, 1)


def test_everything_can_be_chosen() -> None:
    chosen = {
        "DISTANCE_MS": "0.5",
        "USERS": "30",
        "SECONDS": "5",
        "SEED": "7",
        "WRITES": "2.5",
        "EXTRA": "0",
        "WEB": "1",
    }
    options = read_options(chosen)
    assert options == Options(0.5, 30, 5, 7, 2.5, 0, options.objectives, web=True)
    assert set(chosen) < set(NAMES)


@pytest.mark.parametrize(
    ("name", "text"),
    [("DISTANCE_MS", "far"), ("USERS", "1"), ("USERS", "20.5"), ("SECONDS", "0"), ("SEED", "-1"),
     ("WRITES", "26"), ("EXTRA", "1e6"), ("WEB", "yes"), ("OBJECTIVES", "fast")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(Misused, match=f"^{name}={text} cannot be used"):
        read_options({name: text})


@pytest.mark.parametrize(
    "text",
    ["planets.example", "https://", "https://planets.example:port", "https://user:secret@planets.example"],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(Misused, match=r"^URL cannot be used: an address such as \S+ is expected$"):
        read_options({"URL": text})


def test_a_deployment_is_not_written_to_unless_that_is_asked_for() -> None:
    assert read_options({"URL": "https://planets.example/"}).writes == 0
    assert read_options({"URL": "https://planets.example", "WRITES": "1"}).writes == 1


def test_a_deployment_has_its_addresses_and_its_token() -> None:
    said = {
        "URL": "https://a.example/",
        "STATS_URL": "http://b.example/stats",
        "ORRERY_ADMIN_TOKEN": "secret",
    }
    deployment = read_options(said).deployment
    assert deployment == Deployment("https://a.example", "", "http://b.example/stats", "secret")
    assert "secret" not in repr(deployment)


@pytest.mark.parametrize(
    ("objective", "name"), [("hit_ratio>=0.9", "STATS_URL"), ("speedup>=20", "DIRECT_URL")]
)
def test_an_objective_that_could_not_be_judged_is_refused_before_the_run(objective: str, name: str) -> None:
    with pytest.raises(Misused, match=f"^OBJECTIVES={objective} cannot be judged without {name}$"):
        read_options({"URL": "https://planets.example", "OBJECTIVES": objective})


def test_what_goes_with_a_deployment_is_not_ignored_without_one() -> None:
    with pytest.raises(Misused, match="go with URL"):
        read_options({"STATS_URL": "http://b.example/stats"})
