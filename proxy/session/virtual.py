"""Names that the origin gets for clients' prepared statements where its connections are shared.

Statements that mean the same have one name: equal text and parameter types, parsed under equal settings and
as the same role, while what they speak of had the same columns. So what one client has prepared on a
connection serves the next one; and no client's name ever meets another's.
"""

from __future__ import annotations

from typing import Final, final
from weakref import WeakValueDictionary

from proxy.session.shapes import Form
from proxy.session.statements import UNKNOWN_SCOPE
from proxy.wire import frontend

# Text, parameter types, scope at Parse; the form, or where none is known the state of all columns.
Meaning = tuple[bytes, bytes, int, Form | int]

# Closed in the place of a name that other clients still use: closing what does not exist is no error.
CLOSE_NOTHING: Final = frontend.close(frontend.STATEMENT, b"orrery_nothing")


@final
class Virtual:
    """One name at the origin, and the Parse that makes it known there."""

    __slots__ = ("__weakref__", "close_frame", "name", "parse_frame")

    def __init__(self, name: bytes, text: bytes, types: bytes) -> None:
        self.name = name
        self.parse_frame = frontend.parse(name, text, types)
        self.close_frame = frontend.close(frontend.STATEMENT, name)


@final
class Virtuals:
    """All names in use, by what they mean; a name that nobody holds any more is never given again."""

    __slots__ = ("_count", "_names")

    def __init__(self) -> None:
        self._names: WeakValueDictionary[Meaning, Virtual] = WeakValueDictionary()
        self._count = 0

    def of(self, text: bytes, types: bytes, scope: int, columns: Form | int) -> Virtual:
        """The name for this meaning. One under uncertain settings means what nothing else does."""
        meaning = (text, types, scope, columns)
        found = self._names.get(meaning) if scope != UNKNOWN_SCOPE else None
        if found is None:
            self._count += 1
            found = Virtual(b"orrery_%d" % self._count, text, types)
            if scope != UNKNOWN_SCOPE:
                self._names[meaning] = found
        return found

    def __len__(self) -> int:
        return len(self._names)
