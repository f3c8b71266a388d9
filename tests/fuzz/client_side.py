"""What a client may say: messages in any order, names used again, COPY, and some of it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire import frontend, startup
from proxy.wire.framing import compose
from tests.fuzz.damage import EDGES, count, damaged, length, noise, pieces, sometimes_damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

NAMES: Final = (b"", b"", b"", b"s1", b"s2", b"orrery_probe", b"orrery_refused", b"\xff", b"n" * 70)
TEXTS: Final = (
    b"SELECT name FROM planet",
    b"SELECT name FROM planet WHERE id = $1",
    b"SELECT name FROM star WHERE name = 'now'",
    b"SELECT id FROM moon",
    b"SELECT 1",
    b"",
    b";",
    b"-- nothing",
    b"UPDATE planet SET name = 'x'",
    b"INSERT INTO star VALUES (1, 'x'); SELECT name FROM star",
    b"DELETE FROM planet; COMMIT; SELECT 1/0",
    b"BEGIN",
    b"BEGIN ISOLATION LEVEL SERIALIZABLE",
    b"COMMIT",
    b"ROLLBACK",
    b"COMMIT AND CHAIN",
    b"SAVEPOINT a",
    b"ROLLBACK TO a",
    b"RELEASE a",
    b"SET timezone = 'Asia/Tokyo'",
    b"SET LOCAL search_path = other",
    b"SET ROLE alice",
    b"SELECT set_config('search_path', $1, $2)",
    b"DISCARD ALL",
    b"DEALLOCATE ALL",
    b"DEALLOCATE s1",
    b"RESET ALL",
    b"PREPARE s1 AS SELECT name FROM planet",
    b"EXECUTE s1",
    b"DECLARE c CURSOR FOR SELECT name FROM planet",
    b"FETCH c",
    b"COPY star FROM STDIN",
    b"COPY star TO STDOUT",
    b"DO $$ BEGIN END $$",
    b"CALL mystery()",
    b"CREATE TABLE planet2 (id int)",
    b"DROP DATABASE sky",
    b"CREATE TEMP TABLE planet (id int)",
    b"SELECT pg_advisory_lock(1)",
    b"SELECT pg_advisory_unlock_all()",
    b"LISTEN news",
    b"SHOW orrery.last",
    b"SHOW orrery.why 'SELECT name FROM planet'",
    b"SHOW orrery.queries",
    b"SHOW orrery.nothing",
    b"SET orrery.cache = off",
    b"SET LOCAL orrery.cache = on",
    b"RESET orrery.cache",
    b"ORRERY PURGE",
    b"ORRERY PURGE TABLE planet",
    b"ORRERY",
    b"WITH RECURSIVE a AS (SELECT 1 UNION SELECT * FROM a) SELECT name FROM planet, a",
    b"\xc3\x28",
    b"SELECT " + b"(" * 300 + b"1",
)
_KINDS: Final = b"BCDEFHPQSXdcfp"


def query(random: Random) -> bytes:
    """One Query, or two in a row."""
    return frontend.query(text(random)) * random.choice((1, 1, 1, 2))


def text(random: Random) -> bytes:
    """A statement, sometimes a broken one; never a NUL."""
    found = sometimes_damaged(random, random.choice(TEXTS), 0.08)
    return found.replace(b"\0", b" ")


def tail(random: Random) -> bytes:
    """What Bind says of formats and parameters."""
    if random.random() < 0.5:
        return b"\0\0\0\0\0\0"
    values = [
        random.choice((None, b"", b"1", b"\0\0\0\1", b"other", b"now", noise(random))) for _ in range(2)
    ]
    values = values[: random.randrange(3)]
    sized = b"".join(b"\xff" * 4 if v is None else len(v).to_bytes(4, "big") + v for v in values)
    formats = random.choice((b"\0\0", b"\0\1\0\1", b"\0\2\0\0\0\1", b"\0\1\0\7"))
    results = random.choice((b"\0\0", b"\0\1\0\1", b"\0\2\0\1\0\0", count(random)))
    return formats + len(values).to_bytes(2, "big") + sized + results


def _name(random: Random) -> bytes:
    return random.choice(NAMES)


def _types(random: Random) -> bytes:
    return random.choice((b"", b"", b"\0\0\0\x17", b"\0\0\0\x19" * 2, length(random)))


def _which(random: Random) -> int:
    return random.choice((frontend.STATEMENT, frontend.PORTAL))


def _max_rows(random: Random) -> int:
    return random.choice((0, 0, 0, 1, 2, 0x7FFFFFFF, -1))


def _run(random: Random) -> bytes:
    """Parse, Bind, Describe, Execute as drivers send them."""
    name = _name(random)
    parts = [
        frontend.parse(name, text(random), _types(random)),
        frontend.bind(b"", name, tail(random)),
        frontend.describe(frontend.PORTAL, b""),
        frontend.execute(b"", _max_rows(random)),
    ]
    return b"".join(part for part in parts if random.random() < 0.9)


def _function_call(random: Random) -> bytes:
    return compose(frontend.FUNCTION_CALL, length(random) + tail(random))


def _copy_data(random: Random) -> bytes:
    return compose(frontend.COPY_DATA, noise(random, 40))


def _raw(random: Random) -> bytes:
    """A frame of a known kind with any body."""
    return compose(random.choice(_KINDS), noise(random))


def _unknown(random: Random) -> bytes:
    return compose(random.randrange(256), noise(random))


_MAKERS: Final[Sequence[tuple[int, Callable[[Random], bytes]]]] = (
    (10, query),
    (10, _run),
    (6, lambda random: frontend.parse(_name(random), text(random), _types(random))),
    (6, lambda random: frontend.bind(_name(random), _name(random), tail(random))),
    (4, lambda random: frontend.describe(_which(random), _name(random))),
    (6, lambda random: frontend.execute(_name(random), _max_rows(random))),
    (3, lambda random: frontend.close(_which(random), _name(random))),
    (14, lambda random: frontend.SYNC_FRAME * random.choice((1, 1, 1, 1, 3))),
    (4, lambda _: frontend.FLUSH_FRAME),
    (3, _copy_data),
    (2, lambda _: frontend.COPY_DONE_FRAME),
    (2, lambda random: frontend.copy_fail(noise(random).replace(b"\0", b""))),
    (1, _function_call),
    (1, lambda _: frontend.TERMINATE_FRAME),
    (2, _raw),
    (1, _unknown),
    (1, noise),
)
_WEIGHTS: Final = [weight for weight, _ in _MAKERS]


def messages(random: Random, share_of_damage: float = 0.04) -> bytes:
    """What a client sends in one go: up to six messages."""
    makers = random.choices(_MAKERS, _WEIGHTS, k=random.randrange(1, 7))
    return b"".join(sometimes_damaged(random, make(random), share_of_damage) for _, make in makers)


def packets(random: Random, share_of_damage: float = 0.04) -> list[bytes]:
    """The same as the network may deliver it."""
    sent = messages(random, share_of_damage)
    return pieces(random, sent) if random.random() < 0.2 else [sent]


def first_packet(random: Random, parameters: dict[str, str]) -> bytes:
    """What a connection may begin with: a startup packet with ``parameters`` at best."""
    words = random.choice(("client_encoding", "options", "replication", "_pq_.x", "\udcff", "database"))
    odd = {**parameters, words: random.choice(("", "on", "-c orrery.cache=off", "-c x", "\udcfe\udcff"))}
    choices = (
        startup.startup_message(parameters),
        startup.startup_message(odd),
        startup.SSL_REQUEST,
        startup.GSSENC_REQUEST,
        startup.SSL_REQUEST * 2,
        startup.SSL_REQUEST + noise(random),
        startup.cancel_request(random.choice(EDGES), random.randbytes(random.choice((4, 8, 256)))),
        length(random) + noise(random, 60),
        noise(random, 60),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    )
    found = random.choice(choices)
    return damaged(random, found) if random.random() < 0.3 else found
