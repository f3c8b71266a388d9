"""What becomes of a password: its SCRAM keys, the secret that PostgreSQL stores, the older md5 forms.

Salts are parameters: nothing here is random. Keys and secrets never show in a ``repr``.
Source: PostgreSQL docs, catalog-pg-authid; RFC 5802, section 3 "SCRAM Algorithm Overview"; RFC 4013.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Final

from proxy.errors import OriginProtocolError

# PostgreSQL's default of scram_iterations.
DEFAULT_ITERATIONS: Final = 4096
# More would keep everybody else waiting for most of a second while one peer's keys are worked out.
MAX_ITERATIONS: Final = 1_000_000

_SCHEME: Final = "SCRAM-SHA-256"
_KEY_BYTES: Final = 32

# RFC 4013, section 2.3 "Prohibited Output", and 2.5 "Unassigned Code Points".
_PROHIBITED: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What a client needs to log in, and to know its server; the password itself is not needed."""

    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScramSecret:
    """What a server stores of a password: enough to verify a client, not enough to be one."""

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    def __str__(self) -> str:
        keys = f"{_base64(self.stored_key)}:{_base64(self.server_key)}"
        return f"{_SCHEME}${self.iterations}:{_base64(self.salt)}${keys}"


def derive_keys(password: str, salt: bytes, iterations: int) -> ScramKeys:
    """The SCRAM keys of ``password``. Slow by design (PBKDF2): milliseconds at the default iterations.

    ``OriginProtocolError`` for more than ``MAX_ITERATIONS``: it is the origin who asks for them.
    """
    if iterations > MAX_ITERATIONS:
        raise OriginProtocolError(f"{iterations} SCRAM iterations asked for, more than {MAX_ITERATIONS}")
    prepared = saslprep(password).encode("utf-8", "surrogateescape")
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)
    return ScramKeys(
        hmac.digest(salted, b"Client Key", "sha256"), hmac.digest(salted, b"Server Key", "sha256")
    )


def make_secret(password: str, salt: bytes, iterations: int = DEFAULT_ITERATIONS) -> ScramSecret:
    """The secret that PostgreSQL would store for ``password``; as slow as ``derive_keys``."""
    keys = derive_keys(password, salt, iterations)
    return ScramSecret(iterations, salt, hashlib.sha256(keys.client_key).digest(), keys.server_key)


def parse_secret(text: str) -> ScramSecret | None:
    """The secret written as ``SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey``; None for anything else."""
    try:
        scheme, parameters, keys = text.split("$")
        iterations, salt = parameters.split(":")
        stored_key, server_key = (b64decode(key, validate=True) for key in keys.split(":"))
        secret = ScramSecret(int(iterations), b64decode(salt, validate=True), stored_key, server_key)
    except (ValueError, binascii.Error):
        return None
    sound = scheme == _SCHEME and secret.iterations > 0 and secret.salt
    return secret if sound and len(stored_key) == len(server_key) == _KEY_BYTES else None


def mock_secret(user: str, server_secret: bytes, iterations: int = DEFAULT_ITERATIONS) -> ScramSecret:
    """The secret that an unknown ``user`` is asked to prove: the same at each attempt, and never proven.

    So a stranger cannot tell unknown users from wrong passwords. ``server_secret``: random bytes of ours.
    """

    def derive(purpose: bytes) -> bytes:
        name = user.encode("utf-8", "surrogateescape")
        return hmac.digest(server_secret, purpose + b"\0" + name, "sha256")

    return ScramSecret(iterations, derive(b"salt")[:16], derive(b"stored key"), derive(b"server key"))


def md5_secret(user: str, password: str) -> str:
    """``md5`` and the hash that PostgreSQL stores where password_encryption is md5."""
    return _md5(password.encode("utf-8", "surrogateescape") + user.encode("utf-8", "surrogateescape"))


def md5_response(secret: str, salt: bytes) -> bytes:
    """A client's answer to AuthenticationMD5Password; ``secret`` as of ``md5_secret``, ``salt``: 4 bytes."""
    return _md5(secret.removeprefix("md5").encode() + salt).encode()


def saslprep(password: str) -> str:
    """``password`` as SCRAM hashes it. One that SASLprep forbids is taken as it is, as PostgreSQL does."""
    if password.isascii():
        return password
    mapped = "".join(map(_map, password))
    prepared = unicodedata.normalize("NFKC", mapped)
    return password if not prepared or _is_prohibited(mapped) or not _reads_one_way(mapped) else prepared


def _map(letter: str) -> str:
    """RFC 4013, section 2.1 "Mapping". The zero width space stands in both tables; it becomes a space."""
    if stringprep.in_table_c12(letter):
        return " "
    return "" if stringprep.in_table_b1(letter) else letter


def _is_prohibited(text: str) -> bool:
    return any(in_table(letter) for letter in text for in_table in _PROHIBITED)


def _reads_one_way(text: str) -> bool:
    """RFC 3454, section 6 "Bidirectional Characters": right-to-left text has no other letters in it."""
    rightward = [stringprep.in_table_d1(letter) for letter in text]
    if not any(rightward):
        return True
    return rightward[0] and rightward[-1] and not any(map(stringprep.in_table_d2, text))


def _md5(content: bytes) -> str:
    return "md5" + hashlib.md5(content, usedforsecurity=False).hexdigest()


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
