"""Words that make a text mean another moment each time it is read as a date.

Source: PostgreSQL docs, datatype-datetime, "Special Values".
"""

from __future__ import annotations

import re
from typing import Final

# A word ends where a letter does not follow: PostgreSQL's reader splits "12now" before the word, and
# non-ASCII letters count as ends, so that what is found is never less than what PostgreSQL would find.
_MOVING: Final = re.compile(rb"(?<![a-z])(?:now|today|tomorrow|yesterday)(?![a-z])", re.IGNORECASE)
# In binary form lengths and oids stand between the words, and their bytes may be letters.
_ANYWHERE: Final = re.compile(rb"now|today|tomorrow|yesterday", re.IGNORECASE)
# Marks of array, range and composite input that vanish inside a word: {"n\ow"}.
# Source: PostgreSQL docs, arrays, "Array Input and Output Syntax"; rangetypes, "Range Input/Output".
_MARKS: Final = b'\\"'


def is_moving(value: bytes, *, binary: bool = False) -> bool:
    """May ``value``, read as a date or as something that contains dates, mean another moment each time?

    ``binary``: it is the binary form of its type, of which only the texts inside are read as dates.
    """
    words = _ANYWHERE if binary else _MOVING
    if words.search(value):
        return True
    if b"\\" in value or b'"' in value:
        return words.search(value.translate(None, _MARKS)) is not None
    return False
