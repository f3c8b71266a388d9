"""What the origin's catalogue says about one database, as data: nothing here asks the origin anything.

Built by ``build.py`` from rows that ``net/catalogue.py`` reads; thrown away whole when anything changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a relation. ``default``, ``generated`` are SQL expressions as the origin prints them."""

    number: int
    name: str
    type_oid: int
    typmod: int
    collation: int
    not_null: bool
    default: str | None = None
    generated: bool = False
    identity: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """``table`` refers to ``target``; actions are pg_constraint's letters: a no action, r restrict, c cascade, n set null, d set default."""

    table: int
    target: int
    on_delete: str
    on_update: str
    columns: tuple[int, ...] = ()
    target_columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """A user trigger (internal ones are left out). ``events`` out of insert, update, delete, truncate."""

    table: int
    name: str
    function: int
    events: frozenset[str]
    row: bool
    enabled: str  # pg_trigger.tgenabled


@dataclass(frozen=True, slots=True)
class Relation:
    """A row of pg_class. ``kind`` and ``persistence`` are relkind and relpersistence."""

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    owner: int
    columns: tuple[Column, ...] = ()
    parents: tuple[int, ...] = ()
    children: tuple[int, ...] = ()
    row_security: bool = False
    definition: str | None = None  # of a view, read with search_path = pg_catalog
    write_rules: bool = False  # any rule but a view's own ON SELECT
    expressions: tuple[str, ...] = ()  # CHECK constraints, index expressions and predicates, partition keys
    options: tuple[str, ...] = ()  # reloptions: security_invoker=true ...


@dataclass(frozen=True, slots=True)
class Function:
    """A row of pg_proc. ``kind``: f, p, a, w; ``volatility``: i, s, v. ``extension`` names its owner, if any."""

    oid: int
    schema: str
    name: str
    arguments: tuple[int, ...]
    result: int
    volatility: str
    kind: str
    set_returning: bool = False
    variadic: int = 0
    defaults: int = 0
    language: str = "internal"
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """A row of pg_type. ``kind``: b base, c composite, d domain, e enum, p pseudo, r range, m multirange."""

    oid: int
    schema: str
    name: str
    kind: str
    category: str
    element: int = 0
    base: int = 0  # of a domain
    relation: int = 0  # of a composite
    subtype: int = 0  # of a range
    checks: tuple[str, ...] = ()  # CHECK expressions of a domain
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """A row of pg_operator; ``left`` is 0 for a prefix operator."""

    oid: int
    schema: str
    name: str
    left: int
    right: int
    result: int
    function: int


@dataclass(frozen=True, slots=True)
class Cast:
    """A row of pg_cast; ``function`` 0: binary-coercible or by text (``method`` b or i)."""

    source: int
    target: int
    function: int
    context: str
    method: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One database as its catalogue stood at one moment.

    ``fingerprint`` is equal only for catalogues that say the same; the loader compares it.
    """

    database: int
    server_version: int  # server_version_num
    fingerprint: str
    relations: Mapping[int, Relation]
    relation_names: Mapping[tuple[str, str], int]
    functions: Mapping[int, Function]
    function_names: Mapping[str, tuple[int, ...]]  # by bare name: every overload in every schema
    types: Mapping[int, Type]
    type_names: Mapping[tuple[str, str], int]
    operators: Mapping[str, tuple[Operator, ...]]  # by bare name
    casts: Mapping[tuple[int, int], Cast]
    foreign_keys_to: Mapping[int, tuple[ForeignKey, ...]]  # by target
    triggers: Mapping[int, tuple[Trigger, ...]]  # by table
    extensions: frozenset[str] = field(default_factory=frozenset)
    foreign_servers: bool = False
    rights: Mapping[str, str] = field(default_factory=dict)
