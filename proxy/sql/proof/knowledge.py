"""What a proof asks about types and casts, worked out once per catalogue.

Source: PostgreSQL docs, typeconv; catalog-pg-type; catalog-pg-cast.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, TypeVar, final

from proxy.schema.catalogue import FIRST_USER_OID, Cast, Catalogue, ForeignKey, Type
from proxy.sql.proof import oids
from proxy.sql.proof.volatility import EXTENSIONS, denial, writes_nothing

_Value = TypeVar("_Value")

# Entries of one memory; names come from clients, so it is bounded, and emptied whole when full.
MAX_REMEMBERED: Final = 20_000


@final
class Memory:
    """A bounded memory of answers worked out from one catalogue."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[Hashable, object] = {}

    def recall(self, key: Hashable, work_out: Callable[[], _Value]) -> _Value:
        """The answer under ``key``, which always has the type that ``work_out`` returns."""
        try:
            return self._answers[key]  # type: ignore[return-value]  # one key, one kind of answer
        except KeyError:
            answer = work_out()
        if len(self._answers) >= MAX_REMEMBERED:
            self._answers.clear()
        self._answers[key] = answer
        return answer

    def forget(self, key: Hashable) -> None:
        """Drop one answer, if it is there."""
        self._answers.pop(key, None)


@final
class Knowledge:
    """Facts about the types and casts of one ``Catalogue``."""

    __slots__ = (
        "arrays",
        "assigned_by_users",
        "catalogue",
        "json_sources",
        "memory",
        "orders_by_user",
        "row_types",
        "treacherous",
        "unasked_by_users",
        "user_cast_targets",
    )

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue: Final = catalogue
        self.memory: Final = Memory()
        types = catalogue.types.values()
        self.arrays: Final = {t.element: t.oid for t in types if is_array(t)}
        # Code of users' that runs wherever values are put in order.
        self.orders_by_user: Final = not all(o <= EXTENSIONS for o in catalogue.orderings.values())
        self.row_types: Final = {t.relation: t.oid for t in types if t.relation}
        casts = catalogue.casts.values()
        self.treacherous: Final = any(self._is_treacherous(cast) for cast in casts)
        by_users = [cast for cast in casts if self._runs_user_code(cast)]
        self.user_cast_targets: Final = frozenset(cast.target for cast in by_users)
        # Types that storing a value may convert to by a user's function.
        self.assigned_by_users: Final = frozenset(c.target for c in by_users if c.context in "ai")
        # Those that any expression may be full of without a word of it.
        self.unasked_by_users: Final = frozenset(c.target for c in by_users if c.context == "i")
        # The printers of json call such casts by themselves (PostgreSQL, utils/adt/jsonfuncs.c).
        self.json_sources: Final = frozenset(
            c.source for c in by_users if c.target in (oids.JSON, oids.JSONB)
        )

    def _runs_user_code(self, cast: Cast) -> bool:
        function = self.catalogue.functions.get(cast.function)
        return cast.function != 0 and (function is None or not writes_nothing(function))

    def converts_by_user(self, source: int, target: int) -> bool:
        """May turning ``source`` into ``target`` unasked run a user's function? True where nobody is sure.

        A domain is converted as what it rests on, an array element by element.
        Source: PostgreSQL, parser/parse_coerce.c, find_coercion_pathway.
        """
        if not self.assigned_by_users:
            return False
        if oids.UNTYPED in (source, target):
            ends = (self.base(target), self.base(self.element(target)))
            return target == oids.UNTYPED or not self.assigned_by_users.isdisjoint(ends)
        source, target = self.base(source), self.base(target)
        while source and target:
            cast = self.catalogue.casts.get((source, target))
            if cast is not None:
                return self._runs_user_code(cast)
            source, target = self.base(self.element(source)), self.base(self.element(target))
        return False

    def stores_by_user(self, oid: int) -> bool:
        """May storing a value in a column of this type, or in a part of one, run a user's cast?"""
        assigned = self.assigned_by_users
        return bool(assigned) and self._any_part(oid, lambda kind: kind.oid in assigned or None) is not None

    def is_referred_by_user(self, oid: int) -> bool:
        """Does a foreign key from or to this table compare its columns by way of a user's cast?"""
        if not self.unasked_by_users:
            return False
        keys = (key for keys in self.catalogue.foreign_keys_to.values() for key in keys)
        return any(oid in (key.table, key.target) and self._key_converts(key) for key in keys)

    def _key_converts(self, key: ForeignKey) -> bool:
        ends = ((key.table, key.columns), (key.target, key.target_columns))
        kinds = [[self._type_of_column(table, number) for number in numbers] for table, numbers in ends]
        return any(self.converts_by_user(*pair) for pair in zip(*kinds, strict=True))

    def _type_of_column(self, table: int, number: int) -> int:
        relation = self.catalogue.relations.get(table)
        columns = () if relation is None else relation.columns
        return next((column.type_oid for column in columns if column.number == number), oids.UNTYPED)

    def is_made_by_user_cast(self, oid: int) -> bool:
        """May a cast to this type run a user's function, whatever it is a cast of?"""
        targets = self.user_cast_targets
        return bool(targets) and self._any_part(oid, lambda kind: kind.oid in targets or None) is not None

    def prints_json_by_user(self, oid: int) -> bool:
        """May printing this type as json run a user's function?"""
        if not self.json_sources:
            return False
        if oid in (oids.UNTYPED, oids.RECORD):
            return True
        return self._any_part(oid, lambda kind: kind.oid in self.json_sources or None) is not None

    def _is_treacherous(self, cast: Cast) -> bool:
        """May PostgreSQL read a text as a date, or as a name, unasked?"""
        if cast.context != "i" or cast.method != "i":
            return False
        return self.holds_dates(cast.target) or self.taint(cast.target) != ""

    def cast_denial(self, cast: Cast) -> str:
        """Why an answer that goes through ``cast`` may not be remembered; "" if it may."""
        if cast.function == 0:
            return ""
        function = self.catalogue.functions.get(cast.function)
        if function is None:
            return "cast"
        # Further arguments are the type modifier and whether the cast is explicit.
        word = denial(function, self.names(function.arguments[:1]))
        return "cast" if word == "function" else word

    def names(self, type_oids: tuple[int, ...]) -> str:
        """The names of types as ``volatility.STABLE`` writes them."""
        types = self.catalogue.types
        return " ".join(types[oid].name if oid in types else "?" for oid in type_oids)

    def base(self, oid: int) -> int:
        """The type itself, or what a domain rests on."""
        for _ in range(32):
            kind = self.catalogue.types.get(oid)
            if kind is None or kind.kind != "d":
                break
            oid = kind.base
        return oid

    def element(self, oid: int) -> int:
        """The element type of an array, else 0."""
        kind = self.catalogue.types.get(self.base(oid))
        return kind.element if kind is not None and is_array(kind) else 0

    def category(self, oid: int) -> str:
        """pg_type.typcategory, "" for a type that is not known."""
        kind = self.catalogue.types.get(oid)
        return kind.category if kind is not None else ""

    def taint(self, oid: int) -> str:
        """Why a value of this type may not be read or printed by a remembered answer; "" if it may."""
        return self.memory.recall(("taint", oid), lambda: self._any_part(oid, self._own_taint) or "")

    def holds_dates(self, oid: int) -> bool:
        """May the text form of this type hold a date? True where nobody knows."""
        return self.memory.recall(
            ("dates", oid),
            lambda: oid in (oids.UNTYPED, oids.UNKNOWN) or self._any_part(oid, self._is_date) is not None,
        )

    def holds_text(self, oid: int) -> bool:
        """May a value of this type carry a word from a row of a table? True where nobody knows."""
        return self.memory.recall(
            ("text", oid), lambda: oid == 0 or self._any_part(oid, self._is_text) is not None
        )

    def is_ordered(self, oid: int) -> bool:
        """Is the default order and equality of this type PostgreSQL's own?"""
        return self.memory.recall(
            ("ordered", oid), lambda: oid != 0 and self._any_part(oid, self._is_unordered) is None
        )

    def is_compared_by_user(self, oid: int) -> bool:
        """Is there an order or an equality that a user made for this type, or for a part of it?"""
        orderings = self.catalogue.orderings
        return self.orders_by_user and (
            self._any_part(oid, lambda kind: not orderings.get(kind.oid, frozenset()) <= EXTENSIONS or None)
            is not None
        )

    def checks(self, oid: int) -> tuple[str, ...]:
        """The CHECK expressions that input to this type, or to a part of it, evaluates."""
        found: list[str] = []

        def collect(kind: Type) -> None:
            found.extend(kind.checks)

        self._any_part(oid, collect)
        return tuple(found)

    def runs_unseen_code(self, oid: int) -> bool:
        """Does input or output of this type run a user's code? (CHECK expressions are told by ``checks``.)

        Input and output functions are C; those of an extension are trusted to write nothing.
        """
        return self.memory.recall(("code", oid), lambda: self._any_part(oid, _runs_code) is not None)

    def _own_taint(self, kind: Type) -> str | None:
        if kind.oid in oids.NAMING:
            return "regtype"
        if kind.oid == oids.TIMETZ:
            return "date"
        # The subtype's operator class and the canonical function of a user-made range are a user's choice.
        made_by_user = kind.oid >= FIRST_USER_OID and kind.kind in "brm" and not is_array(kind)
        return "type" if made_by_user and kind.extension not in EXTENSIONS else None

    @staticmethod
    def _is_date(kind: Type) -> bool | None:
        user_base = kind.oid >= FIRST_USER_OID and kind.kind == "b" and not is_array(kind)
        unsure = user_base and kind.extension not in EXTENSIONS
        return kind.oid in oids.DATES or kind.oid == oids.RECORD or unsure or None

    @staticmethod
    def _is_text(kind: Type) -> bool | None:
        texts = (oids.JSON, oids.JSONB, oids.XML, oids.RECORD)
        user_base = kind.oid >= FIRST_USER_OID and kind.kind == "b" and not is_array(kind)
        return kind.category in "SX" or kind.oid in texts or user_base or None

    def _is_unordered(self, kind: Type) -> bool | None:
        user_made = kind.oid >= FIRST_USER_OID and kind.kind == "b" and not is_array(kind)
        untrusted = user_made and kind.extension not in EXTENSIONS
        # A class made for just this type comes before PostgreSQL's own for what it can be coerced to: all
        # enums, arrays and rows, varchar. Source: PostgreSQL, commands/indexcmds.c, GetDefaultOpClass.
        overruled = not self.catalogue.orderings.get(kind.oid, frozenset()) <= EXTENSIONS
        # A row that has no type of its own may hold anything.
        overruled |= self.orders_by_user and kind.oid in (oids.RECORD, oids.RECORD_ARRAY)
        return kind.oid in oids.UNORDERED or untrusted or overruled or None

    def _any_part(self, oid: int, ask: Callable[[Type], _Value | None]) -> _Value | None:
        """The first answer that ``ask`` gives for the type or anything it is made of; unknown parts count
        as text (a type is in the catalogue unless it is younger)."""
        waiting, seen = [oid], {0}
        while waiting:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            kind = self.catalogue.types.get(part, _NOBODY_KNOWS)
            answer = ask(kind)
            if answer is not None:
                return answer
            waiting += self._parts(kind)
        return None

    def _parts(self, kind: Type) -> list[int]:
        parts = [kind.base, kind.subtype]
        if is_array(kind):
            parts.append(kind.element)
        relation = self.catalogue.relations.get(kind.relation) if kind.relation else None
        if relation is not None:
            parts += [column.type_oid for column in relation.columns]
        return parts


def is_array(kind: Type) -> bool:
    """A true array type; ``point`` and ``name`` have an element type too, int2vector a category A."""
    return kind.element != 0 and kind.category == "A" and kind.name.startswith("_")


def _runs_code(kind: Type) -> bool | None:
    return (
        kind.oid >= FIRST_USER_OID and kind.kind in "brm" and not is_array(kind) and kind.extension is None
    ) or None


# What stands for a type that is younger than the catalogue: every question gets the careful answer.
_NOBODY_KNOWS: Final = Type(oid=0xFFFFFFFF, schema="", name="?", kind="b", category="S", element=0)
