"""What a service is: each rule, by a mistake planted into the project's own manifest."""

from __future__ import annotations

import pytest

from tests.deploy.planted import planted, said

DEFINITION = "services[0].definition"


@pytest.mark.parametrize("name", ["Planets", "pl", "-planets", "planets_app", "p" * 65])
def test_the_apps_name_is_a_slug(name: str) -> None:
    reason = said("name: planets", f'name: "{name}"')
    assert reason == (f"app.name: {name} is no name: 3 to 64 lower-case letters, digits and inner dashes are")


def test_a_missing_name_is_told() -> None:
    assert said("name: planets", "life_cycle: {delete_when_empty: true}") == "app.name: the name is missing"


def test_two_services_cannot_have_one_name() -> None:
    found = planted("name: api", "name: cache")
    assert [each.partition(": ")[2] for each in found] == [
        f"services[{number}].definition.name: another service is called cache too" for number in (0, 1)
    ]


def test_a_manifest_without_services_makes_nothing() -> None:
    assert "services: there is no service" in planted("services:", "services: []\nunknown:")[0]


def test_the_type_must_be_said() -> None:
    assert said("type: WEB  # a WORKER", "# a WORKER") == (
        f"{DEFINITION}.type: the type is missing, and its default is INVALID: say WEB or WORKER"
    )
    assert said("type: WEB", "type: SANDBOX") == (
        f"{DEFINITION}.type: SANDBOX is nothing to deploy: say WEB or WORKER"
    )


def test_a_service_has_exactly_one_source() -> None:
    sources = "docker, git, archive, database"
    assert said("git:", "docker: {image: koyeb/demo}\n      git:", "cache") == (
        f"{DEFINITION}: exactly one of {sources} is expected, not docker and git"
    )


def test_a_repository_carries_its_provider() -> None:
    assert said("repository: github.com/ORG/REPO", "repository: ORG/REPO") == (
        f"{DEFINITION}.git.repository: a repository of the form github.com/ORG/REPO is expected"
    )


def test_a_source_is_built_in_one_way_at_one_point() -> None:
    assert said("branch: main", "branch: main\n        buildpack: {build_command: make}") == (
        f"{DEFINITION}.git: docker and buildpack are two ways of building: give one"
    )
    assert said("branch: main", "branch: main\n        tag: v1") == (
        f"{DEFINITION}.git: exactly one of branch, tag and sha is expected"
    )


def test_a_region_is_one_of_koyebs() -> None:
    found = planted("regions: [was, fra]", "regions: [was, fra, lon]")
    assert any(
        "regions[2]: lon is no region: there are fra, par, sfo, sin, tyo, was" in each for each in found
    )


def test_a_region_stands_once_and_at_least_one_does() -> None:
    assert said("regions: [was, fra]", "regions: [was, fra, fra]") == (
        f"{DEFINITION}.regions[2]: fra stands here twice"
    )
    assert any("no region is given" in each for each in planted("regions: [was, fra]", "regions: []"))
