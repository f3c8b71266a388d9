"""What each sslmode verifies, in memory: two SSLObjects shake hands without a socket."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from proxy.errors import ConfigurationError
from proxy.net.tls import server_tls, tls_context
from proxy.origin_url import OriginUrl
from proxy.wire.certificate import end_point_hash
from tools.certificates import Certificate, issue


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return issue(tmp_path_factory.mktemp("tls"))


def parse(parameters: str, host: str = "localhost") -> OriginUrl:
    return OriginUrl.parse(f"postgresql://u@{host}/d?{parameters}", {})


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, connected_to: str = "x") -> ssl.SSLObject:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=connected_to)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours


def context_for(parameters: str, host: str = "localhost") -> ssl.SSLContext:
    context = tls_context(parse(parameters, host))[1]
    assert context is not None
    return context


def test_disable_and_sockets_have_no_context() -> None:
    assert tls_context(parse("sslmode=disable")) == ("disable", None)
    assert tls_context(parse("host=/run/postgresql&sslmode=verify-full&sslrootcert=/none")) == (
        "disable",
        None,
    )


@pytest.mark.parametrize("mode", ["allow", "prefer", "require"])
def test_the_weaker_modes_verify_nothing_without_an_authority(mode: str, pair: Certificate) -> None:
    assert tls_context(parse(f"sslmode={mode}"))[0] == mode
    client = context_for(f"sslmode={mode}", "elsewhere")
    assert shake_hands(client, server_tls(pair.chain, pair.key).context).version()


def test_require_with_an_authority_verifies_the_chain_but_not_the_name(
    pair: Certificate, tmp_path: Path
) -> None:
    server = server_tls(pair.chain, pair.key).context
    client = context_for(f"sslmode=require&sslrootcert={pair.authority}", "elsewhere")
    assert shake_hands(client, server).version()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context_for(f"sslmode=require&sslrootcert={issue(tmp_path).authority}"), server)


def test_verify_full_compares_the_name(pair: Certificate) -> None:
    server = server_tls(pair.chain, pair.key).context
    query = f"sslmode=verify-full&sslrootcert={pair.authority}"
    assert shake_hands(context_for(query), server).selected_alpn_protocol() == "postgresql"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context_for(query, "elsewhere"), server)


def test_the_name_of_the_url_counts_and_not_the_address_connected_to(pair: Certificate) -> None:
    server, names = server_tls(pair.chain, pair.key).context, []
    server.sni_callback = lambda _, name, __: names.append(name)
    query = f"sslmode=verify-full&sslrootcert={pair.authority}&hostaddr=10.0.0.7"
    assert shake_hands(context_for(query), server, "10.0.0.7").version()
    assert names == ["localhost"]


def test_verify_full_without_a_file_trusts_the_public_authorities_only(pair: Certificate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context_for("sslmode=verify-full"), server_tls(pair.chain, pair.key).context)


def test_nothing_older_than_tls_1_2_is_spoken(pair: Certificate) -> None:
    assert context_for("sslmode=require").minimum_version == ssl.TLSVersion.TLSv1_2
    assert server_tls(pair.chain, pair.key).context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context_for("ssl_min_protocol_version=TLSv1.3").minimum_version == ssl.TLSVersion.TLSv1_3


def test_the_server_side_knows_its_channel_binding(pair: Certificate) -> None:
    der = ssl.PEM_cert_to_DER_cert(pair.chain.read_text())
    assert server_tls(pair.chain, pair.key).end_point == end_point_hash(der)


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=verify-ca",
        "sslmode=disable&channel_binding=require",
        "sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
        "sslmode=require&sslcert=/nowhere/c.pem&sslkey=/nowhere/k.pem",
        "sslmode=require&sslcrl=/nowhere/crl.pem",
    ],
)
def test_what_cannot_hold_stops_with_one_sentence(parameters: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        tls_context(parse(parameters))
    assert "\n" not in str(raised.value)


def test_an_unusable_server_certificate_is_named(pair: Certificate, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--tls-cert"):
        server_tls(tmp_path / "none.crt", pair.key)
    with pytest.raises(ConfigurationError, match="--tls-key"):
        server_tls(pair.chain, issue(tmp_path).key)
    empty = tmp_path / "empty.crt"
    empty.touch()
    with pytest.raises(ConfigurationError, match="--tls-cert"):
        server_tls(empty, pair.key)
