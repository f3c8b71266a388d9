"""How large a service is in each of its regions: scopes, instance types, scaling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.catalogue import FREE, INSTANCES, SCALE, offered
from deploy.document import Mistake, Spot

_SCOPED: Final = ("env", "scalings", "instance_types", "volumes")
_REGION: Final = "region:"


def scopes_lie_within_the_regions(service: Spot) -> Iterator[Mistake]:
    """A scope is region:NAME with a region of the service."""
    own = _regions(service)
    for scope in (scope for kind in _SCOPED for each in service[kind] for scope in each["scopes"]):
        if scope.text and not scope.text.startswith(_REGION):
            yield scope.wrong(f"{scope.text} is no scope: region:NAME is expected")
        elif scope.text and scope.text.removeprefix(_REGION) not in own:
            yield scope.wrong(f"{scope.text.removeprefix(_REGION)} is not among the regions of this service")


def every_region_has_one_instance_type(service: Spot) -> Iterator[Mistake]:
    """A known type, offered there, for each region once."""
    yield from _covered_once(service, "instance_types", "instance type")
    for each in service["instance_types"]:
        kind = each["type"]
        if not kind:
            yield kind.wrong("the type is missing")
        elif kind.text and kind.text not in INSTANCES:
            yield kind.wrong(f"{kind.text} is no instance type: there are {', '.join(INSTANCES)}")
        elif kind.text:
            for region in _meant(service, each):
                if region not in offered(kind.text):
                    yield kind.wrong(f"{kind.text} is not offered in {region}")


def nothing_in_the_mesh_is_free(service: Spot) -> Iterator[Mistake]:
    """A free instance is no part of the service mesh: neither reached through it, nor reaching others."""
    if service["mesh"].text == "DEPLOYMENT_MESH_DISABLED":
        return
    for each in service["instance_types"]:
        if each["type"].text == FREE:
            yield each["type"].wrong("a free instance is no part of the service mesh: take nano or larger")


def every_region_has_one_scaling(service: Spot) -> Iterator[Mistake]:
    """Two ends within the bounds and in order, for each region once; a target where they differ."""
    yield from _covered_once(service, "scalings", "scaling")
    for each in service["scalings"]:
        low, high = each["min"].number, each["max"].number
        for end in (each["min"], each["max"]):
            if not end:
                yield end.wrong("the number is missing")
            elif end.number is not None and not SCALE[0] <= end.number <= SCALE[1]:
                yield end.wrong(f"{end.number} is not from {SCALE[0]} to {SCALE[1]}")
        if high == 0:
            yield each["max"].wrong("max 0 deploys nothing")
        if low is None or high is None:
            continue
        if low > high:
            yield each["min"].wrong(f"min {low} is above max {high}")
        elif low != high and high > 1 and not each["targets"].value:
            yield each.wrong("nothing says when to scale: targets are missing")


def what_sleeps_can_be_woken(service: Spot) -> Iterator[Mistake]:
    """Only traffic from the Internet wakes a service that has been scaled to zero."""
    if service["routes"].value:
        return
    for each in service["scalings"]:
        if each["min"].number == 0:
            yield each["min"].wrong("traffic inside the mesh wakes nobody: without a route, min is 1 or more")


def volumes_stay_in_one_region(service: Spot) -> Iterator[Mistake]:
    """A volume lives on one machine."""
    if service["volumes"].value and len(_regions(service)) > 1:
        yield service["volumes"].wrong("a service in several regions cannot have volumes")


def _covered_once(service: Spot, kind: str, called: str) -> Iterator[Mistake]:
    covered: set[str] = set()
    for each in service[kind]:
        for region in _meant(service, each):
            if region in covered:
                yield each.wrong(f"{region} has another {called} already")
            covered.add(region)
    for region in sorted(_regions(service) - covered):
        yield service[kind].wrong(f"{region} has no {called}")


def _meant(service: Spot, each: Spot) -> set[str]:
    """The regions of one entry: without scopes all of the service's."""
    scopes = {scope.text.removeprefix(_REGION) for scope in each["scopes"]}
    return scopes & _regions(service) if each["scopes"].value else _regions(service)


def _regions(service: Spot) -> set[str]:
    return {region.text for region in service["regions"] if region.text}
