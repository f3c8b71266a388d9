"""certificates: a client that trusts the authority accepts the server by its names, and by no other."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tools.certificates import Certificate, issue


def shake_hands(certificate: Certificate, name: str) -> None:
    """Run TLS in memory between a server with the certificate and a client that asks for ``name``."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate.chain, certificate.key)
    client_context = ssl.create_default_context(cafile=str(certificate.authority))
    upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(downward, upward, server_hostname=name)
    server = server_context.wrap_bio(upward, downward, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_certificate_is_good_for_the_names_it_was_issued_for(tmp_path: Path, name: str) -> None:
    shake_hands(issue(tmp_path), name)


def test_a_certificate_is_not_good_for_another_name(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(issue(tmp_path), "example.org")


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert issue(tmp_path).key.stat().st_mode & 0o077 == 0
