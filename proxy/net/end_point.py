"""The tls-server-end-point channel binding of a certificate, read from its DER bytes.

Sources: RFC 5929, section 4.1; RFC 5280, section 4.1.1.2; PostgreSQL docs, sasl-authentication,
"SCRAM-SHA-256 Authentication". Only three nested headers are read, so no certificate library is needed.
"""

from __future__ import annotations

import hashlib
from typing import Final

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_HASH_PARAMETER: Final = 0xA0  # [0] of RSASSA-PSS-params

_RSA: Final = bytes.fromhex("2a864886f70d0101")  # 1.2.840.113549.1.1
_ECDSA: Final = bytes.fromhex("2a8648ce3d04")  # 1.2.840.10045.4
_SHA2: Final = bytes.fromhex("6086480165030402")  # 2.16.840.1.101.3.4.2
_PSS: Final = _RSA + b"\x0a"

# A certificate signed with MD5 or SHA-1 is hashed with SHA-256 (RFC 5929).
_HASHES: Final = {
    _RSA + b"\x04": "sha256",
    _RSA + b"\x05": "sha256",
    _RSA + b"\x0b": "sha256",
    _RSA + b"\x0c": "sha384",
    _RSA + b"\x0d": "sha512",
    _RSA + b"\x0e": "sha224",
    _ECDSA + b"\x01": "sha256",
    _ECDSA + b"\x03\x01": "sha224",
    _ECDSA + b"\x03\x02": "sha256",
    _ECDSA + b"\x03\x03": "sha384",
    _ECDSA + b"\x03\x04": "sha512",
}
_PSS_HASHES: Final = {
    _SHA2 + bytes([number]): name for number, name in enumerate(("sha256", "sha384", "sha512"), 1)
}


def server_end_point(certificate: bytes) -> bytes | None:
    """Hash a DER certificate as its own signature is hashed; None where that names no hash (Ed25519, Ed448).

    Without it there is no SCRAM-SHA-256-PLUS. ValueError: the bytes are no certificate.
    """
    name = _hash_name(_inside(certificate, _SEQUENCE)[0])
    return hashlib.new(name, certificate).digest() if name else None


def _hash_name(body: bytes) -> str | None:
    _, after_signed_part = _inside(body, _SEQUENCE)
    algorithm, _ = _inside(after_signed_part, _SEQUENCE)
    identifier, parameters = _inside(algorithm, _OBJECT_IDENTIFIER)
    return _pss_hash(parameters) if identifier == _PSS else _HASHES.get(identifier)


def _pss_hash(parameters: bytes) -> str | None:
    fields, _ = _inside(parameters, _SEQUENCE)
    if not fields or fields[0] != _HASH_PARAMETER:
        return "sha256"  # the default of RSASSA-PSS is SHA-1
    algorithm, _ = _inside(_inside(fields, _HASH_PARAMETER)[0], _SEQUENCE)
    return _PSS_HASHES.get(_inside(algorithm, _OBJECT_IDENTIFIER)[0])


def _inside(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Give the content of the first element of ``data``, which must carry ``tag``, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("not a DER certificate")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("a DER certificate that ends early")
    return data[start : start + length], data[start + length :]
