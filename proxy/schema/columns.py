"""What may have other columns than before: between two readings of a catalogue, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from proxy.schema.catalogue import Catalogue

T = TypeVar("T")


def moved(before: Catalogue, after: Catalogue) -> frozenset[str] | None:
    """The names, in lower case, of all that a row description may hang on and that is new, gone or another
    one; None where it may be anything.
    """
    if before.operators != after.operators or before.casts != after.casts:
        return None
    names = _differing(before.relations, after.relations, lambda one: one.name)
    names |= _differing(before.functions, after.functions, lambda one: one.name)
    names |= _differing(before.types, after.types, lambda one: one.name)
    return frozenset(names)


def may_be_meant(name: str, text: bytes) -> bool:
    """May ``text`` speak of ``name``? Names that can be spelt in several ways are not looked for."""
    lower = text.lower()
    plain = name.isascii() and name.isidentifier()
    return not plain or name.lower().encode() in lower or b"u&" in lower


def _differing(before: Mapping[int, T], after: Mapping[int, T], name_of: Callable[[T], str]) -> set[str]:
    found: set[str] = set()
    for oid in before.keys() | after.keys():
        old, new = before.get(oid), after.get(oid)
        if old != new:
            found |= {name_of(one).lower() for one in (old, new) if one is not None}
    return found
