"""What an origin may say, were it mad or not PostgreSQL: any reply at any time, sound or broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire import backend
from proxy.wire.backend import Column
from proxy.wire.framing import compose
from tests.fuzz.damage import count, length, noise, sometimes_damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

_KINDS: Final = b"123ACDEGHIKNRSTVWZcdnstv"
_SETTINGS: Final = ("client_encoding", "TimeZone", "session_authorization", "search_path", "x", "")
_VALUES: Final = ("", "UTF8", "SQL_ASCII", "alice", "on", "v" * 300, "\udcff")
_TAGS: Final = (b"SELECT 1", b"UPDATE 1", b"COMMIT", b"ROLLBACK", b"BEGIN", b"", b"COPY 1", b"\xff", b"SET")
_STATES: Final = ("42601", "25P02", "57P01", "0A000", "", "XX000")


def _error(random: Random) -> bytes:
    severity = random.choice(("ERROR", "FATAL", "PANIC", "x", ""))
    return backend.error_response(severity, random.choice(_STATES), random.choice(("no", "")))


def _error_with_any_fields(random: Random) -> bytes:
    kind = random.choice((backend.ERROR_RESPONSE, backend.NOTICE_RESPONSE))
    return compose(kind, random.choice((b"", b"\0", b"C\0\0", b"M", b"\0\0\0", b"P1\0\0", noise(random))))


def _row(random: Random) -> bytes:
    values = [random.choice((None, b"", b"x", noise(random, 60))) for _ in range(random.randrange(3))]
    return backend.data_row(values) * random.choice((1, 1, 1, 20))


def _odd_row(random: Random) -> bytes:
    return compose(backend.DATA_ROW, count(random) + length(random) + noise(random))


def _description(random: Random) -> bytes:
    columns = [Column(random.choice(("a", "", "\udcff")), 25) for _ in range(random.randrange(3))]
    return backend.row_description(columns)


def _status(random: Random) -> bytes:
    return backend.parameter_status(random.choice(_SETTINGS), random.choice(_VALUES))


def _copy(random: Random) -> bytes:
    return compose(random.choice((*b"GHW",)), random.choice((b"\0\0\0", b"\0", b"", noise(random))))


def _notification(random: Random) -> bytes:
    return compose(backend.NOTIFICATION_RESPONSE, length(random) + b"news\0\0")


def _ready(random: Random) -> bytes:
    return compose(backend.READY_FOR_QUERY, random.choice((b"I", b"I", b"T", b"E", b"X", b"", b"II")))


_MAKERS: Final[Sequence[tuple[int, Callable[[Random], bytes]]]] = (
    (8, _ready),
    (3, lambda _: backend.PARSE_COMPLETE_FRAME),
    (3, lambda _: backend.BIND_COMPLETE_FRAME),
    (2, lambda _: backend.CLOSE_COMPLETE_FRAME),
    (2, lambda _: backend.NO_DATA_FRAME),
    (1, lambda _: backend.EMPTY_QUERY_RESPONSE_FRAME),
    (1, lambda _: backend.PORTAL_SUSPENDED_FRAME),
    (5, lambda random: backend.command_complete(random.choice(_TAGS))),
    (4, _error),
    (1, _error_with_any_fields),
    (5, _row),
    (1, _odd_row),
    (3, _description),
    (1, lambda random: backend.parameter_description([23] * random.randrange(3))),
    (3, _status),
    (1, lambda _: backend.notice_response("NOTICE", "00000", "so it is")),
    (1, _notification),
    (2, _copy),
    (1, lambda random: compose(backend.COPY_DATA, noise(random))),
    (1, lambda _: compose(backend.COPY_DONE, b"")),
    (1, lambda random: compose(backend.FUNCTION_CALL_RESPONSE, length(random))),
    (1, lambda random: compose(backend.AUTHENTICATION, length(random) + noise(random))),
    (1, lambda random: compose(random.choice(_KINDS), noise(random))),
    (1, lambda random: compose(random.randrange(256), noise(random))),
    (1, noise),
)
_WEIGHTS: Final = [weight for weight, _ in _MAKERS]


def replies(random: Random, share_of_damage: float = 0.03) -> bytes:
    """What an origin says in one go: up to six messages."""
    makers = random.choices(_MAKERS, _WEIGHTS, k=random.randrange(1, 7))
    return b"".join(sometimes_damaged(random, make(random), share_of_damage) for _, make in makers)
