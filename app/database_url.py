"""What is wrong with a DATABASE_URL, told so that it can be put right: the part and never its value."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_SCHEMES: Final = ("postgresql://", "postgres://")
_HALF_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPES: Final = "a password's '/', '?', '#', '@' and '%' are written %2F, %3F, %23, %40 and %25"


def fault_of(url: str | None) -> str | None:
    """Say, as a sentence about "it", why ``url`` cannot be a PostgreSQL address; None: it can be one."""
    if not url:
        return "it is not set: give it postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    if not url.startswith(_SCHEMES):
        return "it does not begin with postgresql://: give it postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    if any(character.isspace() for character in url):
        return "it holds white space: take it out, or write it %20"
    if _HALF_ESCAPE.search(url):
        return f"it holds a '%' that no two hexadecimal digits follow: {_ESCAPES}"
    try:
        return _fault_of_parts(urlsplit(url))
    except ValueError:
        return "its host is no name and no address: an IPv6 address stands in brackets"


def _fault_of_parts(parts: SplitResult) -> str | None:
    login, _, place = parts.netloc.rpartition("@")
    if parts.fragment or "@" in login or (not login and "@" in parts.path):
        return f"its user or password holds a character that has a meaning in an address: {_ESCAPES}"
    if not _is_port(place):
        return f"its port is not a number from 1 to 65535 ({_ESCAPES})"
    if not parts.hostname and "host=" not in parts.query:
        return "it names no host: give it postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    return None


def _is_port(place: str) -> bool:
    """Is what follows the host in ``place`` a port, or nothing?"""
    _, colon, port = place.rpartition("]")[2].rpartition(":")
    return not colon or (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535)
