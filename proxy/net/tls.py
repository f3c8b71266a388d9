"""TLS towards the origin, as libpq's sslmode asks, and towards clients, from the operator's certificate.

Sources: PostgreSQL docs, libpq-ssl, "SSL Support" (what each
sslmode verifies); protocol-flow, "SSL Session Encryption" (ALPN).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from proxy.errors import ConfigurationError
from proxy.wire.certificate import end_point_hash

if TYPE_CHECKING:
    from proxy.origin_url import OriginUrl

ALPN: Final = "postgresql"


@final
class _NamedContext(ssl.SSLContext):
    """Knows the name to send and to compare, for a driver that only knows the address (hostaddr)."""

    name = ""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,  # noqa: ARG002 - the address, in place of which the name goes
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.name, session)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What the proxy shows to TLS clients. ``end_point`` None: SCRAM-SHA-256-PLUS cannot be offered."""

    context: ssl.SSLContext
    end_point: bytes | None


def tls_context(url: OriginUrl) -> tuple[str, ssl.SSLContext | None]:
    """Give the sslmode that holds and the context for it; None for ``disable`` and for Unix sockets.

    ``allow``: without TLS first, with it when that is refused. ``prefer``: the other way round. All others:
    with it or not at all. Whatever name is given at connect, the URL's host is sent (SNI) and compared
    (verify-full). ConfigurationError: a file that is missing or unreadable, or a contradiction.
    """
    if url.sslmode == "disable" or url.socket_directory:
        if url.channel_binding == "require":
            raise ConfigurationError("channel_binding=require needs TLS towards the origin")
        return "disable", None
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name = url.host
    context.minimum_version = _minimum_version(url)
    context.set_alpn_protocols([ALPN])
    _verify(context, url)
    if url.sslcert:
        key = url.sslkey or url.sslcert
        _load_chain(context, Path(url.sslcert), Path(key), "sslcert or sslkey of the origin", url.sslpassword)
    return url.sslmode, context


def server_tls(certificate: Path, key: Path) -> ServerTls:
    """Read the certificate (with its chain) and the key that clients are shown; both PEM.

    ConfigurationError: unreadable, encrypted, or not belonging together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN])
    _load_chain(context, certificate, key, "--tls-cert or --tls-key")
    return ServerTls(context, end_point_hash(_first_certificate(certificate)))


def _minimum_version(url: OriginUrl) -> ssl.TLSVersion:
    if url.ssl_min_protocol_version == "TLSv1.3":
        return ssl.TLSVersion.TLSv1_3
    return ssl.TLSVersion.TLSv1_2  # libpq's own default since PostgreSQL 13; nothing older is spoken


def _verify(context: ssl.SSLContext, url: OriginUrl) -> None:
    """As libpq: an authority's certificate, where there is one, is used whatever the mode."""
    context.check_hostname = url.sslmode == "verify-full"
    if url.sslrootcert and url.sslrootcert != "system":
        _load(context, url.sslrootcert, "sslrootcert")
    elif url.sslmode == "verify-full":
        context.load_default_certs()
    elif url.sslmode == "verify-ca":
        # Any name would do for any public authority: that verifies nothing.
        raise ConfigurationError(
            "sslmode=verify-ca needs sslrootcert; with public authorities use verify-full"
        )
    else:
        context.verify_mode = ssl.CERT_NONE
    if url.sslcrl:
        _load(context, url.sslcrl, "sslcrl")
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _load(context: ssl.SSLContext, file: str, option: str) -> None:
    try:
        context.load_verify_locations(file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(f"{option} {file} cannot be used: {_why(error)}") from None


def _load_chain(
    context: ssl.SSLContext, certificate: Path, key: Path, options: str, password: str | None = None
) -> None:
    for file in (certificate, key):
        _readable(file, options)
    try:
        # An empty answer in place of OpenSSL's own prompt: a server has nobody to ask.
        context.load_cert_chain(certificate, key, password or "")
    except OSError as error:
        raise ConfigurationError(f"{options} cannot be used: {_why(error)}") from None


def _readable(file: Path, options: str) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise ConfigurationError(f"{options}: {file} cannot be read: {error.strerror}") from None


def _first_certificate(file: Path) -> bytes:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = file.read_text(encoding="latin-1")
    start = text.index(begin)
    return ssl.PEM_cert_to_DER_cert(text[start : text.index(end, start) + len(end)])


def _why(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return (reason or "not a PEM file").lower().replace("_", " ")
