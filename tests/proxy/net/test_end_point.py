"""tls-server-end-point, compared with what openssl says of the same certificate."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.net.end_point import server_end_point
from tests.proxy.net.certificates import EC, RSA, make_pair


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*EC, "-sha256"), "sha256"),
        ((*EC, "-sha1"), "sha256"),
        ((*EC, "-sha384"), "sha384"),
        ((*RSA, "-sha512"), "sha512"),
        ((*RSA, "-sha224"), "sha224"),
        ((*RSA, "-sha384", "-sigopt", "rsa_padding_mode:pss"), "sha384"),
    ],
)
def test_a_certificate_is_hashed_as_its_signature_is(
    tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    der = ssl.PEM_cert_to_DER_cert(make_pair(tmp_path, *arguments).certificate.read_text())
    assert server_end_point(der) == hashlib.new(expected, der).digest()


def test_a_signature_without_a_hash_gives_no_binding(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(make_pair(tmp_path, "-newkey", "ed25519").certificate.read_text())
    assert server_end_point(der) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_hashed_or_refused_with_value_error(data: bytes) -> None:
    with suppress(ValueError):
        server_end_point(data)
