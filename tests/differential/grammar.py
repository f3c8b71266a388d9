"""Expressions of a wanted kind, grown at random from columns in scope, constants, parameters and templates.

A *kind* is a word for a type ("int", "moment"). In the templates ``{int}`` stands for any expression of that
kind and ``{int_}`` for a constant (or a parameter).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, final

from tests.differential.constants import CONSTANTS, TYPES
from tests.differential.messages import Parameter
from tests.differential.phrases import EXPRESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

Columns = dict[str, list[str]]

_GROW: Final = 0.45  # how often an expression has operands, as long as it may
_COLUMN: Final = 0.7  # of the rest, how often it is a column
_PARAMETER: Final = 0.35  # how often a constant is a parameter, where there may be any
_DECLARED: Final = 0.5  # how often a parameter's type is told by Parse rather than by a cast
_BINARY: Final = 0.5
_NULL: Final = 0.04

_BINARY_FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "int": lambda value: struct.pack(">i", int(value)),
    "id": lambda value: struct.pack(">i", int(value)),
    "big": lambda value: struct.pack(">q", int(value)),
    "small": lambda value: struct.pack(">h", int(value)),
    "float": lambda value: struct.pack(">d", float(value)),
    "bool": lambda value: bytes((value == "true",)),
    "text": lambda value: value.encode(),
    "uuid": lambda value: bytes.fromhex(value.replace("-", "")),
    "bytes": lambda value: bytes.fromhex(value[2:]),
}


@final
class Grammar:
    """Grows expressions over ``columns``. Constants may become ``parameters``, where that is given."""

    def __init__(self, random: Random, columns: Columns, parameters: list[Parameter] | None = None) -> None:
        self.random = random
        self.columns = columns
        self.parameters = parameters
        self.places: dict[str, Callable[[], str]] = {}  # further places by name

    def fill(self, template: str, depth: int = 2) -> str:
        """``template`` with its places filled; ``depth`` bounds how deep the expressions nest."""
        return template.format_map(_Places(self, depth))

    def pick(self, templates: Sequence[str], depth: int = 2) -> str:
        """One of ``templates``, filled."""
        return self.fill(self.random.choice(templates), depth)

    def expression(self, kind: str, depth: int = 2) -> str:
        """An expression of ``kind``."""
        if depth > 0 and kind in EXPRESSIONS and self.random.random() < _GROW:
            return f"({self.pick(EXPRESSIONS[kind], depth - 1)})"
        columns = self.columns.get(kind)
        if columns and self.random.random() < _COLUMN:
            return self.random.choice(columns)
        return self.constant(kind)

    def constant(self, kind: str) -> str:
        """A constant of ``kind``, or a parameter."""
        if self.random.random() < _NULL:
            return f"NULL::{TYPES[kind]}"
        return self.value(kind, self.random.choice(CONSTANTS[kind]))

    def value(self, kind: str, value: str) -> str:
        """This very value (quotes doubled), or a parameter that has it."""
        if self.parameters is not None and self.random.random() < _PARAMETER:
            return self._parameter(kind, value)
        return f"{TYPES[kind]} '{value}'" if "[" not in TYPES[kind] else f"'{value}'::{TYPES[kind]}"

    def _parameter(self, kind: str, value: str) -> str:
        assert self.parameters is not None
        type_name = TYPES[kind]
        text = value.replace("''", "'")
        binary = kind in _BINARY_FORMS and self.random.random() < _BINARY
        encoded = _BINARY_FORMS[kind](text) if binary else text.encode()
        declared = kind in OIDS and self.random.random() < _DECLARED
        self.parameters.append(Parameter(encoded, OIDS[kind] if declared else 0, int(binary)))
        place = f"${len(self.parameters)}"
        return place if declared else f"{place}::{type_name}"


@final
class _Places(dict[str, str]):
    """What ``str.format_map`` asks for the places of a template."""

    def __init__(self, grammar: Grammar, depth: int) -> None:
        super().__init__()
        self._grammar = grammar
        self._depth = depth

    def __missing__(self, name: str) -> str:
        if name in self._grammar.places:
            return self._grammar.places[name]()
        if name.endswith("_"):
            return self._grammar.constant(name[:-1])
        return self._grammar.expression(name, self._depth)


# Oids of built-in types that Parse may declare. Source: PostgreSQL, pg_type.dat.
OIDS: Final[Mapping[str, int]] = {
    "bool": 16,
    "bytes": 17,
    "big": 20,
    "small": 21,
    "int": 23,
    "id": 23,
    "text": 25,
    "real": 700,
    "float": 701,
    "varchar": 1043,
    "date": 1082,
    "time": 1083,
    "stamp": 1114,
    "moment": 1184,
    "period": 1186,
    "num": 1700,
    "uuid": 2950,
    "jsonb": 3802,
}
