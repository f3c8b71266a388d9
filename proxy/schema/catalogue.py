"""What the origin's catalogue says about one database, as data: nothing here asks the origin anything.

Built by ``build.py`` from rows that ``net/catalogue.py`` reads; thrown away whole when anything changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Objects below this oid were made by initdb. Source: PostgreSQL, access/transam.h, FirstNormalObjectId.
FIRST_USER_OID: Final = 16384
_PATHS_FOLLOW_ROLES: Final = 180000  # server_version_num


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
    """``table`` refers to ``target``; actions are pg_constraint's letters.

    They are: a no action, r restrict, c cascade, n set null, d set default.
    """

    table: int
    target: int
    on_delete: str
    on_update: str
    columns: tuple[int, ...] = ()
    target_columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """A user trigger (internal ones are left out). ``events`` out of insert, update, delete, truncate.

    ``conditional``: it has a WHEN clause, which may call functions too.
    """

    table: int
    name: str
    function: int
    events: frozenset[str]
    row: bool
    enabled: str  # pg_trigger.tgenabled
    conditional: bool = False


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
    # CHECK constraints, index predicates; all expressions of an index, partition key, statistics as one ROW
    expressions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # reloptions: security_invoker=true ...
    uses: tuple[int, ...] = ()  # of a view: the relations that its definition mentions
    policies: tuple[str, ...] = ()  # USING and WITH CHECK expressions of row-level security
    heap: bool = True  # False: a table access method other than heap
    # Who owns the operator classes, operators and access methods outside pg_catalog that its indexes and
    # partition key use: names of extensions, "" for one that no extension owns.
    index_extensions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Function:
    """A row of pg_proc. ``kind``: f, p, a, w; ``volatility``: i, s, v.

    ``extension`` names the extension that it is a part of, if any.
    """

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
    default: str | None = None  # of a domain: used where the column has none of its own
    # Of a range: the higher oid of its canonical function and its operator class, which run at each input.
    input_code: int = 0


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
class Schema:
    """A row of pg_namespace. ``users``: oids of the roles that were granted USAGE, 0 for PUBLIC."""

    oid: int
    name: str
    owner: int
    users: frozenset[int]


@dataclass(frozen=True, slots=True)
class Role:
    """A row of pg_roles. ``inherits``: oids of the roles whose rights it has, its own among them."""

    oid: int
    name: str
    superuser: bool
    can_login: bool
    inherits: frozenset[int]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One database as its catalogue stood at one moment.

    ``fingerprint`` is equal only for catalogues that say the same; the loader compares it. ``rights`` holds
    those parts of it that speak of roles, memberships, role settings and databases, by the table's name.
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
    login_triggers: bool = False  # code of users' that runs at a login, and may refuse it
    command_triggers: bool = False  # event triggers: code of users' that DDL runs
    rights: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    # pg_db_role_setting by (database oid, role oid), 0 for all of them: "name=value" texts
    role_settings: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    databases: Mapping[str, int] = field(default_factory=dict)
    trusted_languages: frozenset[str] = field(default_factory=frozenset)
    untrusted_languages: bool = False  # one that was added: its code may do what the server's own may
    id_is_public: bool = False  # every role may ask for the id of its transaction, and for its cursors
    nondeterministic_collations: frozenset[int] = field(default_factory=frozenset)
    encoding: str = "UTF8"  # server_encoding
    # By type: who owns the operator classes outside pg_catalog that may order or compare its values; names of
    # extensions, "" for one that no extension owns.
    orderings: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def roles_regrouped(self, later: Catalogue) -> frozenset[str]:
        """The names whose role has other groups in ``later``, where its sessions may not have noticed.

        A session keeps the schemas of its search_path that it could use when it last worked them out; no
        change of memberships makes it do so again. Source: PostgreSQL 16, catalog/namespace.c,
        recomputeNamespacePath; PostgreSQL 18 was seen to do it.
        """
        if later.server_version >= _PATHS_FOLLOW_ROLES:
            return frozenset()
        return frozenset(
            name
            for name, role in self.roles.items()
            if (there := later.roles.get(name)) is not None and there.inherits != role.inherits
        )

    def may_be_misread(self, text: str) -> bool:
        """May the origin find other names in ``text`` than a parser that knows UTF-8 alone?

        It reads names in its own encoding: there they fold by other rules, and end after 63 bytes elsewhere.
        Source: PostgreSQL, parser/scansup.c.
        """
        return self.encoding != "UTF8" and not text.isascii()

    def roles_gone(self, later: Catalogue) -> frozenset[str]:
        """The names whose role is not there any more in ``later``, or is another one of the same name."""
        return frozenset(
            name
            for name, role in self.roles.items()
            if (there := later.roles.get(name)) is None or there.oid != role.oid
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server this is, and since when. None: the role may not read it.

    ``started_us`` and ``configured_us`` are microseconds since 1970 (pg_postmaster_start_time(),
    pg_conf_load_time()). Equal identities but for ``configured_us`` mean one and the same running server.
    """

    system_identifier: int | None
    timeline: int | None
    started_us: int
    configured_us: int
    in_recovery: bool
    server_version: int  # server_version_num
    database: int
