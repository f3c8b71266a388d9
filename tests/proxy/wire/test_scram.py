"""scram: the two ends agree with each other, and the server's with the RFC, with scramp and with libpq."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
import scramp
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import (
    AuthenticationFailed,
    AuthorizationRefused,
    ClientFault,
    FrameError,
    OriginProtocolError,
    UnsupportedFeature,
)
from proxy.wire import backend, frontend, scram, startup
from proxy.wire.certificate import end_point_hash
from proxy.wire.framing import FrameSplitter
from proxy.wire.passwords import ScramKeys, derive_keys, make_secret, mock_secret
from proxy.wire.scram import SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ClientExchange, ServerExchange

SALT = b"0123456789abcdef"
SECRET = make_secret("pencil", SALT)
KEYS = derive_keys("pencil", SALT, SECRET.iterations)
BINDING = hashlib.sha256(b"certificate").digest()
OTHER_BINDING = hashlib.sha256(b"another certificate").digest()
PLAIN_FIRST = b"n,,n=,r=abc"


def server(binding: bytes | None = None) -> ServerExchange:
    return ServerExchange(SECRET, b"servernonce", binding)


def log_in(ours: ServerExchange, client: ClientExchange, mechanism: bytes, keys: ScramKeys = KEYS) -> None:
    client.challenge(ours.first(mechanism, client.first()))
    client.verify(ours.final(client.final(keys)))


@pytest.mark.parametrize(
    ("binding", "mechanism"),
    [(None, SCRAM_SHA_256), (BINDING, SCRAM_SHA_256_PLUS)],
)
def test_the_two_ends_agree_and_the_server_recovers_the_client_s_key(
    binding: bytes | None, mechanism: bytes
) -> None:
    assert scram.choose_mechanism(scram.mechanisms(binding), binding) == mechanism
    ours = server(binding)
    log_in(ours, ClientExchange(mechanism, b"clientnonce", binding), mechanism)
    assert ours.client_key == KEYS.client_key


def test_a_recovered_key_logs_in_without_the_password() -> None:
    first = server()
    log_in(first, ClientExchange(SCRAM_SHA_256, b"one", None), SCRAM_SHA_256)
    recovered = ScramKeys(first.client_key, SECRET.server_key)
    log_in(server(), ClientExchange(SCRAM_SHA_256, b"two", None), SCRAM_SHA_256, recovered)


def test_the_conversation_of_rfc_7677_is_the_server_s() -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    ours = ServerExchange(make_secret("pencil", salt), b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", None)
    first = ours.first(SCRAM_SHA_256, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert first == b"r=" + nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    final = ours.final(b"c=biws,r=" + nonce + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    assert final == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.mark.parametrize(
    "keys", [derive_keys("pencil2", SALT, 4096), ScramKeys(bytes(32), SECRET.server_key)]
)
def test_a_wrong_password_and_a_wrong_key_fail(keys: ScramKeys) -> None:
    ours = server()
    with pytest.raises(AuthenticationFailed, match="password authentication failed"):
        log_in(ours, ClientExchange(SCRAM_SHA_256, b"n", None), SCRAM_SHA_256, keys)
    assert not ours.client_key


def test_an_unknown_user_fails_as_a_wrong_password_does() -> None:
    ours = ServerExchange(mock_secret("nobody", b"ours"), b"servernonce", None)
    with pytest.raises(AuthenticationFailed, match="password authentication failed"):
        log_in(ours, ClientExchange(SCRAM_SHA_256, b"n", None), SCRAM_SHA_256)


def test_a_mechanism_that_was_not_offered_is_refused() -> None:
    with pytest.raises(FrameError, match="client selected an invalid SASL authentication mechanism"):
        server().first(SCRAM_SHA_256_PLUS, b"p=tls-server-end-point,,n=,r=abc")


def test_a_binding_to_another_certificate_is_refused() -> None:
    client = ClientExchange(SCRAM_SHA_256_PLUS, b"n", OTHER_BINDING)
    with pytest.raises(AuthorizationRefused, match="SCRAM channel binding check failed"):
        log_in(server(BINDING), client, SCRAM_SHA_256_PLUS)


def test_a_client_that_did_not_see_our_offer_to_bind_is_refused() -> None:
    with pytest.raises(AuthorizationRefused, match="SCRAM channel binding negotiation error"):
        server(BINDING).first(SCRAM_SHA_256, b"y,,n=,r=abc")


def test_a_client_that_could_bind_logs_in_where_nothing_is_offered() -> None:
    client = ClientExchange(SCRAM_SHA_256, b"n", BINDING)
    assert client.first() == b"y,,n=,r=n"
    log_in(server(), client, SCRAM_SHA_256)


def test_a_client_that_cannot_bind_logs_in_where_it_is_offered() -> None:
    log_in(server(BINDING), ClientExchange(SCRAM_SHA_256, b"n", None), SCRAM_SHA_256)


@pytest.mark.parametrize(
    ("mechanism", "message", "fault", "words"),
    [
        (SCRAM_SHA_256, b"", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"n,", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"x,,n=,r=abc", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"n,,n=,r=a\0c", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"n,x,n=,r=abc", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"n,,r=abc,n=", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"n,,n=", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256, b"p=tls-server-end-point,,n=,r=abc", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256_PLUS, b"n,,n=,r=abc", FrameError, "malformed SCRAM message"),
        (SCRAM_SHA_256_PLUS, b"p=tls-unique,,n=,r=abc", FrameError, "unsupported SCRAM channel-binding type"),
        (SCRAM_SHA_256, b"n,,n=,r=", FrameError, "non-printable characters in SCRAM nonce"),
        (SCRAM_SHA_256, b"n,,n=,r=a\x7fc", FrameError, "non-printable characters in SCRAM nonce"),
        (SCRAM_SHA_256, b"n,a=eve,n=,r=abc", UnsupportedFeature, "authorization identity"),
        (SCRAM_SHA_256, b"n,,m=x,n=,r=abc", UnsupportedFeature, "unsupported SCRAM extension"),
    ],
)
def test_a_first_message_that_postgresql_refuses_is_refused(
    mechanism: bytes, message: bytes, fault: type[ClientFault], words: str
) -> None:
    with pytest.raises(fault, match=words):
        server(BINDING).first(mechanism, message)


def proof_of(message: bytes) -> bytes:
    return message + b",p=" + base64.b64encode(bytes(32))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"", "malformed"),
        (b"c=biws,r=abcservernonce", "malformed"),
        (b"c=biws,r=abcservernonce,p=AAAA", "malformed"),
        (b"c=biws,r=abcservernonce,p=?", "malformed"),
        (proof_of(b"r=abcservernonce"), "malformed"),
        (proof_of(b"c=eSws,r=abcservernonce"), "unexpected SCRAM channel-binding attribute"),
        (proof_of(b"c=biws,r=abc"), "nonce does not match"),
        (proof_of(b"c=biws,r=abcservernonc\xff"), "nonce does not match"),
    ],
)
def test_a_final_message_that_postgresql_refuses_is_refused(message: bytes, words: str) -> None:
    ours = server()
    ours.first(SCRAM_SHA_256, PLAIN_FIRST)
    with pytest.raises(FrameError, match=words):
        ours.final(message)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_refused_cleanly(first: bytes, final: bytes) -> None:
    ours = server(BINDING)
    with pytest.raises(ClientFault):
        ours.final(final)
    with contextlib.suppress(ClientFault):
        ours.first(SCRAM_SHA_256, b"n,," + first)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"r=abc,s=c2FsdA==,i=4096",
        b"r=xyzservernonce,s=c2FsdA==,i=4096",
        b"r=abcservernonce,s=?,i=4096",
        b"r=abcservernonce,s=c2FsdA==",
        b"r=abcservernonce,s=c2FsdA==,i=0",
        b"r=abcservernonce,s=c2FsdA==,i=-1",
        b"r=abcservernonce,s=c2FsdA==,i=99999999999",
    ],
)
def test_a_challenge_that_libpq_refuses_is_the_origin_s_fault(message: bytes) -> None:
    with pytest.raises(OriginProtocolError):
        ClientExchange(SCRAM_SHA_256, b"abc", None).challenge(message)


@pytest.mark.parametrize("message", [b"", b"e=other-error", b"v=AAAA", b"v=" + base64.b64encode(bytes(32))])
def test_a_server_that_does_not_know_our_secret_is_found_out(message: bytes) -> None:
    client = ClientExchange(SCRAM_SHA_256, b"abc", None)
    client.challenge(b"r=abcservernonce,s=c2FsdA==,i=4096")
    client.final(KEYS)
    with pytest.raises(OriginProtocolError):
        client.verify(message)


def test_an_origin_that_speaks_no_scram_is_told_from_one_that_does() -> None:
    with pytest.raises(OriginProtocolError, match="none of the server's SASL authentication mechanisms"):
        scram.choose_mechanism([b"OAUTHBEARER"], None)


@settings(max_examples=20, deadline=None)
@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12),
    st.sampled_from([None, BINDING]),
)
def test_scramp_as_a_client_logs_in_to_us(password: str, binding: bytes | None) -> None:
    bound = None if binding is None else ("tls-server-end-point", binding)
    offered = [mechanism.decode() for mechanism in scram.mechanisms(binding)]
    make_client = cast("Callable[..., Any]", scramp.ScramClient)
    client = make_client(offered, "user", password, channel_binding=bound)
    ours = ServerExchange(make_secret(password, SALT, 4096), b"servernonce", binding)
    client.set_server_first(
        ours.first(client.mechanism_name.encode(), client.get_client_first().encode()).decode()
    )
    client.set_server_final(ours.final(client.get_client_final().encode()).decode())


class Listener:
    """A server that only logs one client in: libpq, which brings its own idea of SCRAM and of TLS."""

    def __init__(self, context: ssl.SSLContext | None, binding: bytes | None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self._context = context
        self._exchange = ServerExchange(SECRET, b"servernonce", binding)
        self._offered = scram.mechanisms(binding)
        self.mechanism = b""
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"host=127.0.0.1 port={self._socket.getsockname()[1]} user=ada dbname=ada gssencmode=disable"

    def _serve(self) -> None:
        with self._socket, self._socket.accept()[0] as plain:
            plain.settimeout(10)
            if self._context is None:
                self._log_in(plain)
                return
            assert plain.recv(100) == startup.SSL_REQUEST
            plain.sendall(b"S")
            with self._context.wrap_socket(plain, server_side=True) as client:
                self._log_in(client)

    def _log_in(self, client: socket.socket) -> None:
        found = startup.read_packet(client.recv(1000))
        assert found is not None
        frames = FrameSplitter(frontend.AUTHENTICATION_MESSAGE)
        client.sendall(backend.authentication_sasl(self._offered))
        (frame,) = frames.feed(client.recv(1000))
        self.mechanism, message = frontend.read_sasl_initial_response(frame.raw)
        client.sendall(backend.authentication_sasl_continue(self._exchange.first(self.mechanism, message)))
        (frame,) = frames.feed(client.recv(1000))
        try:
            final = backend.authentication_sasl_final(self._exchange.final(frame.body))
        except AuthenticationFailed as failure:
            client.sendall(backend.error_response("FATAL", failure.sqlstate, str(failure)))
            return
        client.sendall(final + backend.AUTHENTICATION_OK_FRAME + backend.READY_IDLE)
        assert client.recv(100) == frontend.TERMINATE_FRAME


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha384")
    out = ("-keyout", str(path), "-out", str(path))
    command = ["openssl", "req", "-x509", *key, "-subj", "/CN=localhost", *out]
    subprocess.run(command, check=True, capture_output=True)
    return path


def context_of(certificate: Path) -> tuple[ssl.SSLContext, bytes | None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    pem = certificate.read_text()
    return context, end_point_hash(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :]))


def test_libpq_logs_in_to_us_without_tls() -> None:
    listener = Listener(None, None)
    psycopg.connect(listener.address + " sslmode=disable password=pencil").close()
    listener.thread.join()
    assert listener.mechanism == SCRAM_SHA_256


def test_libpq_insists_on_binding_the_channel_and_logs_in_to_us(certificate: Path) -> None:
    listener = Listener(*context_of(certificate))
    psycopg.connect(listener.address + " sslmode=require channel_binding=require password=pencil").close()
    listener.thread.join()
    assert listener.mechanism == SCRAM_SHA_256_PLUS


def test_libpq_reports_a_wrong_password_as_such() -> None:
    listener = Listener(None, None)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(listener.address + " sslmode=disable password=wrong")
    listener.thread.join()


@pytest.mark.parametrize("iterations", [b"1000001", b"2147483648", b"9999999999"])
def test_an_origin_that_wants_endless_work_is_refused(iterations: bytes) -> None:
    client = ClientExchange(SCRAM_SHA_256, b"Y2xpZW50", None)
    client.first()
    with pytest.raises(OriginProtocolError, match="iterations"):
        client.challenge(b"r=Y2xpZW50c2VydmVy,s=c2FsdA==,i=" + iterations)
