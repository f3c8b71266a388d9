"""The password file of libpq (~/.pgpass): host:port:database:user:password, first match wins.

Source: PostgreSQL docs, libpq-pgpass, "The Password File".
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from proxy.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES: Final = 1 << 20  # far above any real file: a bound, not a format


def password_for(path: Path, host: str, port: int, database: str, user: str) -> str | None:
    """Look a password up; None where the file is absent or holds no matching line.

    A socket directory is looked up as ``localhost`` too. ConfigurationError: others may read the file (libpq
    ignores it then with a warning; a login that fails for want of a password tells less than this sentence).
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not stat.S_ISREG(mode):
        return None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"the password file {path} may be read by others: its mode must be 0600")
    names = {host, "localhost"} if host.startswith(("/", "@")) else {host}
    for line in _lines(path):
        fields = _fields(line)
        if len(fields) >= 5 and _matches(fields, names, (str(port), database, user)):
            return fields[4]
    return None


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise ConfigurationError(f"the password file {path} cannot be read: {error.strerror}") from None
    lines = text.decode(errors="surrogateescape").split("\n")
    return [line.rstrip("\r") for line in lines if not line.startswith("#")]


def _matches(fields: list[str], names: set[str], wanted: tuple[str, str, str]) -> bool:
    if fields[0] != "*" and fields[0] not in names:
        return False
    return all(given in ("*", value) for given, value in zip(fields[1:4], wanted, strict=True))


def _fields(line: str) -> list[str]:
    """Split at colons; a backslash takes the next character as it stands."""
    fields = [""]
    characters = iter(line)
    for character in characters:
        if character == ":":
            fields.append("")
        else:
            fields[-1] += next(characters, "") if character == "\\" else character
    return fields
