"""What the API's own models say of a manifest, taken strictly: the API drops keys that it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from koyeb.api.models.create_compose import CreateCompose

from deploy.document import Document, Mistake

_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


@cache
def strict_schema() -> dict[str, Any]:
    """The JSON schema of ``POST /v1/compose``: nothing unknown, nothing empty, no defaults filled in."""
    schema: dict[str, Any] = _tightened(CreateCompose.model_json_schema())
    return schema | {"required": ["app", "services"]}


def check(document: Document) -> Iterator[Mistake]:
    """All that the schema has to say."""
    for error in Draft202012Validator(strict_schema()).iter_errors(document.tree):
        yield from _told(document, error)


def _tightened(part: Any) -> Any:
    """The models take None everywhere, and let anything else in beside what they know."""
    if isinstance(part, list):
        return [_tightened(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _tightened(value) for key, value in part.items() if key != "default"}
    choices = [choice for choice in kept.pop("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        kept |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    if "properties" in kept:
        kept["additionalProperties"] = False
    return kept


def _told(document: Document, error: ValidationError) -> Iterator[Mistake]:
    path = tuple(error.absolute_path)
    rule: Any = error.validator_value
    seen: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"]) if isinstance(error.schema, dict) else []
        for key in seen:
            if key not in known:
                yield document.mistake((*path, key), "this key is unknown" + _near(key, known))
    elif error.validator == "type":
        yield document.mistake(path, f"{_KINDS[rule]} is expected, not {_shown(seen)}")
    elif error.validator == "enum":
        yield document.mistake(path, f"{seen} is none of {', '.join(rule)}")
    else:
        yield document.mistake(path, error.message)


def _near(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f": did you mean {near[0]}?" if near else ""


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "true or false (in quotes it would be text)"
    if isinstance(value, int | float):  # what was meant as a password may look like one
        return "a number (in quotes it would be text)"
    return "a list" if isinstance(value, list) else "a mapping"
