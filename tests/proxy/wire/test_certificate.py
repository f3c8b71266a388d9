"""certificate: the binding is the hash that RFC 5929 names, for certificates that OpenSSL makes."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.certificate import end_point_hash

RSA_PSS = ("-sigopt", "rsa_padding_mode:pss")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name, options in (
        ("rsa", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
        ("ec", ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
        ("ed25519", ("ED25519",)),
    ):
        openssl("genpkey", "-algorithm", *options, "-out", str(folder / name))
    return folder


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def certificate(keys: Path, key: str, *options: str) -> bytes:
    pem = openssl("req", "-x509", "-key", str(keys / key), "-subj", "/CN=origin", "-days", "1", *options)
    return ssl.PEM_cert_to_DER_cert(pem.decode())


@pytest.mark.parametrize(
    ("key", "options", "name"),
    [
        ("rsa", ("-sha1",), "sha256"),
        ("rsa", ("-sha224",), "sha224"),
        ("rsa", ("-sha256",), "sha256"),
        ("rsa", ("-sha384",), "sha384"),
        ("rsa", ("-sha512",), "sha512"),
        ("rsa", ("-sha256", *RSA_PSS), "sha256"),
        ("rsa", ("-sha512", *RSA_PSS), "sha512"),
        ("rsa", ("-sha1", *RSA_PSS), "sha256"),
        ("ec", ("-sha256",), "sha256"),
        ("ec", ("-sha384",), "sha384"),
    ],
)
def test_the_hash_function_is_that_of_the_signature_but_never_sha1(
    keys: Path, key: str, options: tuple[str, ...], name: str
) -> None:
    der = certificate(keys, key, *options)
    assert end_point_hash(der) == hashlib.new(name, der).digest()


def test_a_signature_without_a_hash_function_gives_no_binding(keys: Path) -> None:
    assert end_point_hash(certificate(keys, "ed25519")) is None


def test_a_certificate_that_is_cut_off_is_no_certificate(keys: Path) -> None:
    der = certificate(keys, "ec")
    for kept in (0, 1, 2, 3, 10, len(der) - 1):
        with pytest.raises(ValueError, match="not a certificate"):
            end_point_hash(der[:kept])


@given(st.binary(max_size=60))
def test_any_bytes_give_a_binding_or_none_or_a_value_error(content: bytes) -> None:
    try:
        end_point_hash(content)
    except ValueError:
        return
