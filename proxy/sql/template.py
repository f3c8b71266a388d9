"""A statement's template: its text without values and comments, safe to show, the same for like statements.

From the tokens of PostgreSQL's own scanner; a text that it refuses shows only its length.
"""

from __future__ import annotations

from typing import Final

from pglast import parser

MAX_CHARACTERS: Final = 2_000
_MAX_SCANNED: Final = 20_000
_CONSTANTS: Final = frozenset({"SCONST", "ICONST", "FCONST", "BCONST", "XCONST", "USCONST", "PARAM"})
_COMMENTS: Final = frozenset({"SQL_COMMENT", "C_COMMENT"})
# Tokens that take no space before, and those that take none behind.
_TIGHT_BEFORE: Final = frozenset({",", ")", "]", ";", "."})
_TIGHT_BEHIND: Final = frozenset({"(", "[", "."})


def template(text: str) -> str:
    """``text`` with each constant and parameter replaced by $n, comments dropped and white space folded.

    At most ``MAX_CHARACTERS`` long.
    """
    if len(text) > _MAX_SCANNED:
        return f"(statement of {len(text)} characters)"
    try:
        tokens = parser.scan(text)
    except (parser.ParseError, ValueError, UnicodeError):
        return f"(unreadable statement of {len(text)} characters)"
    return _joined(_words(text, tokens))[:MAX_CHARACTERS]


def _words(text: str, tokens: list[parser.Token]) -> list[str]:
    words: list[str] = []
    number = 0
    for token in tokens:
        if token.name in _COMMENTS:
            continue
        if token.name in _CONSTANTS:
            number += 1
            words.append(f"${number}")
        else:
            words.append(text[token.start : token.end + 1])
    return words


def _joined(words: list[str]) -> str:
    parts: list[str] = []
    for word in words:
        if parts and word not in _TIGHT_BEFORE and parts[-1] not in _TIGHT_BEHIND:
            parts.append(" ")
        parts.append(word)
    return "".join(parts)
