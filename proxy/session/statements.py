"""The client's prepared statements and portals, and which of them the origin has heard of.

A statement whose every use so far was answered from memory is unknown to the origin. It is prepared there
late, and only under the settings and role of its own Parse: literals became values then. Source: PostgreSQL
docs, protocol-flow, "Extended Query"; sql-prepare, "Description".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from proxy.session.shapes import Form, Shape
from proxy.sql.analysis import Named, Statement
from proxy.sql.commands import Command
from proxy.sql.rows import Parameter
from proxy.wire import frontend

if TYPE_CHECKING:
    from proxy.session.virtual import Virtual

UNKNOWN_SCOPE: Final = (
    -1
)  # the settings at Parse were not certain: never answered from memory, never prepared again

# A quote of either kind; and NULL, which transform_null_equals reads in another way.
_LITERAL: Final = re.compile(rb"'|\$[^0-9]|\bnull\b", re.IGNORECASE)


@final
class Prepared:
    """One statement made by Parse. ``own`` is set where the text is a command of ours and no SQL.

    ``literals``: the settings under which the origin read its literals; it reads them again whenever it plans
    anew. ``form``: that of its shape at Parse. PostgreSQL refuses to run a statement whose row description
    has changed since (0A000), so one that was prepared under another form is not answered from memory.
    ``parameters``: those that confine its writes, with the types that the origin's Parse gave them.
    ``virtual``: the name that it has at the origin, where that is not the client's own; ``columns``: its
    form, or the state of the catalogue's columns, at Parse. ``at_origin``: the connection lent now knows it.
    """

    __slots__ = (
        "at_origin",
        "columns",
        "form",
        "literals",
        "name",
        "own",
        "parameters",
        "scope",
        "shape",
        "text",
        "types",
        "virtual",
    )

    def __init__(
        self, name: bytes, text: bytes, types: bytes, scope: int, shape: Shape | None, own: Command | None
    ) -> None:
        self.name = name
        self.text = text
        self.types = types
        self.scope = scope
        self.shape = shape
        self.own = own
        self.form = None if shape is None else shape.form
        self.at_origin = False
        self.parameters: frozenset[Parameter] = frozenset()
        self.literals: tuple[str, ...] = ()
        self.virtual: Virtual | None = None
        self.columns: Form | int = 0

    def used(self, literals: tuple[str, ...] | None) -> bool:
        """The origin may plan it now, under these settings; None: under uncertain ones. One whose literals
        may thereby have become other values (True) is never answered from memory again, for PostgreSQL itself
        answers it with those from now on.

        Source: PostgreSQL, utils/cache/plancache.c, RevalidateCachedQuery.
        """
        if self.literals == literals or not _LITERAL.search(self.text):
            return False
        self.scope = UNKNOWN_SCOPE
        return True

    @property
    def is_local(self) -> bool:
        """Has the origin not heard of it? It never hears of a command of ours."""
        return not self.at_origin and self.own is None

    def parse_frame(self) -> bytes:
        """The Parse that makes this statement known to the origin under the client's own name."""
        return frontend.parse(self.name, self.text, self.types)


@final
class Statements:
    """Names to statements and portals of one client; SQL-level
    PREPARE and cursors share the names as PostgreSQL's do.

    Bounded by what the origin itself would hold: a statement that is only here costs its text.

    ``there``: those that the connection lent now knows under a virtual name. ``true_names``: names of clients
    that stand for a statement of ours there. ``foreign_unnamed``: the unnamed one may be somebody else's.
    """

    __slots__ = (
        "cursors",
        "foreign_unnamed",
        "named",
        "portal_is_ours",
        "portals",
        "sql_named",
        "there",
        "true_names",
        "unnamed_ended",
    )

    def __init__(self) -> None:
        self.named: dict[bytes, Prepared] = {}
        self.portals: dict[bytes, Prepared | None] = {}
        # SQL-level names -> what one run may do; a name that is missing here may do anything
        self.sql_named: dict[str, Statement] = {}
        self.cursors: dict[str, Named] = {}  # by SQL-level DECLARE
        self.portal_is_ours = False  # the unnamed one, answered from memory in a block that still stands
        self.unnamed_ended = False  # here; the origin may still have an unnamed statement or portal
        self.there: dict[Virtual, list[Prepared]] = {}
        self.true_names: set[bytes] = set()
        self.foreign_unnamed = False

    def told(self, prepared: Prepared) -> None:
        """The origin hears of this statement now."""
        prepared.at_origin = True
        if prepared.virtual is not None:
            known = self.there.setdefault(prepared.virtual, [])
            if prepared not in known:
                known.append(prepared)

    def untold(self, virtual: Virtual) -> None:
        """What stands behind this name at the connection lent now is not to be relied on."""
        for prepared in self.there.pop(virtual, ()):
            prepared.at_origin = False

    def reveal(self, prepared: Prepared) -> None:
        """From here on it has the client's own name at the origin."""
        assert prepared.virtual is not None
        known = self.there.get(prepared.virtual, [])
        if prepared in known:
            known.remove(prepared)
        prepared.virtual = None
        prepared.at_origin = True
        self.true_names.discard(prepared.name)

    def leave_origin(self) -> None:
        """The session goes on over another connection, sooner or later."""
        for virtual in list(self.there):
            self.untold(virtual)
        unnamed = self.named.get(b"")
        if unnamed is not None:
            unnamed.at_origin = False

    def local(self) -> list[Prepared]:
        """The statements that the origin has not heard of."""
        return [s for s in self.named.values() if s.is_local]

    def restore(self, parsed: list[tuple[Prepared, Prepared | None]]) -> None:
        """Statements whose Parse never succeeded do not exist; a name that was in use keeps its statement.

        ``parsed``: each with the statement that had its name before.
        """
        for prepared, previous in parsed:
            if self.named.get(prepared.name) is prepared:
                del self.named[prepared.name]
                if previous is not None and prepared.name:
                    self.named[prepared.name] = previous

    def end_unnamed(self) -> None:
        """A Query was answered from memory: it ends the unnamed statement and portal all the same."""
        self.named.pop(b"", None)
        self.portals.pop(b"", None)
        self.unnamed_ended = True

    def distrust_names(self) -> None:
        """PREPARE was at work, maybe in a function: only the origin knows what stands behind a name there.

        The unnamed statement is none that PREPARE could have made, nor is one under a virtual name.
        """
        known = self.named.items()
        self.named = {name: s for name, s in known if not (name and s.at_origin and s.virtual is None)}

    def end_transaction(self) -> None:
        """Portals are gone with it, and every cursor that was not declared WITH HOLD."""
        self.portals.clear()
        self.portal_is_ours = False
        self.cursors = {name: named for name, named in self.cursors.items() if named.hold}

    def drop_all(self) -> None:
        """DISCARD ALL, or DEALLOCATE ALL: every name is free again."""
        self.named.clear()
        self.sql_named.clear()

    def forget_origin(self) -> None:
        """The origin's connection is gone and a new one will know nothing."""
        self.there.clear()
        self.true_names.clear()
        for statement in self.named.values():
            statement.at_origin = False
            statement.parameters = frozenset()
        self.sql_named.clear()
        self.cursors.clear()
        self.portals.clear()
