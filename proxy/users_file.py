"""The file of ``--users``: further users who may log in, with a password or a SCRAM secret each.

The form is a name, white space, and the secret to the end of the line; or PgBouncer's ``"name" "secret"``.
Sources: PgBouncer docs, config, "Authentication file format"; PostgreSQL docs, catalog-pg-authid.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from proxy.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 4 << 20
_SCRAM: Final = "SCRAM-SHA-256$"
_MD5_LENGTH: Final = 35  # "md5" and 32 hexadecimal digits


def read_users(path: Path) -> dict[str, str]:
    """Give each user's password or SCRAM secret by name; a later line for the same name is an error.

    ConfigurationError: the file is unreadable, larger than 4 MiB, open to others, or a line, named by its
    number and never by its words, is not understood.
    """
    return users_in(_content(path), path)


def users_in(data: bytes, path: Path) -> dict[str, str]:
    """The same of a file's content; ``path`` is only named."""
    users: dict[str, str] = {}
    for number, line in enumerate(_text(data, path).split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, secret = _user(stripped, f"{path} line {number}")
        if name in users:
            raise ConfigurationError(f"{path} line {number}: this user has a line already")
        users[name] = secret
    return users


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            _demand_private(path, os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"--users: {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"--users: {path} is larger than {MAX_BYTES >> 20} MiB")
    return data


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"--users: {path} is not UTF-8") from None


def _demand_private(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ConfigurationError(f"--users: {path} is not a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"--users: {path} may be read by others: its mode must be 0600")


def _user(line: str, place: str) -> tuple[str, str]:
    name, secret = _quoted_pair(line, place) if line.startswith('"') else _plain_pair(line)
    if not name or not secret:
        raise ConfigurationError(f"{place}: expected a name, white space and a password or SCRAM secret")
    if "\0" in name + secret:
        raise ConfigurationError(f"{place}: it holds a NUL")
    if secret.startswith(_SCRAM) and not _is_scram(secret):
        raise ConfigurationError(f"{place}: the SCRAM secret is not complete")
    if secret.startswith("md5") and len(secret) == _MD5_LENGTH:
        raise ConfigurationError(f"{place}: an md5 secret cannot serve a SCRAM login: give the password")
    return name, secret


def _plain_pair(line: str) -> tuple[str, str]:
    name, *rest = line.split(maxsplit=1)
    return name, "".join(rest)


def _quoted_pair(line: str, place: str) -> tuple[str, str]:
    name, rest = _quoted(line, place)
    secret, comment = _quoted(rest.lstrip(), place)
    if comment.strip() and not comment.strip().startswith("#"):
        raise ConfigurationError(f'{place}: expected "name" "secret" and nothing after it')
    return name, secret


def _quoted(text: str, place: str) -> tuple[str, str]:
    """Read one quoted word, in which a doubled quote stands for one; give it and what follows it."""
    word, position = "", 1
    while text.startswith('"'):
        end = text.find('"', position)
        if end < 0:
            break
        word += text[position:end]
        if not text.startswith('""', end):
            return word, text[end + 1 :]
        word, position = word + '"', end + 2
    raise ConfigurationError(f"{place}: a quote is missing")


def _is_scram(secret: str) -> bool:
    """SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey."""
    iterations, _, keys = secret.removeprefix(_SCRAM).partition("$")
    count, _, salt = iterations.partition(":")
    stored, _, server = keys.partition(":")
    return count.isdecimal() and all((salt, stored, server))
