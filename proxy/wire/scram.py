"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both ends, as computation: messages in, messages out.

Nonces are parameters: nothing here is random, nothing waits. The server end verifies with a stored secret
alone (no PBKDF2) and gives out the client's key, with which we log in to the origin as that client.
Source: RFC 5802, section 7 "Formal Syntax"; RFC 7677; PostgreSQL docs, sasl-authentication, "SCRAM-SHA-256
Authentication"; rules and wording where these are silent: PostgreSQL's auth-scram.c and fe-auth-scram.c.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, final

from proxy.errors import (
    AuthenticationFailed,
    AuthorizationRefused,
    FrameError,
    OriginProtocolError,
    OrreryError,
    UnsupportedFeature,
)
from proxy.wire.passwords import ScramKeys, ScramSecret

SCRAM_SHA_256: Final = b"SCRAM-SHA-256"
SCRAM_SHA_256_PLUS: Final = b"SCRAM-SHA-256-PLUS"
# Random bytes in a nonce, before base64: SCRAM_RAW_NONCE_LEN of PostgreSQL's scram-common.h.
NONCE_BYTES: Final = 18
# Every session waits while keys are derived, half a second for as many as this. PostgreSQL's default is 4096.
MAX_ITERATIONS: Final = 1_000_000

_MALFORMED: Final = "malformed SCRAM message"
_BOUND_FLAG: Final = b"p=tls-server-end-point"


class Challenge(NamedTuple):
    """What a client needs to know before it can derive its keys from a password."""

    salt: bytes
    iterations: int


def mechanisms(binding: bytes | None) -> tuple[bytes, ...]:
    """What a server offers. ``binding``: its certificate's end point hash where the client came by TLS."""
    return (SCRAM_SHA_256,) if binding is None else (SCRAM_SHA_256_PLUS, SCRAM_SHA_256)


def choose_mechanism(offered: Sequence[bytes], binding: bytes | None) -> bytes:
    """The best of the mechanisms a server offered; ``OriginProtocolError`` where we speak none of them."""
    for mechanism in mechanisms(binding):
        if mechanism in offered:
            return mechanism
    raise OriginProtocolError("none of the server's SASL authentication mechanisms are supported")


@final
class ServerExchange:
    """The server's end of one login: ``first``, then ``final``, each once.

    ``nonce`` is base64 of ``NONCE_BYTES`` random bytes; ``binding`` as given to ``mechanisms``. Both methods
    raise ``FrameError`` for what is not SCRAM, ``AuthorizationRefused`` for a channel binding that does not
    hold, and ``UnsupportedFeature`` for what PostgreSQL does not support either.
    """

    __slots__ = (
        "_binding",
        "_expected_binding",
        "_first_bare",
        "_nonce",
        "_secret",
        "_server_first",
        "client_key",
    )

    def __init__(self, secret: ScramSecret, nonce: bytes, binding: bytes | None) -> None:
        self._secret = secret
        self._binding = binding
        self._nonce = nonce  # ours; from ``first`` on the client's and ours
        self._first_bare = b""
        self._server_first = b""
        self._expected_binding = b""
        self.client_key = b""  # recovered by ``final``

    def first(self, mechanism: bytes, message: bytes) -> bytes:
        """Read client-first-message, return server-first-message."""
        if mechanism not in mechanisms(self._binding):
            raise FrameError("client selected an invalid SASL authentication mechanism")
        flag, bare = _split_first(message)
        _check_flag(flag, mechanism, offered=self._binding is not None)
        bound = self._binding if mechanism == SCRAM_SHA_256_PLUS else None
        self._expected_binding = flag + b",," + (bound or b"")
        attributes = iter(bare.split(b","))
        if bare.startswith(b"m="):
            raise UnsupportedFeature("client requires an unsupported SCRAM extension")
        _attribute(
            attributes, b"n", FrameError
        )  # PostgreSQL takes the user of the startup packet, and so do we
        client_nonce = _attribute(attributes, b"r", FrameError)
        if not client_nonce or not all(0x21 <= octet <= 0x7E for octet in client_nonce):
            raise FrameError("non-printable characters in SCRAM nonce")
        self._nonce = client_nonce + self._nonce
        self._first_bare = bare
        salt = b64encode(self._secret.salt)
        self._server_first = b"r=%s,s=%s,i=%d" % (self._nonce, salt, self._secret.iterations)
        return self._server_first

    def final(self, message: bytes) -> bytes:
        """Read client-final-message, return server-final-message.

        Raises ``AuthenticationFailed`` where the proof does not fit the secret.
        """
        without_proof, _, proof = message.rpartition(b",p=")
        attributes = iter(without_proof.split(b","))
        self._check_binding(_attribute(attributes, b"c", FrameError))
        if not hmac.compare_digest(_attribute(attributes, b"r", FrameError), self._nonce):
            raise FrameError("invalid SCRAM response: nonce does not match")
        exchange = b",".join((self._first_bare, self._server_first, without_proof))
        signature = hmac.digest(self._secret.stored_key, exchange, "sha256")
        client_key = _xor(_decode(proof, len(signature), FrameError), signature)
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self._secret.stored_key):
            raise AuthenticationFailed("password authentication failed")
        self.client_key = client_key
        return b"v=" + b64encode(hmac.digest(self._secret.server_key, exchange, "sha256"))

    def _check_binding(self, sent: bytes) -> None:
        if hmac.compare_digest(sent, b64encode(self._expected_binding)):
            return
        if self._expected_binding.startswith(b"p"):
            raise AuthorizationRefused("SCRAM channel binding check failed")
        raise FrameError("unexpected SCRAM channel-binding attribute in client-final-message")


@final
class ClientExchange:
    """The client's end of one login: ``first``, ``challenge``, ``final``, ``verify``, in this order.

    ``mechanism`` comes from ``choose_mechanism``; ``nonce`` is base64 of ``NONCE_BYTES`` random bytes;
    ``binding`` is the end point hash of the server's certificate, None without TLS. What the server does
    wrong is an ``OriginProtocolError``.
    """

    __slots__ = ("_bare", "_binding", "_exchange", "_header", "_nonce", "_server_first", "_server_key")

    def __init__(self, mechanism: bytes, nonce: bytes, binding: bytes | None) -> None:
        bound = mechanism == SCRAM_SHA_256_PLUS
        # The letter y: we could bind the channel, and the server did not offer it.
        unbound_flag = b"n" if binding is None else b"y"
        self._header = (_BOUND_FLAG if bound else unbound_flag) + b",,"
        self._binding = self._header + (binding or b"") if bound else self._header
        self._nonce = nonce
        self._bare = b"n=,r=" + nonce
        self._server_first = b""
        self._exchange = b""
        self._server_key = b""

    def first(self) -> bytes:
        """client-first-message. The user is left out: PostgreSQL takes the one of the startup packet."""
        return self._header + self._bare

    def challenge(self, message: bytes) -> Challenge:
        """Read server-first-message."""
        attributes = iter(message.split(b","))
        nonce = _attribute(attributes, b"r", OriginProtocolError)
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise OriginProtocolError("invalid SCRAM response (nonce mismatch)")
        salt = _decode(_attribute(attributes, b"s", OriginProtocolError), None, OriginProtocolError)
        iterations = _attribute(attributes, b"i", OriginProtocolError)
        if not iterations.isdigit() or len(iterations) > 10 or not int(iterations):
            raise OriginProtocolError("malformed SCRAM message (invalid iteration count)")
        if int(iterations) > MAX_ITERATIONS:
            raise OriginProtocolError(
                f"the origin wants {int(iterations)} SCRAM iterations, more than {MAX_ITERATIONS}"
            )
        self._nonce = nonce
        self._server_first = message
        return Challenge(salt, int(iterations))

    def final(self, keys: ScramKeys) -> bytes:
        """client-final-message. ``keys`` were derived for the challenge, or recovered from a proof."""
        without_proof = b"c=%s,r=%s" % (b64encode(self._binding), self._nonce)
        self._exchange = b",".join((self._bare, self._server_first, without_proof))
        self._server_key = keys.server_key
        stored_key = hashlib.sha256(keys.client_key).digest()
        proof = _xor(keys.client_key, hmac.digest(stored_key, self._exchange, "sha256"))
        return without_proof + b",p=" + b64encode(proof)

    def verify(self, message: bytes) -> None:
        """Read server-final-message: does the server know our secret?"""
        attributes = iter(message.split(b","))
        signature = _decode(_attribute(attributes, b"v", OriginProtocolError), 32, OriginProtocolError)
        if not hmac.compare_digest(signature, hmac.digest(self._server_key, self._exchange, "sha256")):
            raise OriginProtocolError("incorrect server signature")


def _split_first(message: bytes) -> tuple[bytes, bytes]:
    """The flag that gs2-header begins with, and client-first-message-bare."""
    parts = message.split(b",", 2)
    if len(parts) < 3 or 0 in message:
        raise FrameError(_MALFORMED)
    flag, identity, bare = parts
    if identity.startswith(b"a="):
        raise UnsupportedFeature("client uses authorization identity, but it is not supported")
    if identity:
        raise FrameError(_MALFORMED)
    return flag, bare


def _check_flag(flag: bytes, mechanism: bytes, offered: bool) -> None:
    """The first letter of gs2-header: does the client bind the channel as its mechanism says?"""
    if mechanism == SCRAM_SHA_256_PLUS:
        if not flag.startswith(b"p="):
            raise FrameError(_MALFORMED)
        if flag != _BOUND_FLAG:
            raise FrameError("unsupported SCRAM channel-binding type")
    elif flag == b"y" and offered:
        # The client could bind and saw no offer, but there was one: somebody between us took it away.
        raise AuthorizationRefused("SCRAM channel binding negotiation error")
    elif flag not in (b"n", b"y"):
        raise FrameError(_MALFORMED)


def _attribute(attributes: Iterator[bytes], name: bytes, fault: type[OrreryError]) -> bytes:
    """The value of the next attribute, which must be ``name``. Later ones are nobody's concern."""
    found, _, value = next(attributes, b"").partition(b"=")
    if found != name:
        raise fault(_MALFORMED)
    return value


def _decode(text: bytes, size: int | None, fault: type[OrreryError]) -> bytes:
    """The base64 in ``text``, ``size`` bytes long where that is known."""
    try:
        content = b64decode(text, validate=True)
    except binascii.Error:
        raise fault(_MALFORMED) from None
    if size is not None and len(content) != size:
        raise fault(_MALFORMED)
    return content


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
