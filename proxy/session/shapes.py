"""One text in one scope, with all that is known of it: analysed once, looked up by bytes afterwards.

The table is bounded in texts and bytes. Its oldest shape goes first, but one whose answers are still
remembered gets a second chance; a prepared statement keeps its shape alive by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from proxy.cache.entry import Slot
from proxy.metrics.templates import Template
from proxy.schema.catalogue import Catalogue
from proxy.sql.analysis import Analysis, Statement

MAX_SHAPES: Final = 50_000
MAX_BYTES: Final = 32 * 1024 * 1024  # of texts; analysis and slot cost about as much again


# Of each relation named: its oid, and number, name, type and modifier of its columns. Of each user-made type
# that the text speaks of: its oid.
Form = frozenset[tuple[int, tuple[tuple[int, str, int, int], ...]]]


def added_columns(before: Form, after: Form) -> frozenset[str] | None:
    """The names of the columns that relations got since; None if anything else has changed."""
    old, new = dict(before), dict(after)
    if old.keys() != new.keys() or not all(set(columns) <= set(new[oid]) for oid, columns in old.items()):
        return None
    return frozenset(name for oid, columns in old.items() for _, name, *_ in set(new[oid]) - set(columns))


@final
class Shape:
    """``analysis`` and ``slot`` hold for ``catalogue`` alone: another one asks for a new analysis.

    ``slot`` is None where the answer may not be remembered. ``key``: text, and for Parse a NUL and the
    types. ``form`` is one and the same object as long as the relations that the text names keep their
    columns: a statement that was prepared under another form may have another row description.
    ``proven_idle``: of unproven reach, and at its last run the origin proved that it changed nothing.
    ``ordinary``: the only statement of the text, if that is ordinary (``misses.py``); ``command``: if it is a
    transaction command.
    """

    __slots__ = (
        "analysis",
        "catalogue",
        "command",
        "form",
        "home",
        "key",
        "ordinary",
        "proven_idle",
        "scope",
        "slot",
        "template",
    )

    def __init__(self, scope: int, home: dict[bytes, Shape], key: bytes) -> None:
        self.scope = scope
        self.home = home
        self.key = key
        self.analysis: Analysis | None = None
        self.catalogue: Catalogue | None = None
        self.form: Form | None = None
        self.slot: Slot | None = None
        self.template: Template | None = None
        self.proven_idle = False
        self.ordinary: Statement | None = None
        self.command: Statement | None = None


ScopedShapes = dict[bytes, Shape]


@final
class Shapes:
    """All shapes of one instance, by scope and then by key."""

    def __init__(self, max_shapes: int = MAX_SHAPES, max_bytes: int = MAX_BYTES) -> None:
        self._max_shapes = max_shapes
        self._max_bytes = max_bytes
        self._scopes: dict[int, ScopedShapes] = {}
        self._order: dict[Shape, None] = {}
        self._bytes = 0
        self.forgotten = 0

    def of(self, scope: int) -> ScopedShapes:
        """The shapes of one scope: a session looks texts up here, and asks ``add`` for those it misses."""
        found = self._scopes.get(scope)
        if found is None:
            found = self._scopes[scope] = {}
        return found

    def add(self, scope: int, home: ScopedShapes, key: bytes) -> Shape:
        """A new shape in ``home`` (from ``of(scope)``), not analysed yet; others make room for it."""
        shape = home[key] = Shape(scope, home, key)
        self._order[shape] = None
        self._bytes += len(key)
        self._make_room()
        return shape

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Shape]:
        return iter(self._order)

    def _make_room(self) -> None:
        chances = len(self._order)
        while len(self._order) > self._max_shapes or self._bytes > self._max_bytes:
            oldest = next(iter(self._order))
            del self._order[oldest]
            chances -= 1
            if chances > 0 and oldest.slot is not None and oldest.slot.entries:
                self._order[oldest] = None
                continue
            self._forget(oldest)

    def _forget(self, shape: Shape) -> None:
        self._bytes -= len(shape.key)
        self.forgotten += 1
        if shape.home.get(shape.key) is shape:
            del shape.home[shape.key]
        if not shape.home and self._scopes.get(shape.scope) is shape.home:
            del self._scopes[shape.scope]
