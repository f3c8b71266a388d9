"""``make deploy-check``: is the manifest what it should be, and what would be made of it?

Every mistake is told at once. Exit status 0: none; 1: there are some; 2: the file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy import schema
from deploy.catalogue import INSTANCES
from deploy.dockerfile import stages
from deploy.document import Document, Mistake, Spot, read
from deploy.plan import MANIFEST
from deploy.rehearsal import Played, RehearsalFailed, play, same
from deploy.repository import PLACEHOLDER
from deploy.rules import environment, identity, network, size
from deploy.standin import StandIn

Rule = Callable[[Spot], Iterator[Mistake]]

OF_THE_MANIFEST: Final[tuple[Rule, ...]] = (
    identity.app_and_services_have_names,
    network.routes_of_an_app_are_distinct,
)
OF_A_SERVICE: Final[tuple[Rule, ...]] = (
    identity.type_is_set,
    identity.one_source,
    identity.regions_are_known,
    network.ports_are_distinct,
    network.workers_expose_nothing,
    network.routes_lead_to_ports,
    network.health_checks_ask_ports,
    network.health_checks_are_bounded,
    size.scopes_lie_within_the_regions,
    size.every_region_has_one_instance_type,
    size.nothing_in_the_mesh_is_free,
    size.every_region_has_one_scaling,
    size.what_sleeps_can_be_woken,
    size.volumes_stay_in_one_region,
    environment.variables_are_named_once,
    environment.settings_are_known,
    environment.secrets_are_named,
    environment.no_credentials_stand_here,
)
# More than the stand-in needs to come to an end.
_ATTEMPTS: Final = 20


def mistakes(document: Document, folder: Path) -> list[Mistake]:
    """Everything that is wrong with a manifest whose Dockerfiles lie below ``folder``, in its order."""
    found = [*document.mistakes, *environment.no_dollar_sign(document)]
    if document.tree is not None or not document.mistakes:
        found += schema.check(document)
        for rule in OF_THE_MANIFEST:
            found += rule(document.root)
        for service in document.root["services"]:
            for rule in OF_A_SERVICE:
                found += rule(service["definition"])
            found += targets_exist(service["definition"], folder)
    return sorted(set(found))


def targets_exist(service: Spot, folder: Path) -> Iterator[Mistake]:
    """The Dockerfile is there, and has the stage that is built."""
    builder = service["git"]["docker"]
    if not builder:
        return
    target, path = builder["target"], _dockerfile(service)
    try:
        names = stages((folder / path).read_text(encoding="utf-8"))
    except OSError:
        yield builder["dockerfile"].wrong(f"{path} is not there")
        return
    if target.text and target.text.lower() not in names:
        yield target.wrong(f"{path} has no stage {target.text}: there are {', '.join(names) or 'none'}")


def _dockerfile(service: Spot) -> Path:
    return Path(service["git"]["workdir"].text, service["git"]["docker"]["dockerfile"].text or "Dockerfile")


def told(document: Document, played: Sequence[Played]) -> Iterator[str]:
    """What would be made, one line for each thing."""
    root = document.root
    yield f"app {root['app']['name'].text}"
    for service, life in zip(root["services"], played, strict=True):
        yield from _told_of(service["definition"], life)
    yield f"secrets that must exist before: {', '.join(environment.secrets(root)) or 'none'}"
    if PLACEHOLDER in document.text:
        yield f"note: the repository is still {PLACEHOLDER}: put yours there before koyeb compose"


def _told_of(service: Spot, life: Played) -> Iterator[str]:
    kinds = {each["type"].text for each in service["instance_types"]}
    sizes = ", ".join(f"{kind} ({INSTANCES[kind]} MB)" for kind in sorted(kinds))
    regions = ", ".join(region.text for region in service["regions"])
    routes = ", ".join(route["path"].text for route in service["routes"]) or "none, mesh only"
    ports = ", ".join(f"{each['port'].number} {each['protocol'].text}" for each in service["ports"])
    scale = ", ".join(f"{each['min'].number}-{each['max'].number}" for each in service["scalings"])
    yield f"  service {service['name'].text}: {regions}; {sizes}; instances {scale}; {ports}; route {routes}"
    yield f"    played against the stand-in: {' '.join(life.statuses)}"


def rehearse(document: Document) -> list[Played]:
    """Play the manifest against the stand-in. RehearsalFailed: it was lost on the way, or did not come up."""
    with StandIn() as api:
        played = play(document.tree, api.url, "rehearsal", pause_seconds=0.0, attempts=_ATTEMPTS)
        if not same(document.tree, api.received):
            raise RehearsalFailed("what the SDK sent is not what the manifest says")
    for service in played:
        if not service.healthy:
            raise RehearsalFailed(f"{service.service} ended as {service.statuses[-1]}")
    return played


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one manifest; the exit status."""
    parser = argparse.ArgumentParser(prog="make deploy-check", description="Check a manifest of Koyeb.")
    parser.add_argument("manifest", nargs="?", type=Path, default=MANIFEST, metavar="FILE")
    manifest: Path = parser.parse_args(arguments).manifest
    try:
        document = read(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        print(f"deploy-check: {manifest} cannot be read: {reason}", file=sys.stderr)
        return 2
    found = mistakes(document, manifest.parent)
    for mistake in found:
        print(f"{manifest}:{mistake}", file=sys.stderr)
    if found:
        print(f"deploy-check: {len(found)} mistake{'s' if len(found) > 1 else ''}", file=sys.stderr)
        return 1
    try:
        lines = list(told(document, rehearse(document)))
    except RehearsalFailed as error:
        print(f"deploy-check: {error}", file=sys.stderr)
        return 1
    print("\n".join([f"{manifest} is well; it would make", *lines]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
