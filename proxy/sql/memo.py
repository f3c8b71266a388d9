"""The parser's memory: a text is parsed once, whatever catalogue it is read under later."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, final

from pglast import ast, parser

from proxy.sql.nesting import is_too_deep
from proxy.sql.template import template

# A tree of nodes in Python weighs some forty times its text (measured on statements of drivers).
_TREE_BYTES_PER_CHARACTER: Final = 40


@dataclass(frozen=True, slots=True)
class Parsed:
    """The raw parse trees of one text; ``failure`` "" or a reason: unparsable, size."""

    statements: tuple[ast.RawStmt, ...] = ()
    failure: str = ""
    template: str = ""


@final
class Memo:
    """A least-recently-used memory of text -> ``Parsed``, bounded in entries and estimated bytes.

    Texts above ``max_text_characters`` are not parsed: PostgreSQL's parser is fast, but its tree in Python
    is not small. The default holds every statement of an ORM; bulk INSERTs of thousands of rows are above.
    """

    __slots__ = ("_bytes", "_max_bytes", "_max_entries", "_max_text", "_parsed", "hits", "misses", "refused")

    def __init__(
        self, max_entries: int = 2_000, max_bytes: int = 32 << 20, max_text_characters: int = 100_000
    ) -> None:
        self._max_entries: Final = max_entries
        self._max_bytes: Final = max_bytes
        self._max_text: Final = max_text_characters
        self._parsed: OrderedDict[str, Parsed] = OrderedDict()
        self._bytes = 0
        self.hits = 0
        self.misses = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._parsed)

    @property
    def estimated_bytes(self) -> int:
        """What the remembered trees weigh, by their texts' lengths."""
        return self._bytes

    def parse(self, text: str) -> Parsed:
        """The parse of ``text``; never raises."""
        known = self._parsed.get(text)
        if known is not None:
            self.hits += 1
            self._parsed.move_to_end(text)
            return known
        if len(text) > self._max_text or is_too_deep(text):
            self.refused += 1
            return Parsed(failure="size", template=template(text))
        self.misses += 1
        fresh = _parse(text)
        self._keep(text, fresh)
        return fresh

    def _keep(self, text: str, parsed: Parsed) -> None:
        weight = _weight(text)
        if weight > self._max_bytes:
            return
        self._parsed[text] = parsed
        self._bytes += weight
        while self._bytes > self._max_bytes or len(self._parsed) > self._max_entries:
            oldest, _ = self._parsed.popitem(last=False)
            self._bytes -= _weight(oldest)


def _weight(text: str) -> int:
    return len(text) * _TREE_BYTES_PER_CHARACTER


def _parse(text: str) -> Parsed:
    try:
        return Parsed(parser.parse_sql(text), template=template(text))
    except (parser.ParseError, ValueError, RecursionError, UnicodeError):
        # ValueError: a NUL byte; UnicodeError: lone surrogates of bytes that are no UTF-8.
        return Parsed(failure="unparsable", template=template(text))
