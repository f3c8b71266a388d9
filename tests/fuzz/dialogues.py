"""Both logins with a hostile other end: honest words, bent, cut, doubled, in a wrong order, or noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, final

from proxy.errors import OrreryError
from proxy.net.origin import introduction
from proxy.session.credentials import Credential, Md5Stored, PasswordKnown, ScramStored
from proxy.session.handshake import OriginLogin, admit
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND, FRONTEND, FrameSplitter, Side
from proxy.wire.passwords import derive_keys, make_secret, md5_response, md5_secret
from proxy.wire.scram import SCRAM_SHA_256, ClientExchange, ServerExchange
from tests.fuzz import origin_side
from tests.fuzz.damage import noise, pieces, sometimes_damaged
from tests.fuzz.subject import Step
from tests.proxy.session.world import learnt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from random import Random

    from proxy.wire.framing import Frame

T = TypeVar("T")

_NONCE: Final = b"bm9uY2U="
_SALT: Final = b"0123456789abcdef"
_SECRET: Final = make_secret("pencil", _SALT, 2)
_KNOWN: Final = PasswordKnown("pencil", _SECRET)
_MD5: Final = Md5Stored(md5_secret("alice", "pencil"))
_MD5_SALT: Final = b"salt"


def _play(dialogue: Generator[bytes, Frame, object], side: Side, steps: Sequence[Step]) -> str:
    """``admitted``, ``refused`` or ``waits`` for more."""
    splitter = FrameSplitter(1 << 16, side)
    try:
        next(dialogue)
        for _, data in steps:
            for frame in splitter.feed(data):
                dialogue.send(frame)
    except StopIteration:
        return "admitted"
    except OrreryError:
        return "refused"
    return "waits"


def _steps(random: Random, honest: Sequence[bytes], strange: Callable[[Random], bytes]) -> list[Step]:
    said = [sometimes_damaged(random, word, 0.25) for word in honest]
    if random.random() < 0.3:
        random.shuffle(said)
    if random.random() < 0.4:
        said.insert(random.randrange(len(said) + 1), strange(random))
    return [Step("say", piece) for word in said for piece in pieces(random, word)]


@final
class ClientLogin:
    """The proxy admits; the first step's word is the form of the stored password."""

    name = "login"

    def make(self, random: Random) -> list[Step]:
        """A client's words in its login."""
        form = random.choice(("password", "secret", "md5"))
        honest = (
            [frontend.password(md5_response(_MD5.secret, _MD5_SALT))] if form == "md5" else _scram_words()
        )
        return [Step(form), *_steps(random, honest, lambda random: frontend.password(_word(random)))]

    def play(self, steps: Sequence[Step]) -> str:
        """A client may be refused; nothing else may happen."""
        forms: dict[str, Credential] = {"password": _KNOWN, "secret": ScramStored(_SECRET), "md5": _MD5}
        form = steps[0].what if steps else ""
        credential = forms.get(form, _KNOWN)
        return _play(admit("alice", credential, _NONCE, _MD5_SALT, None), FRONTEND, steps)


@final
class OriginEnd:
    """The proxy logs in, and asks a new connection who it is."""

    name = "origin login"

    def make(self, random: Random) -> list[Step]:
        """An origin's words: the login, or (``asked``) what follows it."""
        if random.random() < 0.4:
            row = [sometimes_damaged(random, value.encode(), 0.02) for value in learnt()]
            honest = [backend.PARSE_COMPLETE_FRAME, backend.BIND_COMPLETE_FRAME, backend.data_row(row)]
            honest += [backend.command_complete(b"SELECT 1"), backend.READY_IDLE]
            return [Step("asked"), *_steps(random, honest, origin_side.replies)]
        return [Step("login"), *_steps(random, [*_origin_words(random), *_GREETING], origin_side.replies)]

    def play(self, steps: Sequence[Step]) -> str:
        """An origin may be refused; nothing else may happen."""
        if steps and steps[0].what == "asked":
            return _play(introduction(), BACKEND, steps)
        login = OriginLogin("alice", _KNOWN, _NONCE, None, tls=False)
        return _play(login.run({"user": "alice"}), BACKEND, steps)


_GREETING: Final = (
    backend.AUTHENTICATION_OK_FRAME,
    backend.parameter_status("TimeZone", "UTC"),
    backend.backend_key_data(4711, b"key!"),
    backend.READY_IDLE,
)


def _word(random: Random) -> bytes:
    known = (
        b"n,,n=,r=abc",
        b"y,,n=,r=",
        b"p=tls-server-end-point,,n=,r=a",
        b"c=biws,r=x,p=eA==",
        noise(random),
    )
    return sometimes_damaged(random, random.choice(known), 0.5).replace(b"\0", b"")


def _scram_words() -> list[bytes]:
    """What a client with the right password says."""
    client = ClientExchange(SCRAM_SHA_256, b"Y2xpZW50", None)
    first = client.first()
    challenge = client.challenge(ServerExchange(_SECRET, _NONCE, None).first(SCRAM_SHA_256, first))
    keys = derive_keys("pencil", challenge.salt, challenge.iterations)
    return [
        frontend.sasl_initial_response(SCRAM_SHA_256, first),
        frontend.sasl_response(client.final(keys)),
    ]


def _origin_words(random: Random) -> list[bytes]:
    """What an origin that knows the secret says."""
    if random.random() < 0.2:
        return [backend.authentication_md5_password(_MD5_SALT)]
    client = ClientExchange(SCRAM_SHA_256, _NONCE, None)
    server = ServerExchange(_SECRET, b"b3JpZ2lu", None)
    first = server.first(SCRAM_SHA_256, client.first())
    client.challenge(first)
    last = server.final(client.final(derive_keys("pencil", _SALT, 2)))
    many = random.choice((b"i=2", b"i=2", b"i=9999999999", b"i=2147483648", b"i=0", b"i=-1", b"i=\xb2"))
    return [
        backend.authentication_sasl((SCRAM_SHA_256,)),
        backend.authentication_sasl_continue(first.replace(b"i=2", many)),
        backend.authentication_sasl_final(last),
    ]
