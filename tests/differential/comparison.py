"""Are two series of replies the same, byte by byte? Everything that may differ stands here, with its reason.

- Oids of user-made tables and types in RowDescription and ParameterDescription: the twins are two databases,
  and their oids come from one counter. They must stand to each other one to one, in all replies.
- The name of the database in errors and notices: each twin has its own.
- The process id in NotificationResponse: a session's own id is compared as "own".
- The order of rows, where the statement defines none. If such a statement fails in mid-course, the rows
  before its error depend on that order and are left out.
"""

from __future__ import annotations

from itertools import zip_longest
from struct import Struct
from typing import TYPE_CHECKING, Final, final

from proxy.schema.catalogue import FIRST_USER_OID
from proxy.wire import backend
from proxy.wire.framing import HEADER, Frame, compose
from proxy.wire.trace import server_line

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the names of the twins begin with, in as many letters.
DIRECT_NAME: Final = "twin_of_direct_"
PROXIED_NAME: Final = "twin_of_behind_"

_OID: Final = Struct(">I")
_COLUMN_BYTES: Final = 18  # of RowDescription, after each name
_TYPE_AT: Final = 6  # in those
_ROWS: Final = (backend.DATA_ROW, backend.COPY_DATA)
_SHOWN: Final = 300


@final
class Comparer:
    """Compares what a direct client got with what its twin got through the proxy, over one script."""

    def __init__(self) -> None:
        self._direct_of: dict[int, int] = {}
        self._proxied_of: dict[int, int] = {}

    def difference(
        self,
        direct: Sequence[Frame],
        proxied: Sequence[Frame],
        *,
        ordered: bool,
        own: tuple[int, int] = (0, 0),
    ) -> str:
        """The first difference in words, "" where there is none. ``own``: process ids, direct and proxied."""
        left, right = self._told(direct, ordered, own[0]), self._told(proxied, ordered, own[1])
        for expected, found in zip_longest(left, right):
            if expected is None or found is None or not self._equal(expected, found):
                return f"direct:  {_shown(expected)}\nproxied: {_shown(found)}"
        return ""

    def _told(self, frames: Sequence[Frame], ordered: bool, own: int) -> list[Frame]:
        masked = [_without_name(_without_pid(frame, own)) for frame in frames]
        return masked if ordered else _sorted_rows(masked)

    def _equal(self, direct: Frame, proxied: Frame) -> bool:
        if direct.raw == proxied.raw:
            return True
        if direct.kind != proxied.kind or len(direct.raw) != len(proxied.raw):
            return False
        places = _oid_places(direct)
        renamed = bytearray(proxied.raw)
        for at in places:
            mine, theirs = _OID.unpack_from(direct.raw, at)[0], _OID.unpack_from(proxied.raw, at)[0]
            if self._correspond(mine, theirs):
                _OID.pack_into(renamed, at, mine)
        return renamed == direct.raw

    def _correspond(self, direct: int, proxied: int) -> bool:
        if min(direct, proxied) < FIRST_USER_OID:
            return direct == proxied
        return (
            self._direct_of.setdefault(proxied, direct) == direct
            and self._proxied_of.setdefault(direct, proxied) == proxied
        )


def _oid_places(frame: Frame) -> list[int]:
    """Where the oids stand in ``frame``."""
    raw = frame.raw
    if frame.kind == backend.PARAMETER_DESCRIPTION:
        return list(range(HEADER + 2, len(raw), 4))
    if frame.kind != backend.ROW_DESCRIPTION:
        return []
    places: list[int] = []
    at = HEADER + 2
    while at < len(raw):
        at = raw.index(0, at) + 1
        places += [at, at + _TYPE_AT]
        at += _COLUMN_BYTES
    return places


def _without_pid(frame: Frame, own: int) -> Frame:
    if frame.kind != backend.NOTIFICATION_RESPONSE:
        return frame
    told = backend.read_notification(frame.raw)
    sender = b"own" if told.pid == own else b"other"
    return Frame(frame.kind, compose(frame.kind, b"%s %s %s" % (sender, told.channel, told.payload)))


def _without_name(frame: Frame) -> Frame:
    if frame.kind not in (backend.ERROR_RESPONSE, backend.NOTICE_RESPONSE):
        return frame
    return Frame(frame.kind, frame.raw.replace(PROXIED_NAME.encode(), DIRECT_NAME.encode()))


def _sorted_rows(frames: Sequence[Frame]) -> list[Frame]:
    """Each run of rows sorted by its bytes, and left out before an error."""
    out: list[Frame] = []
    run: list[Frame] = []
    for frame in frames:
        if frame.kind in _ROWS:
            run.append(frame)
            continue
        if frame.kind != backend.ERROR_RESPONSE:
            out += sorted(run, key=lambda row: row.raw)
        run.clear()
        out.append(frame)
    return out


def _shown(frame: Frame | None) -> str:
    if frame is None:
        return "nothing more"
    if frame.kind == backend.DATA_ROW:
        return f"DataRow {frame.raw[HEADER:][:_SHOWN]!r}"
    return server_line(frame.raw)
