"""What a service is: its names, its type, where its code comes from, in which regions it runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from deploy.catalogue import APP_NAME, REGIONS, SERVICE_NAME
from deploy.document import Mistake, Spot

_SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_REPOSITORY: Final = re.compile(r"(?:github\.com|gitlab\.com|bitbucket\.org)/[\w.-]+/[\w.-]+")
_SOURCES: Final = ("docker", "git", "archive", "database")
# Types of the API that this deployment has no use for; the schema refuses what is no type at all.
_OTHER_TYPES: Final = ("INVALID", "DATABASE", "SANDBOX")


def app_and_services_have_names(root: Spot) -> Iterator[Mistake]:
    """The app's name, and one for each service that no other service has."""
    yield from _slug(root["app"]["name"], APP_NAME)
    if isinstance(root["services"].value, list) and not root["services"].value:
        yield root["services"].wrong("there is no service")
    names = Counter(service["definition"]["name"].text for service in root["services"])
    for service in root["services"]:
        name = service["definition"]["name"]
        if not service["definition"]:
            yield service["definition"].wrong("a service needs a definition")
            continue
        yield from _slug(name, SERVICE_NAME)
        if name.text and names[name.text] > 1:
            yield name.wrong(f"another service is called {name.text} too")


def type_is_set(service: Spot) -> Iterator[Mistake]:
    """The API's default is no type at all."""
    if not service["type"]:
        yield service["type"].wrong("the type is missing, and its default is INVALID: say WEB or WORKER")
    elif service["type"].text in _OTHER_TYPES:
        yield service["type"].wrong(f"{service['type'].text} is nothing to deploy: say WEB or WORKER")


def one_source(service: Spot) -> Iterator[Mistake]:
    """Exactly one place that the code comes from, and one way of building it."""
    given = [name for name in _SOURCES if service[name]]
    if len(given) != 1:
        yield service.wrong(
            f"exactly one of {', '.join(_SOURCES)} is expected, not {' and '.join(given) or 'none'}"
        )
    git = service["git"]
    if not git:
        return
    if not _REPOSITORY.fullmatch(git["repository"].text):
        yield git["repository"].wrong("a repository of the form github.com/ORG/REPO is expected")
    if git["docker"] and git["buildpack"]:
        yield git.wrong("docker and buildpack are two ways of building: give one")
    if sum(bool(git[name]) for name in ("branch", "tag", "sha")) != 1:
        yield git.wrong("exactly one of branch, tag and sha is expected")


def regions_are_known(service: Spot) -> Iterator[Mistake]:
    """At least one region, each of them Koyeb's, none twice."""
    if not service["regions"] or service["regions"].value == []:
        yield service["regions"].wrong("no region is given: it would be the API's choice")
    seen: set[str] = set()
    for region in service["regions"]:
        if region.text and region.text not in REGIONS:
            yield region.wrong(f"{region.text} is no region: there are {', '.join(REGIONS)}")
        if region.text in seen:
            yield region.wrong(f"{region.text} stands here twice")
        seen.add(region.text)


def _slug(name: Spot, lengths: tuple[int, int]) -> Iterator[Mistake]:
    least, most = lengths
    if not name:
        yield name.wrong("the name is missing")
    elif name.text and not (least <= len(name.text) <= most and _SLUG.fullmatch(name.text)):
        yield name.wrong(
            f"{name.text} is no name: {least} to {most} lower-case letters, digits and inner dashes are"
        )
