"""Kinds of columns, and the ways to write a value: literals, casts, parameters in text and binary.

The pools are small, so that statements meet; and full of spellings that are one value, or look as if they
were: padded, rounded, folded, signed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final
from uuid import UUID

_ONE, _TWO = "0f0e0d0c-0b0a-0908-0706-050403020100", "00000000-0000-0000-0000-000000000001"
_INTEGERS: Final = ("1", "2", "0", "-1", " 1", "+1", "01")
_TEXTS: Final = ("a", "b", "A", "a ", "", "é", "abcd")
_NUMBERS: Final = ("1", "1.0", "1.04", "2.5", "2.6", "-0", "NaN")

# SQL type -> texts that may be read as a value of it.
KINDS: Final = {
    "int2": _INTEGERS,
    "int4": _INTEGERS,
    "int8": (*_INTEGERS, "5000000000"),
    "text": _TEXTS,
    "varchar": _TEXTS,
    "varchar(3)": (*_TEXTS, "abc", "abc  "),
    "char(4)": (*_TEXTS, "abcd"),
    "name": _TEXTS,
    "uuid": (_ONE, _ONE.upper(), _TWO, "{" + _ONE + "}", _ONE.replace("-", "")),
    "bool": ("t", "true", "f", "yes", "1", "FALSE"),
    "numeric": _NUMBERS,
    "numeric(4,1)": _NUMBERS,
    "float8": _NUMBERS,
    "timestamptz": ("2020-01-01 00:00+00", "2020-01-01 01:00+01", "2020-01-02", "2020-01-01"),
    "small": _INTEGERS,
}
OIDS: Final = {"int2": 21, "int4": 23, "int8": 20, "text": 25, "varchar": 1043, "uuid": 2950, "bool": 16}
_OTHERS: Final = {**OIDS, "numeric": 1700, "float8": 701, "bpchar": 1042}


@dataclass(frozen=True, slots=True)
class Parameter:
    """``oid``: the type that Parse gives, 0 for none; ``code``: 0 text, 1 binary."""

    oid: int
    code: int
    raw: bytes | None


@dataclass(slots=True)
class Statement:
    """A text in the making, and what Bind brings for it."""

    text: str = ""
    parameters: list[Parameter] = field(default_factory=list)


def spell(random: Random, kind: str, statement: Statement) -> str:
    """A value for a column of this kind, or for something like it; parameters go to ``statement``."""
    if random.random() < 0.4:
        return _quoted(random.choice(KINDS[kind][:2]))
    text = random.choice(KINDS[kind])
    roll = random.random()
    if roll < 0.03:
        return "NULL"
    if roll < 0.35:
        return _parameter(random, kind, text, statement)
    if roll < 0.45:
        return f"{_quoted(text)}::{random.choice((*[kind] * 10, *OIDS, 'numeric', 'varchar(2)'))}"
    if roll < 0.5:
        return _cast_parameter(random, kind, text, statement)
    if kind.startswith(("int", "num", "float", "small")) and roll < 0.85:
        return random.choice((text.strip(), "1", "2", "2.6", "1.0", "1.4::numeric", "-1"))
    if kind == "bool" and roll < 0.8:
        return random.choice(("true", "false"))
    return _quoted(text)


def _quoted(text: str) -> str:
    return f"'{text}'"


def _parameter(random: Random, kind: str, text: str, statement: Statement) -> str:
    if statement.parameters and random.random() < 0.1:
        return f"${random.randint(1, len(statement.parameters))}"
    own = kind if kind in OIDS else "int4" if kind == "small" else "text"
    given = random.choice((None,) * 8 + (own,) * 4 + tuple(_OTHERS))
    meant = given or own
    raw = _binary(meant, text) if random.random() < 0.5 else None
    oid = _OTHERS[given] if given is not None else 0
    statement.parameters.append(Parameter(oid, int(raw is not None), raw or text.encode()))
    return f"${len(statement.parameters)}"


def _cast_parameter(random: Random, kind: str, text: str, statement: Statement) -> str:
    statement.parameters.append(Parameter(0, 0, text.encode()))
    return f"${len(statement.parameters)}::{random.choice((*[kind] * 6, *OIDS))}"


def _binary(kind: str, text: str) -> bytes | None:
    try:
        if kind in ("int2", "int4", "int8"):
            return int(text).to_bytes(int(kind[3:]), "big", signed=True)
        if kind == "uuid":
            return UUID(text).bytes
    except (ValueError, OverflowError):
        return None
    if kind == "bool":
        return bytes((text in ("t", "true", "yes", "1"),))
    return text.encode() if kind in ("text", "varchar") else None
