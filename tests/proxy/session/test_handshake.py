"""session.handshake: both logins against each other, and what each end refuses."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from proxy.session.handshake import OriginGreeting, OriginLogin, admit
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from proxy.wire.passwords import make_secret, md5_secret
from proxy.wire.scram import SCRAM_SHA_256
from proxy.wire.startup import negotiate_protocol_version

SALT, MD5_SALT = b"0123456789abcdef", b"salt"
SECRET = make_secret("pencil", SALT, 5)
KNOWN = PasswordKnown("pencil", SECRET)
MD5 = Md5Stored(md5_secret("alice", "pencil"))
PARAMETERS = {"user": "alice", "database": "sky"}
GREETING = b"".join(
    (
        backend.AUTHENTICATION_OK_FRAME,
        backend.notice_response("NOTICE", "00000", "hello"),
        backend.parameter_status("TimeZone", "UTC"),
        backend.backend_key_data(4711, b"key!"),
        backend.READY_IDLE,
    )
)


class Ends:
    """A client that logs in as we do, and a server that admits as we do, joined by their frames."""

    def __init__(
        self, credential: Credential, key: LoginKey, binding: bytes | None = None, *, must_bind: bool = False
    ) -> None:
        self.server = admit("alice", credential, b"c2VydmVy", MD5_SALT, binding)
        tls = binding is not None
        self.login = OriginLogin("alice", key, b"Y2xpZW50", binding, tls=tls, must_bind=must_bind)
        self.admitted: tuple[LoginKey, bytes] | None = None
        self.greeting: OriginGreeting | None = None

    def run(self) -> OriginGreeting:
        client = self._client()
        next(client)
        said = self._ask(None)
        while self.greeting is None:
            (frame,) = FrameSplitter(1 << 16).feed(_feed(client, said)) or (None,)
            said = self._ask(frame) if frame is not None else b""
        return self.greeting

    def _client(self) -> Generator[bytes, Frame, None]:
        self.greeting = yield from self.login.run(PARAMETERS)

    def _ask(self, frame: Frame | None) -> bytes:
        try:
            return next(self.server) if frame is None else self.server.send(frame)
        except StopIteration as end:
            self.admitted = end.value
            return self.admitted[1] + GREETING if self.admitted else b""


def _feed(client: Generator[bytes, Frame, None], said: bytes) -> bytes:
    answer = b""
    with suppress(StopIteration):
        for frame in FrameSplitter(1 << 16, BACKEND).feed(said):
            answer += client.send(frame)
    return answer


def test_an_origin_that_reports_settings_without_end_is_not_listened_to() -> None:
    login = OriginLogin("alice", KNOWN, b"Y2xpZW50", None, tls=False).run(PARAMETERS)
    next(login)
    login.send(Frame(backend.AUTHENTICATION, backend.AUTHENTICATION_OK_FRAME))
    reports = (backend.parameter_status(f"x{number}", "") for number in range(100_000))
    with pytest.raises(OriginProtocolError):
        deque((login.send(Frame(backend.PARAMETER_STATUS, raw)) for raw in reports), maxlen=0)


@pytest.mark.parametrize("binding", [None, b"hash of the certificate"], ids=["plain", "bound"])
@pytest.mark.parametrize("credential", [KNOWN, ScramStored(SECRET)], ids=["password", "secret"])
def test_the_two_ends_agree_by_scram(credential: Credential, binding: bytes | None) -> None:
    ends = Ends(credential, KNOWN, binding)
    greeting = ends.run()
    assert greeting.statuses == {"TimeZone": "UTC"}
    assert (greeting.process_id, greeting.secret) == (4711, b"key!")
    assert ends.login.asked


def test_notices_of_a_login_are_kept_for_the_client() -> None:
    assert Ends(KNOWN, KNOWN).run().notices == [backend.notice_response("NOTICE", "00000", "hello")]


@pytest.mark.parametrize("admitted", [False, True])
def test_a_refusal_tells_whether_the_proof_had_been_taken(admitted: bool) -> None:
    error = backend.error_response("FATAL", "3D000", "no such database")
    said = (backend.AUTHENTICATION_OK_FRAME, error) if admitted else (error,)
    with pytest.raises(OriginRefused) as refusal:
        origin_says(OriginLogin("alice", KNOWN, b"n", None, tls=False), *said)
    assert (refusal.value.admitted, refusal.value.fields) == (admitted, error)


def test_a_client_that_proved_itself_against_a_secret_lends_us_its_keys() -> None:
    ends = Ends(ScramStored(SECRET), KNOWN)
    ends.run()
    assert ends.admitted is not None
    recovered = ends.admitted[0]
    assert isinstance(recovered, RecoveredKeys)
    assert Ends(ScramStored(SECRET), recovered).run().process_id == 4711


@pytest.mark.soundness("7.1")
def test_recovered_keys_are_of_no_use_after_the_password_was_changed() -> None:
    ends = Ends(ScramStored(SECRET), KNOWN)
    ends.run()
    assert ends.admitted is not None
    changed = make_secret("pencil", b"another salt....", 5)
    with pytest.raises(AuthenticationFailed):
        Ends(ScramStored(changed), ends.admitted[0]).run()


@pytest.mark.parametrize("key", [MD5, PasswordKnown("pencil", SECRET)], ids=["stored", "password"])
def test_the_two_ends_agree_by_md5(key: LoginKey) -> None:
    ends = Ends(MD5, key)
    assert ends.run().process_id == 4711
    assert ends.admitted == (MD5, b"")


def test_a_trusted_client_is_asked_for_nothing() -> None:
    ends = Ends(Trusted(), Trusted())
    assert ends.run().process_id == 4711
    assert not ends.login.asked


@pytest.mark.soundness("7.1")
@given(wrong=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=10))
@settings(max_examples=20, deadline=None)
def test_any_other_password_is_refused_in_one_wording(wrong: str) -> None:
    if wrong == "pencil":
        return
    for credential in (KNOWN, ScramStored(SECRET), MD5):
        with pytest.raises(AuthenticationFailed, match=r'^password authentication failed for user "alice"$'):
            Ends(credential, PasswordKnown(wrong, SECRET)).run()


@pytest.mark.parametrize("credential", [KNOWN, MD5], ids=["scram", "md5"])
def test_a_client_that_says_something_else_is_refused(credential: Credential) -> None:
    dialogue = admit("alice", credential, b"c2VydmVy", MD5_SALT, None)
    next(dialogue)
    with pytest.raises(AuthenticationFailed):
        dialogue.send(Frame(frontend.QUERY, frontend.query(b"SELECT 1")))


def origin_says(login: OriginLogin, *frames: bytes) -> bytes:
    dialogue = login.run(PARAMETERS)
    next(dialogue)
    return b"".join(dialogue.send(Frame(frame[0], frame)) for frame in frames)


CLEARTEXT = b"R\0\0\0\x08\0\0\0\x03"


def test_a_password_goes_out_in_clear_text_by_tls_only() -> None:
    safe = OriginLogin("alice", KNOWN, b"n", None, tls=True)
    assert origin_says(safe, CLEARTEXT) == frontend.password(b"pencil")
    with pytest.raises(OriginProtocolError):
        origin_says(OriginLogin("alice", KNOWN, b"n", None, tls=False), CLEARTEXT)


@pytest.mark.parametrize("key", [Trusted(), MD5])
def test_who_has_no_password_cannot_tell_it(key: LoginKey) -> None:
    with pytest.raises(AuthenticationFailed):
        origin_says(OriginLogin("alice", key, b"n", None, tls=True), CLEARTEXT)


@pytest.mark.parametrize(
    "asked",
    [
        CLEARTEXT,
        b"R\0\0\0\x0c\0\0\0\x05salt",
        backend.authentication_sasl((SCRAM_SHA_256,)),
        backend.AUTHENTICATION_OK_FRAME,
    ],
    ids=["password", "md5", "unbound", "trust"],
)
def test_where_the_channel_must_be_bound_nothing_is_told_by_another(asked: bytes) -> None:
    login = OriginLogin("alice", KNOWN, b"n", b"end point", tls=True, must_bind=True)
    with pytest.raises(OriginProtocolError, match="channel_binding=require: the origin does not bind"):
        origin_says(login, asked)


def test_where_the_channel_must_be_bound_a_bound_login_is_let_in() -> None:
    ends = Ends(ScramStored(SECRET), KNOWN, b"end point", must_bind=True)
    assert ends.run().process_id == 4711


def test_a_refusal_of_the_origin_keeps_its_own_words() -> None:
    error = backend.error_response("FATAL", "3D000", 'database "sky" does not exist')
    with pytest.raises(OriginRefused, match="does not exist") as caught:
        origin_says(OriginLogin("alice", KNOWN, b"n", None, tls=False), error)
    assert (caught.value.sqlstate, caught.value.fields) == ("3D000", error)


def test_notices_and_an_older_protocol_are_no_reason_to_stop() -> None:
    login = OriginLogin("alice", Trusted(), b"n", None, tls=False)
    notice = backend.notice_response("WARNING", "01000", "hello")
    assert origin_says(login, negotiate_protocol_version(()), notice, backend.AUTHENTICATION_OK_FRAME) == b""


def test_an_origin_that_says_something_else_breaks_the_protocol() -> None:
    with pytest.raises(OriginProtocolError):
        origin_says(OriginLogin("alice", KNOWN, b"n", None, tls=False), backend.READY_IDLE)


@pytest.mark.soundness("7.1")
def test_an_origin_that_does_not_know_the_secret_is_not_believed() -> None:
    ends = Ends(ScramStored(SECRET), KNOWN)
    client = ends.login.run(PARAMETERS)
    next(client)
    first = client.send(_only(next(ends.server)))
    second = client.send(_only(ends.server.send(_only(first))))
    assert second
    with pytest.raises(OriginProtocolError):
        client.send(_only(backend.authentication_sasl_final(b"v=" + b"AAAA" * 10 + b"AAA=")))


def _only(raw: bytes) -> Frame:
    return Frame(raw[0], raw)
