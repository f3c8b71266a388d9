"""The strict schema: what the API's models would let pass without a word."""

from __future__ import annotations

import pytest

from deploy.document import read
from deploy.schema import check, strict_schema
from tests.deploy.planted import planted, said

CACHE = "services[0].definition"


def test_the_projects_manifest_is_well() -> None:
    assert planted("", "") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("app:\n", "ap:\n", "ap: this key is unknown: did you mean app?"),
        (
            "definition:",
            "definitions:",
            "services[0].definitions: this key is unknown: did you mean definition?",
        ),
        ("scalings:", "scaling:", f"{CACHE}.scaling: this key is unknown: did you mean scalings?"),
        (
            "tcp: {port: 5432}",
            "tcp: {prt: 5432}",
            f"{CACHE}.health_checks[0].tcp.prt: this key is unknown: did you mean port?",
        ),
        (
            "branch: main",
            "branch: main\n        depends_on: db",
            f"{CACHE}.git.depends_on: this key is unknown",
        ),
    ],
)
def test_an_unknown_key_is_told_at_every_depth_with_the_near_one(old: str, new: str, told: str) -> None:
    assert told in [each.partition(": ")[2] for each in planted(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("min: 1", 'min: "1"', f"{CACHE}.scalings[0].min: a whole number is expected, not text"),
        ("min: 1", "min:", f"{CACHE}.scalings[0].min: a whole number is expected, not nothing"),
        ("[was, fra]", "was", f"{CACHE}.regions: a list is expected, not text"),
        (
            "{port: 5432, protocol: tcp}",
            "5432",
            f"{CACHE}.ports[0]: a mapping is expected, not a number (in quotes it would be text)",
        ),
        ("name: cache", "name: [cache]", f"{CACHE}.name: text is expected, not a list"),
    ],
)
def test_a_value_of_another_type_is_told(old: str, new: str, told: str) -> None:
    assert told in [each.partition(": ")[2] for each in planted(old, new)]


def test_a_word_that_the_api_does_not_know_is_told_with_those_it_knows() -> None:
    reason = said("type: WEB", "type: web")
    assert reason == f"{CACHE}.type: web is none of INVALID, WEB, WORKER, DATABASE, SANDBOX"


def test_a_manifest_has_an_app_and_services() -> None:
    told = [str(mistake) for mistake in check(read("{}"))]
    assert told == ["1: 'app' is a required property", "1: 'services' is a required property"]


def test_nothing_in_the_schema_may_be_empty_or_unknown() -> None:
    def parts(schema: object) -> list[dict[str, object]]:
        if isinstance(schema, list):
            return [part for each in schema for part in parts(each)]
        if not isinstance(schema, dict):
            return []
        return [schema, *(part for each in schema.values() for part in parts(each))]

    objects = [part for part in parts(strict_schema()) if isinstance(part.get("properties"), dict)]
    assert len(objects) > 30
    assert all(part["additionalProperties"] is False for part in objects if part.get("type") == "object")
    assert {"type": "null"} not in parts(strict_schema())
