"""Throw-away certificates for servers on this machine, made by the ``openssl`` command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAYS: Final = ("-days", "30")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of one server: its authority (for clients), its chain and its private key (mode 0600)."""

    authority: Path
    chain: Path
    key: Path


def issue(folder: Path, names: Sequence[str] = ("DNS:localhost", "IP:127.0.0.1")) -> Certificate:
    """Make a new authority and a certificate for ``names`` (as in subjectAltName) below ``folder``.

    Raises ``subprocess.CalledProcessError`` where openssl refuses, ``FileNotFoundError`` where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "authority.crt", folder / "authority.key"
    chain, key, request = folder / "server.crt", folder / "server.key", folder / "server.csr"
    extensions = folder / "server.ext"
    extensions.write_text(f"subjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth\n")
    signer = ("-CA", str(authority), "-CAkey", str(authority_key), "-CAcreateserial")
    usage = ("-subj", "/CN=throw-away authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("req", "-x509", *_DAYS, *usage, *_new_key(authority_key), "-out", str(authority))
    _openssl("req", "-subj", f"/CN={names[0].partition(':')[2]}", *_new_key(key), "-out", str(request))
    _openssl(
        "x509", "-req", *_DAYS, "-in", str(request), *signer, "-extfile", str(extensions), "-out", str(chain)
    )
    key.chmod(0o600)
    return Certificate(authority, chain, key)


def _new_key(path: Path) -> tuple[str, ...]:
    """Ask for an unencrypted P-256 key: made in a millisecond, where RSA takes a second."""
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path))


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True)
