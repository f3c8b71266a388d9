"""The channel binding tls-server-end-point of a certificate: its hash, by the hash function of its signature.

The certificate (DER) is walked just far enough to find the name of its signature algorithm.
Source: RFC 5929, section 4 "The 'tls-server-end-point' Channel Binding Type"; RFC 5280, section 4.1.
"""

from __future__ import annotations

import hashlib
from typing import Final

_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"

# MD5 and SHA-1 count as SHA-256 here, says the RFC.
_HASHES: Final = {
    "1.2.840.113549.1.1.4": "sha256",  # md5WithRSAEncryption
    "1.2.840.113549.1.1.5": "sha256",  # sha1WithRSAEncryption
    "1.2.840.113549.1.1.14": "sha224",  # sha224WithRSAEncryption
    "1.2.840.113549.1.1.11": "sha256",  # sha256WithRSAEncryption
    "1.2.840.113549.1.1.12": "sha384",  # sha384WithRSAEncryption
    "1.2.840.113549.1.1.13": "sha512",  # sha512WithRSAEncryption
    "1.2.840.10045.4.1": "sha256",  # ecdsa-with-SHA1
    "1.2.840.10045.4.3.1": "sha224",  # ecdsa-with-SHA224
    "1.2.840.10045.4.3.2": "sha256",  # ecdsa-with-SHA256
    "1.2.840.10045.4.3.3": "sha384",  # ecdsa-with-SHA384
    "1.2.840.10045.4.3.4": "sha512",  # ecdsa-with-SHA512
    "1.3.14.3.2.26": "sha256",  # id-sha1, in the parameters of RSASSA-PSS, as those below
    "2.16.840.1.101.3.4.2.4": "sha224",  # id-sha224
    "2.16.840.1.101.3.4.2.1": "sha256",  # id-sha256
    "2.16.840.1.101.3.4.2.2": "sha384",  # id-sha384
    "2.16.840.1.101.3.4.2.3": "sha512",  # id-sha512
}


def end_point_hash(certificate: bytes) -> bytes | None:
    """The binding data of ``certificate`` (DER).

    None where its signature names no hash function that we know (Ed25519 has none): then there is no channel
    binding to offer or to ask for. ``ValueError`` for bytes that are no certificate.
    """
    name = _HASHES.get(_signature_algorithm(certificate))
    return hashlib.new(name, certificate).digest() if name else None


def _signature_algorithm(certificate: bytes) -> str:
    """The object identifier that decides the hash function, with dots."""
    _, algorithm = _elements(_elements(certificate)[0])[:2]
    name, *parameters = _elements(algorithm)
    if _dotted(name) == _RSASSA_PSS and parameters:
        return _pss_hash(parameters[0])
    return _dotted(name)


def _pss_hash(parameters: bytes) -> str:
    """RFC 4055, section 3.1 "RSASSA-PSS Public Keys": the hash function stands first, under the tag [0]."""
    if parameters[:1] != b"\xa0":
        return "1.3.14.3.2.26"
    (algorithm,) = _elements(_elements(parameters)[0])
    return _dotted(_elements(algorithm)[0])


def _elements(content: bytes) -> list[bytes]:
    """The contents of the DER elements that ``content`` is a row of."""
    elements: list[bytes] = []
    at = 0
    while at < len(content):
        start, stop = _extent(content, at)
        elements.append(content[start:stop])
        at = stop
    if not elements:
        raise ValueError("not a certificate: an element is empty")
    return elements


def _extent(content: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at ``at`` starts and stops."""
    start = at + 2
    length = int.from_bytes(content[at + 1 : start], "big")
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(content[start : start + octets], "big")
        start += octets
    if start + length > len(content):
        raise ValueError("not a certificate: an element ends early")
    return start, start + length


def _dotted(identifier: bytes) -> str:
    arcs: list[int] = [0]
    for octet in identifier:
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:-1])))
