"""Every reader of bytes or text on its own: framing, messages, URLs, files, options, our commands, SQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from pydantic import TypeAdapter, ValidationError

from proxy import connection_uri, option_types, origin_url, users_file
from proxy.errors import OrreryError
from proxy.session import probe
from proxy.sql import commands
from proxy.sql.analyse import Context, analyse, analyse_without_catalogue
from proxy.wire import backend, frontend, startup, trace
from proxy.wire.framing import HEAD, HEADER, FrameScanner
from proxy.wire.passwords import parse_secret
from tests.fuzz import client_side, origin_side
from tests.fuzz.damage import sometimes_damaged
from tests.fuzz.subject import Broken, Step
from tests.proxy.session import sky

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_LIMIT: Final = 1 << 16
_CONTEXT: Final = Context(path=("pg_catalog", "public"))
_WORDS: Final = (
    (Path(__file__).parent.parent / "differential" / "statements.sql").read_bytes().split(b"\n"),
    (Path(__file__).parent.parent / "differential" / "expressions.sql").read_bytes().split(b"\n"),
)


@final
class SqlTexts:
    """A statement, sound, bent, or glued from two; analysed with a catalogue and without."""

    name = "sql"

    def make(self, random: Random) -> list[Step]:
        """Mostly lines of the differential test's own corpus."""
        lines = random.choice((*_WORDS, client_side.TEXTS))
        glued = b"; ".join(random.choice(lines) for _ in range(random.choice((1, 1, 1, 2))))
        if random.random() < 0.05:
            glued = random.choice((b"(", b"NOT ", b"SELECT (", b" ", b"--\n", b"a,")) * 5000 + glued
        return [Step("text", sometimes_damaged(random, glued, 0.25))]

    def play(self, steps: Sequence[Step]) -> str:
        """Always an analysis; a proof only where a table is read and nothing is written."""
        words = {"none"}
        for _, data in steps:
            text = data.replace(b"\0", b"").decode("utf-8", "replace")
            commands.read(data)
            analyse_without_catalogue(text)
            analysis = analyse(text, _CATALOGUE, _CONTEXT)
            for statement in analysis.statements:
                if not statement.reason and not statement.reads:
                    raise Broken("proven, and reads no table")
            words = {statement.reason or "proven" for statement in analysis.statements} or {"empty"}
        return min(words)


_CATALOGUE: Final = sky.catalogue()


def _told(stream: bytes) -> list[tuple[int, bytes]]:
    """Kinds and bodies; of CopyData what lies in a row as one, for its boundaries mean nothing."""
    told: list[tuple[int, bytes]] = []
    while len(stream) >= HEADER:
        kind, length = HEAD(stream)
        body, stream = stream[HEADER : 1 + length], stream[1 + length :]
        if kind == frontend.COPY_DATA and told and told[-1][0] == kind:
            body = told.pop()[1] + body
        told.append((kind, body))
    return [*told, (0, stream)]


def _scan(make: Callable[[int], FrameScanner]) -> Callable[[bytes], object]:
    def scan(data: bytes) -> object:
        scanner = make(_LIMIT)
        half = len(data) // 2
        found = scanner.scan(data[:half]) + scanner.scan(data[half:])
        held = scanner.release()
        if _told(b"".join(raw for _, raw, _ in found) + held) != _told(data) or len(held) > _LIMIT:
            raise Broken("the stream does not come out as it went in")
        return found

    return scan


def _bind(data: bytes) -> object:
    return frontend.bind_parameters(data) if frontend.bind_is_well_formed(data) else None


def _of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "surrogateescape").replace("\0", ""))


def _first_packet(data: bytes) -> object:
    found = startup.read_packet(data)
    return found and trace.packet_line(found[0])


def _a_client_message(random: Random) -> bytes:
    return client_side.messages(random)


def _first(random: Random) -> bytes:
    return client_side.first_packet(random, {"user": "alice", "database": "sky"})


def _url(random: Random) -> bytes:
    parts = (
        b"postgresql://",
        b"postgres://",
        b"u:p@",
        b"[::1]",
        b"host",
        b":5432",
        b"/db",
        b"?",
        b"&",
        b"%41",
    )
    more = (
        b"sslmode=require",
        b"connect_timeout=",
        b"host=/tmp",
        b"port=1,2",
        b"=",
        b"%",
        b"%zz",
        b"9" * 5000,
    )
    return b"postgresql://" + b"".join(random.choice(parts + more) for _ in range(random.randrange(8)))


def _option(random: Random) -> bytes:
    known = (b"127.0.0.1:80", b"[::1]:0", b"off", b"128MiB", b"1", b"on", b"a.b,c.d", b"\xb2", b"9" * 5000)
    return random.choice(known)


def _users(random: Random) -> bytes:
    secret = b"SCRAM-SHA-256$4096:c2FsdA==$" + b"A" * 43 + b"=:" + b"A" * 43 + b"="
    lines = (b"ann secret", b'"a""b" "c"', b"# x", b"", b"x " + secret, secret, b'"a" "', b"md5" + b"0" * 32)
    return b"\n".join(random.choices(lines, k=random.randrange(4)))


def _own(random: Random) -> bytes:
    known = (b"SHOW orrery.last", b"SHOW orrery.why 'a'", b"SET orrery.cache = on", b"ORRERY PURGE TABLE a.b")
    return (
        random.choice(known)
        + random.choice((b"", b" ", b" " * 50_000, b"--\n" * 20_000, b"/*" * 20_000))
        + b"!"
    )


_Maker = Callable[["Random"], bytes]
# What is read, and what it is made from before it is damaged.
_READERS: Final[dict[str, tuple[Callable[[bytes], object], _Maker]]] = {
    "client stream": (_scan(frontend.scanner), _a_client_message),
    "origin stream": (_scan(backend.scanner), origin_side.replies),
    "client line": (lambda data: trace.client_line(data or b"?"), client_side.query),
    "server line": (lambda data: trace.server_line(data or b"?"), origin_side.replies),
    "bind": (_bind, client_side.tail),
    "first packet": (_first_packet, _first),
    "probe": (probe.read, origin_side.replies),
    "url": (_of_text(lambda text: origin_url.OriginUrl.parse(text, {})), _url),
    "uri": (_of_text(connection_uri.read), _url),
    "address": (_of_text(TypeAdapter(option_types.OptionalAddress).validate_python), _option),
    "bytes": (_of_text(TypeAdapter(option_types.Bytes).validate_python), _option),
    "switch": (_of_text(TypeAdapter(option_types.Switch).validate_python), _option),
    "patterns": (_of_text(TypeAdapter(option_types.Patterns).validate_python), _option),
    "secret": (_of_text(parse_secret), _users),
    "users": (lambda data: users_file.users_in(data, Path("users")), _users),
    "own commands": (commands.read, _own),
}


@final
class Readers:
    """Steps name the reader and hold what it reads."""

    name = "readers"

    def make(self, random: Random) -> list[Step]:
        """One reader, one text."""
        name = random.choice(list(_READERS))
        return [Step(name, sometimes_damaged(random, _READERS[name][1](random), 0.5))]

    def play(self, steps: Sequence[Step]) -> str:
        """A value, or an error of ours, or one that the settings turn into a sentence."""
        for name, data in steps:
            try:
                _READERS[name][0](data)
            except (OrreryError, ValidationError):
                return "refused"
        return "read"
