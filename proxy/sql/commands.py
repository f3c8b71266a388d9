"""The statements that the proxy answers itself: a small anchored reader, asked before the parser.

They are not PostgreSQL's grammar (``ORRERY PURGE``) or speak of settings that the origin does not have
(``orrery.cache``). The reader looks at the first word and gives up at once for anybody else's statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TOPICS: Final = frozenset({"last", "status", "stats", "queries", "cache"})

# A text that could be ours is short; SHOW orrery.why carries a statement.
MAX_BYTES: Final = 100_000
_UNDEFINED_OBJECT: Final = "42704"
_SYNTAX_ERROR: Final = "42601"
_INVALID_VALUE: Final = "22023"


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW orrery.last, status, stats, queries or cache."""

    topic: str


@dataclass(frozen=True, slots=True)
class Why:
    """SHOW orrery.why '...': ``text`` is the statement asked about."""

    text: str


@dataclass(frozen=True, slots=True)
class SetCache:
    """SET [SESSION | LOCAL] orrery.cache = on | off."""

    on: bool
    local: bool = False


@dataclass(frozen=True, slots=True)
class ResetCache:
    """RESET orrery.cache, or SET orrery.cache TO DEFAULT."""

    local: bool = False


@dataclass(frozen=True, slots=True)
class Purge:
    """ORRERY PURGE; ``table`` None: everything, else ``[schema.]name``, quoted parts unquoted."""

    table: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It speaks to us and makes no sense: the error to answer, in PostgreSQL's words."""

    message: str
    sqlstate: str


Command = Show | Why | SetCache | ResetCache | Purge | Refused

# What stands before a statement and means nothing. Nested comments are PostgreSQL's: not ours to read.
# Possessive: no blank is given back, or a long run of them would be tried again from each of its bytes.
_BLANK: Final = rb"(?:[\s\0]|--[^\n]*(?:\n|$)|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/)*+"
_NAME: Final = rb'(?:[a-z_\x80-\xff][a-z0-9_$\x80-\xff]*|"(?:[^"\0]|"")+")'
_OURS: Final = re.compile(
    rb"%b(?:(show|set|reset)\s+(?:(session|local)\s+)?orrery\.|(orrery)\b)" % _BLANK, re.IGNORECASE
)
_SETTING: Final = re.compile(
    rb"([a-z_]+)%b(?:(?:=|\bto\b)%b(?:'([^']*)'|([a-z0-9]+))%b)?;?%b" % (_BLANK, _BLANK, _BLANK, _BLANK),
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    rb"why%b(?:'((?:[^']|'')*)'|\$(\w*)\$(.*?)\$\2\$)%b;?%b" % (_BLANK, _BLANK, _BLANK),
    re.IGNORECASE | re.DOTALL,
)
_PURGE: Final = re.compile(
    rb"%bpurge(?:%btable\s+(%b(?:\s*+\.\s*+%b)?))?%b;?%b" % (_BLANK, _BLANK, _NAME, _NAME, _BLANK, _BLANK),
    re.IGNORECASE,
)
_PART: Final = re.compile(_NAME, re.IGNORECASE)
# A setting's boolean. Source: PostgreSQL docs, config-setting, "Parameter Names and Values".
_BOOLEANS: Final = {
    **dict.fromkeys((b"on", b"true", b"yes", b"1"), True),
    **dict.fromkeys((b"off", b"false", b"no", b"0"), False),
}
# First bytes of a statement that may be ours: S(how, et), R(eset), O(rrery), white space and comments.
_FIRST: Final = frozenset(b"sSrRoO \t\r\n\f\v-/")


def read(text: bytes) -> Command | None:
    """The command that ``text`` is, None if it is not for us."""
    if not text or text[0] not in _FIRST or len(text) > MAX_BYTES:
        return None
    ours = _OURS.match(text)
    if ours is None:
        return None
    rest = ours.end()
    if ours[3]:
        return _purge(text, rest)
    verb, where = ours[1].lower(), (ours[2] or b"").lower()
    return _show(text, rest) if verb == b"show" else _set(text, rest, verb, where)


def _purge(text: bytes, start: int) -> Command:
    found = _PURGE.fullmatch(text, start)
    if found is None:
        return Refused("syntax error: expected ORRERY PURGE or ORRERY PURGE TABLE name", _SYNTAX_ERROR)
    if found[1] is None:
        return Purge()
    return Purge(tuple(_unquoted(part) for part in _PART.findall(found[1])))


def _unquoted(part: bytes) -> str:
    name = part.decode(errors="replace")
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _show(text: bytes, start: int) -> Command:
    question = _QUESTION.fullmatch(text, start)
    if question is not None:
        plain = question[1].replace(b"''", b"'") if question[1] is not None else question[3]
        return Why(plain.decode(errors="replace"))
    found = _SETTING.fullmatch(text, start)
    if found is None or found[2] or found[3]:
        return Refused(
            "syntax error: expected SHOW orrery.last, status, stats, queries or why '...'", _SYNTAX_ERROR
        )
    topic = found[1].decode().lower()
    return Show(topic) if topic in TOPICS else _unknown(topic)


def _unknown(topic: str) -> Refused:
    return Refused(f'unrecognized configuration parameter "orrery.{topic}"', _UNDEFINED_OBJECT)


def _set(text: bytes, start: int, verb: bytes, where: bytes) -> Command:
    found = _SETTING.fullmatch(text, start)
    if found is None:
        return Refused("syntax error: expected SET orrery.cache = on or off", _SYNTAX_ERROR)
    if found[1].lower() != b"cache":
        return _unknown(found[1].decode().lower())
    value = found[2] if found[2] is not None else found[3]
    if verb == b"reset":
        syntax = Refused("syntax error: expected RESET orrery.cache", _SYNTAX_ERROR)
        return ResetCache() if value is None and not where else syntax
    if value is None:
        return Refused("syntax error: expected SET orrery.cache = on or off", _SYNTAX_ERROR)
    return _value(value.lower(), local=where == b"local")


def _value(value: bytes, *, local: bool) -> Command:
    if value == b"default":
        return ResetCache(local)
    if value not in _BOOLEANS:
        return Refused('parameter "orrery.cache" requires a Boolean value', _INVALID_VALUE)
    return SetCache(_BOOLEANS[value], local)
