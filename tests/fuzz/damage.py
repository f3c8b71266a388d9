"""Bytes that are nearly right: what a sound message becomes by one or two faults, and plain noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

# Numbers at which readers of lengths and counts go wrong.
EDGES: Final = (0, 1, 2, 3, 4, 5, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF)
_LENGTHS: Final = (*EDGES, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 10_000, 65_536, 1 << 20)


def noise(random: Random, longest: int = 24) -> bytes:
    """Any bytes."""
    return random.randbytes(random.randrange(longest + 1))


def count(random: Random) -> bytes:
    """An Int16, mostly a small one."""
    number = random.randrange(4) if random.random() < 0.7 else random.choice(EDGES)
    return number.to_bytes(2, "big")


def length(random: Random) -> bytes:
    """An Int32 that could be a length, mostly an edge."""
    return random.choice(_LENGTHS).to_bytes(4, "big")


def damaged(random: Random, data: bytes) -> bytes:
    """``data`` with one fault in it."""
    fault: Callable[[Random, bytes], bytes] = random.choice(_FAULTS)
    return fault(random, data)


def sometimes_damaged(random: Random, data: bytes, share: float) -> bytes:
    """``data`` itself, or in ``share`` of all cases with one fault or more."""
    while random.random() < share:
        data = damaged(random, data)
    return data


def pieces(random: Random, data: bytes) -> list[bytes]:
    """``data`` cut as a network may cut it: at up to three places."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.randrange(4)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _flip(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(1) + data[at + 1 :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + noise(random, 6) + data[at:]


def _drop(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randrange(1, 5) :]


def _double(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at : at + random.randrange(1, 9)] * 2 + data[at:]


def _wrong_length(random: Random, data: bytes) -> bytes:
    return data[:1] + length(random) + data[5:]


def _edge(random: Random, data: bytes) -> bytes:
    """A number of two or four bytes in the middle becomes an edge."""
    at = random.randrange(len(data) + 1)
    number = count(random) if random.random() < 0.5 else length(random)
    return data[:at] + number + data[at + len(number) :]


_FAULTS: Final[Sequence[Callable[[Random, bytes], bytes]]] = (
    _cut,
    _flip,
    _insert,
    _drop,
    _double,
    _wrong_length,
    _edge,
)
