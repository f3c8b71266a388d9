"""Read a postgresql:// URL into libpq's parameters; what they mean is decided by ``origin_url``.

Source: PostgreSQL docs, libpq-connect, "Connection URIs". No sentence raised here repeats a value.
"""

from __future__ import annotations

from typing import Final

from proxy.errors import ConfigurationError

SCHEMES: Final = ("postgresql", "postgres")


def read(text: str) -> tuple[str, dict[str, str]]:
    """Split a URL into its scheme and libpq's parameters, percent-decoded.

    A parameter of the query wins over the same thing said before it. ConfigurationError names the wrong part.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme not in SCHEMES:
        raise ConfigurationError("the origin URL must begin with postgresql:// or postgres://")
    authority, path, query = _cut(rest)
    parameters = _authority(authority)
    if path:
        parameters["dbname"] = _decode(path, "database name")
    parameters.update(_query(query))
    return scheme, parameters


def _cut(rest: str) -> tuple[str, str, str]:
    # As libpq: the user's part ends at the first "@" that no "/" precedes; in it a "?" is ordinary.
    at = rest.find("@")
    slash = rest.find("/")
    start = at if at >= 0 and (slash < 0 or at < slash) else 0
    ends = [index for index in (rest.find("/", start), rest.find("?", start)) if index >= 0]
    end = min(ends, default=len(rest))
    path, _, query = rest[end:].removeprefix("/").partition("?")
    return rest[:end], path, query


def _authority(authority: str) -> dict[str, str]:
    login, at, place = authority.rpartition("@")
    if "@" in login:
        raise ConfigurationError(
            "the origin URL has more than one '@': write %40 for one in the user or password"
        )
    parameters: dict[str, str] = {}
    if at:
        user, colon, password = login.partition(":")
        parameters["user"] = _decode(user, "user")
        if colon:
            parameters["password"] = _decode(password, "password")
    host, port = _host_and_port(place)
    if host:
        parameters["host"] = _decode(host, "host")
    if port:
        parameters["port"] = _decode(port, "port")
    return {name: value for name, value in parameters.items() if value}


def _host_and_port(place: str) -> tuple[str, str]:
    if not place.startswith("["):
        host, _, port = place.partition(":")
        return host, port
    host, bracket, port = place[1:].partition("]")
    if not bracket or (port and not port.startswith(":")):
        raise ConfigurationError("the host of the origin URL is an IPv6 address with an unmatched '['")
    return host, port.removeprefix(":")


def _query(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigurationError("a parameter of the origin URL is not of the form name=value")
        parameters[_decode(name, "parameter name")] = _decode(value, "parameter value")
    return parameters


def _decode(text: str, part: str) -> str:
    """Undo percent-encoding strictly: "+" stays, a half or unreadable code is an error, as in libpq."""
    encoded = bytearray()
    pieces = text.split("%")
    encoded += pieces[0].encode("utf-8", "surrogateescape")
    for piece in pieces[1:]:
        try:
            code = bytes.fromhex(piece[:2])
        except ValueError:
            code = b""
        if len(code) != 1 or code == b"\0" or not piece[:2].isalnum():
            raise ConfigurationError(f"the {part} in the origin URL has a '%' without two hexadecimal digits")
        encoded += code + piece[2:].encode("utf-8", "surrogateescape")
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"the {part} in the origin URL is not UTF-8 once decoded") from None
