"""How deep may the parse tree of a text be? A bound, told from its tokens without parsing it.

pglast builds its tree by recursion in C without a guard: a chain such as 1+1+1+... of tens of thousands
overflows the stack and takes the process with it. (Nesting by brackets is bounded by PostgreSQL's parser.)
"""

from __future__ import annotations

from typing import Final

from pglast import parser

# Measured: 16,000 levels of operators, 8,000 of UNION fit the usual 8 MiB stack; half a MiB bears these.
MAX_DEPTH: Final = 4_000
MAX_JOINTS: Final = 500
# A level takes two characters at least: shorter texts need no look.
HARMLESS_CHARACTERS: Final = 2 * MAX_DEPTH

_OPENING: Final = frozenset({"ASCII_40", "ASCII_91", "CASE"})
_CLOSING: Final = frozenset({"ASCII_41", "ASCII_93", "END_P"})
# What stands side by side in the tree: items of lists, statements, terms of AND and OR.
_SIDE_BY_SIDE: Final = frozenset({"ASCII_44", "ASCII_59", "AND", "OR"})
# What makes a chain across commas. Source: PostgreSQL, parser/gram.y, select_clause and joined_table.
_JOINTS: Final = frozenset({"UNION", "INTERSECT", "EXCEPT", "JOIN"})


def is_too_deep(text: str) -> bool:
    """Might the parse tree of ``text`` overflow the stack? True as well for a text that cannot be scanned."""
    if len(text) <= HARMLESS_CHARACTERS:
        return False
    try:
        tokens = parser.scan(text)
    except (parser.ParseError, ValueError, UnicodeError):
        return True
    if sum(token.name in _JOINTS for token in tokens) > MAX_JOINTS:
        return True
    return _deepest(tokens) > MAX_DEPTH


def _deepest(tokens: list[parser.Token]) -> int:
    """The most tokens that may stand above each other: those since the last comma, at all open levels."""
    around: list[int] = []
    here = total = deepest = 0
    for token in tokens:
        if token.name in _SIDE_BY_SIDE:
            total -= here
            here = 0
            continue
        here += 1
        total += 1
        deepest = max(deepest, total)
        if token.name in _OPENING:
            around.append(here)
            here = 0
        elif token.name in _CLOSING and around:
            total -= here
            here = around.pop()
    return deepest
