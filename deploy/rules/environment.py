"""What a service is told: variables, and the secrets that they name. No secret stands in a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from deploy.document import Document, Mistake, Spot
from proxy import config

_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}")
# Source: Koyeb docs, reference/secrets: names as in RFC 1123.
_SECRET_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRET: Final = "secret."  # noqa: S105 - how a reference to one begins
# user:password@ in front of a host, and in libpq's other form.
_INLINE: Final = re.compile(r"://[^/\s@{}]*:[^/\s@{}]+@|\bpassword\s*=\s*[^\s{]", re.IGNORECASE)
_CREDENTIALS: Final = "this holds credentials: create a secret and write {{ secret.NAME }} in their place"
# Fields of the API that hold secrets (of routes), and variables that do.
_SECRET_FIELDS: Final = frozenset({"password", "api_keys"})
_SECRET_KEYS: Final = re.compile(
    r"DATABASE_URL|ORRERY_ORIGIN|PGPASSWORD|.*_?(?:PASSWORD|TOKEN|SECRET|API_KEY)", re.IGNORECASE
)


def variables_are_named_once(service: Spot) -> Iterator[Mistake]:
    """A name that a shell would take, once in each region, with one value."""
    seen: set[tuple[str, str]] = set()
    for each in service["env"]:
        key = each["key"]
        if not key:
            yield key.wrong("the key is missing")
        elif key.text and not _KEY.fullmatch(key.text):
            yield key.wrong(f"{key.text} is no name of a variable")
        if bool(each["value"]) == bool(each["secret"]):
            yield each.wrong("exactly one of value and secret is expected")
        scopes = [scope.text for scope in each["scopes"]] or [""]
        for scope in scopes:
            if (key.text, scope) in seen:
                yield key.wrong(f"{key.text} stands here twice")
            seen.add((key.text, scope))


def settings_are_known(service: Spot) -> Iterator[Mistake]:
    """An unknown ORRERY_* would stop the start of the proxy."""
    known = config.variables()
    for each in service["env"]:
        key = each["key"]
        if key.text.startswith(config.PREFIX) and key.text not in known:
            near = get_close_matches(key.text, known, 1)
            yield key.wrong(
                f"{key.text} is no setting of the proxy" + (f": did you mean {near[0]}?" if near else "")
            )


def secrets_are_named(service: Spot) -> Iterator[Mistake]:
    """A reference is well formed, and what must be secret is nothing but a reference."""
    for each in service["env"]:
        value = each["value"]
        for inner in _REFERENCE.findall(value.text):
            if inner.startswith(_SECRET) and not _SECRET_NAME.fullmatch(inner.removeprefix(_SECRET)):
                yield value.wrong(
                    f"{inner.removeprefix(_SECRET)} is no name of a secret: lower case and dashes are"
                )
        if value.text.count("{{") != len(_REFERENCE.findall(value.text)) or "}}" in _REFERENCE.sub(
            "", value.text
        ):
            yield value.wrong("a reference is not closed: {{ secret.NAME }} is expected")
        if each["secret"].text and not _SECRET_NAME.fullmatch(each["secret"].text):
            yield each["secret"].wrong(
                f"{each['secret'].text} is no name of a secret: lower case and dashes are"
            )


def no_credentials_stand_here(service: Spot) -> Iterator[Mistake]:
    """A manifest is committed: whoever reads the repository would read the password."""
    for spot in service.texts():
        bare = _REFERENCE.sub("", spot.text)
        if _INLINE.search(bare) or (_SECRET_FIELDS & set(spot.path) and bare.strip()):
            yield spot.wrong(_CREDENTIALS)
    for each in service["env"]:
        value = each["value"]
        secret = any(inner.startswith(_SECRET) for inner in _REFERENCE.findall(value.text))
        if value.text and _SECRET_KEYS.fullmatch(each["key"].text) and not secret:
            yield value.wrong(_CREDENTIALS)


def no_dollar_sign(document: Document) -> Iterator[Mistake]:
    """The CLI expands shell variables in all of the file, an unset one to nothing; nothing escapes it.

    Source: koyeb-cli, pkg/koyeb/compose.go (os.ExpandEnv).
    """
    for number, line in enumerate(document.text.splitlines(), 1):
        if "$" in line:
            yield Mistake(number, "", "a dollar sign: the CLI would expand it, in comments too")


def secrets(root: Spot) -> list[str]:
    """The names of all secrets that must exist before the manifest is used."""
    found: set[str] = set()
    for service in root["services"]:
        for each in service["definition"]["env"]:
            names = [each["secret"].text, *_REFERENCE.findall(each["value"].text)]
            found |= {name.removeprefix(_SECRET) for name in names if name.startswith(_SECRET)}
            found |= {each["secret"].text} - {""}
    return sorted(found)
