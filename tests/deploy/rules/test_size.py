"""How large a service is: each rule, by a mistake planted into the project's own manifest."""

from __future__ import annotations

import pytest

from deploy.check import mistakes
from deploy.document import read
from tests.deploy.planted import MANIFEST, ROOT, planted, said

CACHE = "services[0].definition"
TYPE = '{scopes: ["region:was", "region:fra"], type: micro}'
SCALING = '{scopes: ["region:was"], min: 1, max: 1}'


def test_a_scope_names_a_region_of_the_service() -> None:
    found = planted(f"- {SCALING}", f'- {SCALING}\n        - {{scopes: ["region:sin"], min: 1, max: 1}}')
    assert [each.partition(": ")[2] for each in found] == [
        f"{CACHE}.scalings[1].scopes[0]: sin is not among the regions of this service"
    ]


def test_a_scope_says_that_it_is_a_region() -> None:
    found = planted(f"- {SCALING}", f'- {SCALING}\n        - {{scopes: ["was"], min: 1, max: 1}}')
    assert any("scalings[1].scopes[0]: was is no scope: region:NAME is expected" in each for each in found)


def test_each_region_has_an_instance_type() -> None:
    assert said(TYPE, '{scopes: ["region:was"], type: micro}') == (
        f"{CACHE}.instance_types: fra has no instance type"
    )
    assert said(f"- {TYPE}", f'- {TYPE}\n        - {{scopes: ["region:fra"], type: nano}}') == (
        f"{CACHE}.instance_types[1]: fra has another instance type already"
    )


def test_an_entry_without_scopes_is_for_all_regions() -> None:
    assert planted(TYPE, "{type: micro}") == []


def test_an_instance_type_is_one_of_koyebs() -> None:
    assert said("type: micro", "type: tiny").startswith(
        f"{CACHE}.instance_types[0].type: tiny is no instance type: there are free, "
    )
    assert said(", type: micro", "") == f"{CACHE}.instance_types[0].type: the type is missing"


def test_an_instance_type_is_offered_in_its_regions() -> None:
    assert planted("type: micro", "type: eco-micro") == []
    moved = MANIFEST.replace("was", "par").replace("micro", "eco-micro")
    found = [str(mistake) for mistake in mistakes(read(moved), ROOT)]
    assert [each.partition(": ")[2] for each in found] == [
        f"services[{number}].definition.instance_types[0].type: eco-micro is not offered in par"
        for number in (0, 1)
    ]


def test_no_free_instance_stands_in_the_mesh() -> None:
    reason = f"{CACHE}.instance_types[0].type: a free instance is no part of the service mesh: "
    assert said("type: micro", "type: free") == reason + "take nano or larger"
    assert planted("type: micro", "type: free", "api")  # the api reaches the cache through it


def test_outside_the_mesh_an_instance_may_be_free() -> None:
    found = planted(f"- {TYPE}", f"- {TYPE.replace('micro', 'free')}\n      mesh: DEPLOYMENT_MESH_DISABLED")
    assert found == []


def test_min_is_not_above_max() -> None:
    assert said(SCALING, '{scopes: ["region:was"], min: 3, max: 2}') == (
        f"{CACHE}.scalings[0].min: min 3 is above max 2"
    )


@pytest.mark.parametrize(("low", "high", "key"), [(1, 21, "max"), (-1, 1, "min")])
def test_a_scale_keeps_the_bounds_of_the_form(low: int, high: int, key: str) -> None:
    found = planted(SCALING, f'{{scopes: ["region:was"], min: {low}, max: {high}}}')
    assert any(
        f"scalings[0].{key}: {high if key == 'max' else low} is not from 0 to 20" in each for each in found
    )


def test_a_scaling_has_both_ends() -> None:
    assert (
        said(SCALING, '{scopes: ["region:was"], max: 1}') == f"{CACHE}.scalings[0].min: the number is missing"
    )


def test_a_range_says_when_to_scale() -> None:
    assert said(SCALING, '{scopes: ["region:was"], min: 1, max: 3}') == (
        f"{CACHE}.scalings[0]: nothing says when to scale: targets are missing"
    )
    targets = "targets: [{average_cpu: {value: 80}}]"
    assert planted(SCALING, f'{{scopes: ["region:was"], min: 1, max: 3, {targets}}}') == []


def test_each_region_has_a_scaling() -> None:
    found = planted(SCALING, '{scopes: ["region:fra"], min: 1, max: 1}')
    assert [each.partition(": ")[2] for each in found] == [
        f"{CACHE}.scalings: was has no scaling",
        f"{CACHE}.scalings[1]: fra has another scaling already",
    ]


def test_what_only_the_mesh_reaches_never_sleeps() -> None:
    zero = SCALING.replace("min: 1", "min: 0")
    assert said(SCALING, zero) == (
        f"{CACHE}.scalings[0].min: traffic inside the mesh wakes nobody: without a route, min is 1 or more"
    )
    assert planted(SCALING, zero, "api") == []


def test_volumes_and_several_regions_exclude_each_other() -> None:
    assert said("ports:", "volumes: [{id: v, path: /data}]\n      ports:") == (
        f"{CACHE}.volumes: a service in several regions cannot have volumes"
    )
