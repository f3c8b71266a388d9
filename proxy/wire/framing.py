"""Cut a byte stream into PostgreSQL messages: whole ones, and long ones in passing.

Bytes in, frames out: nothing here waits, logs or reads the clock. A *frame* is one message as it travelled,
kind byte and length included. Most frames are small and are given back whole, once complete. Frames of a
*streamed* kind (DataRow, CopyData ...) may be larger than memory and are given back in pieces as they arrive.
Source: PostgreSQL docs, protocol-overview, "Messaging Overview"; protocol-message-formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, final

from proxy.errors import FrameError, MessageTooLarge, OriginProtocolError, OrreryError

HEADER: Final = 5  # bytes: one for the kind, four for the length
REFUSED: Final = -1  # as a limit: the peer may not send this kind
STREAMED: Final = 0  # as a limit: given back in pieces, so its length needs no bound

# kind, bytes, number of frames that end in these bytes (always 1 for a frame that is given back whole)
Segment = tuple[int, bytes, int]


@dataclass(frozen=True, slots=True)
class Side:
    """Who speaks, and so who is at fault: ``fault`` for a wrong kind or length, ``too_large`` for a limit."""

    name: str
    fault: type[OrreryError]
    too_large: type[OrreryError]


FRONTEND: Final = Side("frontend", FrameError, MessageTooLarge)
BACKEND: Final = Side("backend", OriginProtocolError, OriginProtocolError)

_HEAD: Final = Struct(">Bi")
HEAD: Final = _HEAD.unpack_from  # kind and length (of what follows the kind) of the frame that begins there


def compose(kind: int, body: bytes) -> bytes:
    """The frame of ``kind`` around ``body``."""
    return _HEAD.pack(kind, len(body) + 4) + body


def cstring(text: str) -> bytes:
    """``text`` as a String of the protocol. ``ValueError`` where it holds a NUL: it would end early."""
    encoded = text.encode("utf-8", "surrogateescape")
    if 0 in encoded:
        raise ValueError("a String of the protocol cannot hold a NUL")
    return encoded + b"\0"


def limits(max_frame: int, whole: bytes, streamed: bytes = b"") -> list[int]:
    """A table for ``FrameScanner``: ``max_frame`` bytes for each kind in ``whole``, all others refused."""
    table = [REFUSED] * 256
    for kind in whole:
        table[kind] = max_frame
    for kind in streamed:
        table[kind] = STREAMED
    return table


@final
class FrameScanner:
    """Follow one direction of a connection and cut it at frame boundaries, in constant memory.

    ``limits[kind]`` is the largest frame of that kind in bytes, header included, or ``REFUSED``, or
    ``STREAMED``. The limit is checked as soon as the header is there, before the body is waited for. Where
    a fault of ``side`` is raised, the frames before it in the chunk are lost with it, as the connection is.

    With ``anew`` every piece of a streamed frame is given back as a frame of its own, for streams in which
    boundaries mean nothing: whoever was given half a frame could be told nothing else before its other half.
    """

    __slots__ = ("_anew", "_held", "_kind", "_limits", "_needed", "_outstanding", "_side")

    def __init__(self, limits: Sequence[int], side: Side = FRONTEND, *, anew: bool = False) -> None:
        self._limits = limits
        self._anew = anew
        self._side = side
        self._held = bytearray()  # the beginning of a frame that is not complete; never of a streamed one
        self._needed = HEADER  # ``_held`` is looked at again when it has so many bytes
        self._kind = 0  # of the streamed frame we are in the middle of
        self._outstanding = 0  # bytes of it that have not arrived

    @property
    def outstanding(self) -> int:
        """Bytes to come of the streamed frame in which the last chunk ended; 0 between frames."""
        return self._outstanding

    @property
    def is_between(self) -> bool:
        """Has the stream ended at a frame's boundary?"""
        return not self._held and not self._outstanding

    def release(self) -> bytes:
        """Give up the beginning of an incomplete frame: for handing a stream over to another reader."""
        held = bytes(self._held)
        self._held.clear()
        self._needed = HEADER
        return held

    def scan(self, data: bytes) -> list[Segment]:
        """Add ``data``, return what it completed, oldest first.

        The bytes of all segments of all calls, joined, are the stream, but for the headers that ``anew`` puts
        into it; only an incomplete frame (or header) at its end is held back. Neighbouring streamed frames of
        one kind come as one segment, which may begin and end in the middle of a frame; if all of ``data`` is
        such a run, it is handed back without a copy.
        """
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return []
            data = self.release()
        segments: list[Segment] = []
        at = self._continue(data, segments) if self._outstanding else 0
        size = len(data)
        last = size - HEADER
        table = self._limits
        while at <= last:
            kind, length = HEAD(data, at)
            # One comparison on the hot path: it fails for REFUSED and STREAMED as well.
            if 4 <= length < table[kind]:
                stop = at + 1 + length
                if stop > size:
                    self._needed = 1 + length
                    break
                segments.append((kind, data[at:stop], 1))
                at = stop
            elif table[kind] == STREAMED:
                at = self._stream(data, at, segments)
            else:
                raise self._refusal(kind, length)
        if at < size:
            self._held += data[at:]
        return segments

    def _continue(self, data: bytes, segments: list[Segment]) -> int:
        """Take the rest of an unfinished streamed frame, and the run behind it; where that ends."""
        stop = self._outstanding
        if stop > len(data) or self._anew:
            piece = data[:stop]
            self._outstanding -= len(piece)
            made = compose(self._kind, piece) if self._anew else piece
            segments.append((self._kind, made, 0 if self._outstanding else 1))
            return len(piece)
        self._outstanding = 0
        return self._run(data, 0, stop, segments)

    def _stream(self, data: bytes, start: int, segments: list[Segment]) -> int:
        """Take the run of streamed frames of one kind that begins at ``start``; where it ends."""
        self._kind = data[start]
        return self._run(data, start, start, segments)

    def _run(self, data: bytes, start: int, at: int, segments: list[Segment]) -> int:
        """The run of frames of ``_kind`` from ``start``; where it ends. The first whole one begins ``at``."""
        size = len(data)
        last = size - HEADER
        kind = self._kind
        frames = int(at > start)
        while at <= last:
            found, length = HEAD(data, at)
            if found != kind:
                break
            if length < 4:
                raise self._refusal(kind, length)
            begun, at = at, at + 1 + length
            if at > size:
                self._outstanding = at - size
                piece = data[start:] if start else data
                if self._anew:
                    piece = data[start:begun] + compose(kind, data[begun + HEADER :])
                segments.append((kind, piece, frames))
                return size
            frames += 1
        # Compiled, a slice of the whole would be a copy.
        segments.append((kind, data if at - start == size else data[start:at], frames))
        return at

    def _refusal(self, kind: int, length: int) -> OrreryError:
        side = self._side
        limit = self._limits[kind]
        if limit == REFUSED:
            return side.fault(f"invalid {side.name} message type {kind}")
        if length < 4:
            return side.fault(f"invalid message length {length} of {side.name} message type {kind}")
        return side.too_large(f"{side.name} message type {kind} has {1 + length} bytes, more than {limit}")


@final
class Frame:
    """One message as it travelled. ``raw`` holds header and body, so relaying it costs nothing."""

    __slots__ = ("kind", "raw")

    def __init__(self, kind: int, raw: bytes) -> None:
        self.kind = kind
        self.raw = raw

    @property
    def body(self) -> bytes:
        """The message without kind and length."""
        return self.raw[HEADER:]


@final
class FrameSplitter:
    """Whole frames of any kind, for dialogues such as a login: the unfinished tail of the stream is held.

    ``max_frame`` (bytes, header included) bounds what one peer can make us hold.
    """

    __slots__ = ("_scanner",)

    def __init__(self, max_frame: int, side: Side = FRONTEND) -> None:
        self._scanner = FrameScanner([max_frame] * 256, side)

    def feed(self, data: bytes) -> list[Frame]:
        """Add ``data``, return the frames it completed, oldest first."""
        return [Frame(kind, raw) for kind, raw, _ in self._scanner.scan(data)]

    def release(self) -> bytes:
        """Give up the beginning of an incomplete frame: for handing the stream over to another reader."""
        return self._scanner.release()
