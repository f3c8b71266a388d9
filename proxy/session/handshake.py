"""Both logins as dialogues: the client proves itself to us, we prove ourselves to the origin.

A dialogue is a generator: it yields bytes to send and is sent the frame
that came back; its result is returned. Nonces and salts are parameters.
Source: PostgreSQL docs, protocol-flow, "Start-up"; sasl-authentication.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import final

from proxy.errors import AuthenticationFailed, OriginProtocolError, OriginRefused
from proxy.session.credentials import (
    Credential,
    LoginKey,
    Md5Stored,
    PasswordKnown,
    RecoveredKeys,
    ScramStored,
    Trusted,
)
from proxy.wire import backend, frontend, startup
from proxy.wire.framing import Frame
from proxy.wire.passwords import ScramKeys, derive_keys, md5_response, md5_secret
from proxy.wire.scram import (
    SCRAM_SHA_256_PLUS,
    ClientExchange,
    ServerExchange,
    choose_mechanism,
    mechanisms,
)

# What an origin may report at login; PostgreSQL reports about fifteen settings.
_MAX_STATUSES = 1_000

FAILED = 'password authentication failed for user "{}"'
_UNBOUND = "channel_binding=require: the origin does not bind its login to the channel"


def admit(
    user: str, credential: Credential, nonce: bytes, salt: bytes, binding: bytes | None
) -> Generator[bytes, Frame, tuple[LoginKey, bytes]]:
    """Have the client prove itself; with what we log in to the origin, and our last word in the exchange.

    Raises ``AuthenticationFailed`` and whatever ``scram`` raises.

    ``nonce``: base64 of random bytes; ``salt``: 4 random bytes, for md5; ``binding``: the end point hash of
    our certificate where the client came by TLS.
    """
    if isinstance(credential, Trusted):
        return credential, b""
    if isinstance(credential, Md5Stored):
        frame = yield backend.authentication_md5_password(salt)
        if frontend.read_password(_password_frame(frame)) != md5_response(credential.secret, salt):
            raise AuthenticationFailed(FAILED.format(user))
        return credential, b""
    exchange = ServerExchange(credential.secret, nonce, binding)
    frame = yield backend.authentication_sasl(mechanisms(binding))
    mechanism, message = frontend.read_sasl_initial_response(_password_frame(frame))
    frame = yield backend.authentication_sasl_continue(exchange.first(mechanism, message))
    try:
        final_message = exchange.final(_password_frame(frame)[5:])
    except AuthenticationFailed:
        raise AuthenticationFailed(FAILED.format(user)) from None
    last_word = backend.authentication_sasl_final(final_message)
    if isinstance(credential, ScramStored):
        keys = ScramKeys(exchange.client_key, credential.secret.server_key)
        return RecoveredKeys(keys, credential.secret), last_word
    return credential, last_word


def _password_frame(frame: Frame) -> bytes:
    if frame.kind != frontend.PASSWORD:
        raise AuthenticationFailed(f"expected a password message, got message type {frame.kind}")
    return frame.raw


@final
class OriginGreeting:
    """What the origin told at login: its notices (whole frames), its settings, the process id and secret that
    cancel.
    """

    __slots__ = ("notices", "process_id", "secret", "statuses")

    def __init__(self) -> None:
        self.notices: list[bytes] = []
        self.statuses: dict[str, str] = {}
        self.process_id = 0
        self.secret = b""


@final
class OriginLogin:
    """One login to the origin. ``asked`` tells whether the origin wanted any proof at all.

    ``binding`` is the end point hash of the origin's certificate, None without TLS. ``must_bind``: an origin
    that asks for anything else than a bound login is told nothing (channel_binding=require).
    """

    def __init__(
        self,
        user: str,
        key: LoginKey,
        nonce: bytes,
        binding: bytes | None,
        *,
        tls: bool,
        must_bind: bool = False,
    ) -> None:
        self._user = user
        self._key = key
        self._nonce = nonce
        self._binding = binding
        self._tls = tls
        self._unbound = must_bind
        self.asked = False

    def run(self, parameters: dict[str, str]) -> Generator[bytes, Frame, OriginGreeting]:
        """The whole dialogue. Raises ``OriginRefused`` with
        the origin's own error, or ``OriginProtocolError``.
        """
        frame = yield startup.startup_message(parameters)
        while True:
            frame = yield from self._skip_notices(frame)
            if frame.kind != backend.AUTHENTICATION:
                raise OriginProtocolError(f"unexpected message type {frame.kind} during login to the origin")
            code, data = backend.read_authentication(frame.raw)
            if self._unbound and code != backend.SASL:
                raise OriginProtocolError(_UNBOUND)
            if code == backend.AUTHENTICATION_OK:
                break
            self.asked = True
            frame = yield from self._prove(code, data)
        return (yield from self._greeting())

    def _prove(self, code: int, data: bytes) -> Generator[bytes, Frame, Frame]:
        key = self._key
        if code == backend.SASL:
            return (yield from self._scram(data))
        if code == backend.MD5_PASSWORD:
            if isinstance(key, PasswordKnown):
                return (yield frontend.password(md5_response(md5_secret(self._user, key.password), data)))
            if isinstance(key, Md5Stored):
                return (yield frontend.password(md5_response(key.secret, data)))
        if code == backend.CLEARTEXT_PASSWORD and isinstance(key, PasswordKnown):
            if not self._tls:
                raise OriginProtocolError(
                    "the origin wants the password in clear text over a connection without TLS"
                )
            return (yield frontend.password(key.password.encode("utf-8", "surrogateescape")))
        raise AuthenticationFailed(FAILED.format(self._user))

    def _scram(self, data: bytes) -> Generator[bytes, Frame, Frame]:
        mechanism = choose_mechanism(backend.sasl_mechanisms(data), self._binding)
        if self._unbound and mechanism != SCRAM_SHA_256_PLUS:
            raise OriginProtocolError(_UNBOUND)
        exchange = ClientExchange(mechanism, self._nonce, self._binding)
        frame = yield frontend.sasl_initial_response(mechanism, exchange.first())
        challenge = exchange.challenge(_sasl_data(frame, backend.SASL_CONTINUE))
        keys = self._keys_for(challenge.salt, challenge.iterations)
        frame = yield frontend.sasl_response(exchange.final(keys))
        exchange.verify(_sasl_data(frame, backend.SASL_FINAL))
        self._unbound = False
        return (yield b"")

    def _keys_for(self, salt: bytes, iterations: int) -> ScramKeys:
        key = self._key
        if isinstance(key, RecoveredKeys):
            if (key.secret.salt, key.secret.iterations) != (salt, iterations):
                raise AuthenticationFailed(FAILED.format(self._user))  # the password was changed meanwhile
            return key.keys
        if isinstance(key, PasswordKnown):
            return derive_keys(key.password, salt, iterations)
        raise AuthenticationFailed(FAILED.format(self._user))

    def _skip_notices(self, frame: Frame) -> Generator[bytes, Frame, Frame]:
        while frame.kind in (backend.NOTICE_RESPONSE, backend.NEGOTIATE_PROTOCOL_VERSION):
            frame = yield b""
        if frame.kind == backend.ERROR_RESPONSE:
            raise refused(frame.raw)
        return frame

    def _greeting(self) -> Generator[bytes, Frame, OriginGreeting]:
        greeting = OriginGreeting()
        frame = yield b""
        while frame.kind != backend.READY_FOR_QUERY:
            if frame.kind == backend.ERROR_RESPONSE:
                raise refused(frame.raw, admitted=True)
            if frame.kind == backend.NOTICE_RESPONSE:
                greeting.notices.append(frame.raw)
            elif frame.kind == backend.PARAMETER_STATUS:
                name, value = backend.read_parameter_status(frame.raw)
                greeting.statuses[name] = value
                if len(greeting.statuses) > _MAX_STATUSES:
                    raise OriginProtocolError("the origin reports settings without end")
            elif frame.kind == backend.BACKEND_KEY_DATA:
                greeting.process_id, greeting.secret = backend.read_backend_key_data(frame.raw)
            frame = yield b""
        return greeting


def _sasl_data(frame: Frame, expected: int) -> bytes:
    if frame.kind == backend.ERROR_RESPONSE:
        raise refused(frame.raw)
    if frame.kind == backend.AUTHENTICATION:
        code, data = backend.read_authentication(frame.raw)
        if code == expected:
            return data
    raise OriginProtocolError("unexpected message in the origin's SASL exchange")


def refused(raw: bytes, *, admitted: bool = False) -> OriginRefused:
    """The origin's ErrorResponse as an exception that keeps it whole."""
    fields = backend.error_fields(raw)
    message, sqlstate = fields.get("M", "the origin refused the login"), fields.get("C", "08006")
    return OriginRefused(message, raw, sqlstate, admitted=admitted)
