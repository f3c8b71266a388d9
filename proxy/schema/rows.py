"""What is read of the catalogue, kind by kind: the columns of a row and where the rows come from.

``build.py`` reads the columns by position; ``queries.py`` makes one query of all kinds. Oids travel as
bigint, for JSON has no oid.
Source: PostgreSQL docs, catalogs; functions-info, "System Catalog Information Functions".
"""
# ruff: noqa: S608 - every query is put together from the constants below

from __future__ import annotations

from typing import Final, NamedTuple

from proxy.schema.catalogue import FIRST_USER_OID


class Kind(NamedTuple):
    """The rows of one kind; ``source`` stands behind FROM, ``x`` in it is what ``columns`` speak of."""

    name: str
    columns: str
    source: str


_USER: Final = f">= {FIRST_USER_OID}"
_BUILT_IN: Final = f"< {FIRST_USER_OID}"

# ``permanent``, ``temporary`` and ``path`` are WITH items of the query around. ``path`` stands in FROM where
# an expression or a view is printed: it has set the search_path before the first row is there to be printed.
# IS TRUE keeps the sub-select a hash table that is asked row by row: a join would be planned blindly.
_RELATION: Final = "IN (SELECT p.oid FROM permanent p) IS TRUE"
_SCHEMA: Final = "NOT IN (SELECT t.oid FROM temporary t)"


# The kinds that initdb makes many of; ``oids`` is a condition without its left side.
def _code(oids: str) -> tuple[Kind, ...]:
    return (
        Kind(
            "functions",
            """x.oid::bigint, x.pronamespace::bigint, x.proname, x.proargtypes::pg_catalog.text,
            x.prorettype::bigint, x.provolatile, x.prokind, x.proretset, x.provariadic::bigint,
            x.pronargdefaults, x.prolang::bigint""",
            f"pg_catalog.pg_proc x WHERE x.oid {oids} AND x.pronamespace {_SCHEMA}",
        ),
        Kind(
            "operators",
            """x.oid::bigint, x.oprnamespace::bigint, x.oprname, x.oprleft::bigint, x.oprright::bigint,
            x.oprresult::bigint, x.oprcode::pg_catalog.oid::bigint""",
            f"pg_catalog.pg_operator x WHERE x.oid {oids} AND x.oprnamespace {_SCHEMA}",
        ),
        Kind(
            "casts",
            "x.castsource::bigint, x.casttarget::bigint, x.castfunc::bigint, x.castcontext, x.castmethod",
            f"pg_catalog.pg_cast x WHERE x.oid {oids}",
        ),
    )


def _types(oids: str) -> tuple[Kind, ...]:
    return (
        Kind(
            "types",
            """x.oid::bigint, x.typnamespace::bigint, x.typname, x.typtype, x.typcategory, x.typelem::bigint,
            x.typbasetype::bigint, x.typrelid::bigint, pg_catalog.pg_get_expr(x.typdefaultbin, 0)""",
            f"path, pg_catalog.pg_type x WHERE x.oid {oids} AND x.typnamespace {_SCHEMA}",
        ),
        Kind(
            "ranges",
            """x.rngtypid::bigint, x.rngmultitypid::bigint, x.rngsubtype::bigint,
            GREATEST(x.rngcanonical::pg_catalog.oid, x.rngsubopc)::bigint""",
            f"pg_catalog.pg_range x WHERE x.rngtypid {oids}",
        ),
        Kind(
            "domain_checks",
            "x.contypid::bigint, pg_catalog.pg_get_expr(x.conbin, 0)",
            f"""path, pg_catalog.pg_constraint x
            WHERE x.contype = 'c' AND x.contypid <> 0 AND x.contypid {oids}""",
        ),
    )


def _relations(oids: str) -> Kind:
    return Kind(
        "relations",
        """x.oid::bigint, x.relnamespace::bigint, x.relname, x.relkind, x.relpersistence,
        x.relowner::bigint, x.relrowsecurity, x.reloptions, x.relam IN (0, 2)""",
        f"pg_catalog.pg_class x WHERE x.oid {oids} AND x.oid {_RELATION}",
    )


# The other kinds speak of these by their oids.
_NAMES: Final = (
    Kind("languages", "x.oid::bigint, x.lanname, x.lanpltrusted", "pg_catalog.pg_language x"),
    Kind(
        "schemas",
        """x.oid::bigint, x.nspname, x.nspowner::bigint, ARRAY(
        SELECT a.grantee::bigint
        FROM pg_catalog.aclexplode(COALESCE(x.nspacl, pg_catalog.acldefault('n', x.nspowner))) a
        WHERE a.privilege_type = 'USAGE')""",
        f"pg_catalog.pg_namespace x WHERE x.oid {_SCHEMA}",
    ),
)

# What initdb made: much, and the same until a superuser edits it.
BUILT_IN: Final[tuple[Kind, ...]] = (
    *_NAMES,
    *_code(_BUILT_IN),
    *_types(_BUILT_IN),
    _relations(_BUILT_IN),
)

_COLUMNS: Final = (
    Kind(
        "columns",
        """x.attrelid::bigint, x.attnum, x.attname, x.atttypid::bigint, x.atttypmod, x.attcollation::bigint,
        x.attnotnull, x.attgenerated <> '', x.attidentity <> ''""",
        f"""pg_catalog.pg_attribute x WHERE x.attrelid {_USER} AND x.attrelid {_RELATION}
        AND x.attnum > 0 AND NOT x.attisdropped""",
    ),
    Kind(
        "defaults",
        "x.adrelid::bigint, x.adnum, pg_catalog.pg_get_expr(x.adbin, x.adrelid)",
        f"path, pg_catalog.pg_attrdef x WHERE x.adrelid {_USER} AND x.adrelid {_RELATION}",
    ),
)

_PRINTED: Final = "x.relation::bigint, pg_catalog.pg_get_expr(x.node, x.relation)"
# The expressions of an index, a partition key or statistics are printed with commas between them: ROW makes
# one of them.
_PRINTED_ROW: Final = """x.relation::bigint, CASE WHEN x.is_list
        THEN pg_catalog.concat('ROW(', pg_catalog.pg_get_expr(x.node, x.relation), ')')
        ELSE pg_catalog.pg_get_expr(x.node, x.relation) END"""
_EXPRESSIONS: Final = (
    Kind(
        "expressions",
        _PRINTED_ROW,
        f"""path, (
        SELECT conrelid, conbin, false FROM pg_catalog.pg_constraint WHERE contype = 'c'
        UNION ALL SELECT indrelid, indexprs, true FROM pg_catalog.pg_index
        UNION ALL SELECT indrelid, indpred, false FROM pg_catalog.pg_index
        UNION ALL SELECT partrelid, partexprs, true FROM pg_catalog.pg_partitioned_table
        UNION ALL SELECT stxrelid, stxexprs, true FROM pg_catalog.pg_statistic_ext
        ) AS x(relation, node, is_list)
        WHERE x.node IS NOT NULL AND x.relation {_USER} AND x.relation {_RELATION}""",
    ),
    Kind(
        "policies",
        _PRINTED,
        f"""path, (
        SELECT polrelid, polqual FROM pg_catalog.pg_policy
        UNION ALL SELECT polrelid, polwithcheck FROM pg_catalog.pg_policy
        ) AS x(relation, node) WHERE x.node IS NOT NULL AND x.relation {_RELATION}""",
    ),
)

_MADE_BY_USERS: Final = Kind(
    "index_owners",
    "x.relation::bigint, COALESCE(e.extname, '')",
    f"""(
    SELECT i.indrelid, 'pg_catalog.pg_opclass'::pg_catalog.regclass, k.oid FROM pg_catalog.pg_index i,
      LATERAL pg_catalog.unnest(i.indclass::pg_catalog.oid[]) AS k(oid) WHERE k.oid {_USER}
    UNION SELECT p.partrelid, 'pg_catalog.pg_opclass', k.oid FROM pg_catalog.pg_partitioned_table p,
      LATERAL pg_catalog.unnest(p.partclass::pg_catalog.oid[]) AS k(oid) WHERE k.oid {_USER}
    UNION SELECT i.indrelid, 'pg_catalog.pg_am', c.relam FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE c.relam {_USER}
    UNION SELECT c.conrelid, 'pg_catalog.pg_operator', k.oid FROM pg_catalog.pg_constraint c,
      LATERAL pg_catalog.unnest(c.conexclop) AS k(oid) WHERE k.oid {_USER}
    ) AS x(relation, class, oid)
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = x.class AND d.objid = x.oid AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE x.relation {_RELATION}""",
)

_ORDERINGS: Final = Kind(
    "orderings",
    "x.type::bigint, COALESCE(e.extname, '')",
    # 403 is btree, 405 hash. Comparing rows looks for any family that holds the operator.
    f"""(
    SELECT c.opcintype, 'pg_catalog.pg_opclass'::pg_catalog.regclass, c.oid FROM pg_catalog.pg_opclass c
      WHERE c.oid {_USER} AND c.opcmethod IN (403, 405) AND c.opcdefault
    UNION SELECT a.amoplefttype, 'pg_catalog.pg_opfamily', a.amopfamily FROM pg_catalog.pg_amop a
      WHERE a.amopfamily {_USER} AND a.amopmethod = 403
    ) AS x(type, class, oid)
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = x.class AND d.objid = x.oid AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid""",
)

_TIES: Final = (
    Kind(
        "inherits",
        "x.inhrelid::bigint, x.inhparent::bigint",
        f"pg_catalog.pg_inherits x WHERE x.inhrelid {_RELATION} AND x.inhparent {_RELATION}",
    ),
    Kind(
        "foreign_keys",
        """x.conrelid::bigint, x.confrelid::bigint, x.confdeltype, x.confupdtype, x.conkey, x.confkey""",
        f"pg_catalog.pg_constraint x WHERE x.contype = 'f' AND x.conrelid {_RELATION}",
    ),
    Kind(
        "triggers",
        "x.tgrelid::bigint, x.tgname, x.tgfoid::bigint, x.tgtype, x.tgenabled, x.tgqual IS NOT NULL",
        f"pg_catalog.pg_trigger x WHERE NOT x.tgisinternal AND x.tgrelid {_RELATION}",
    ),
)

_VIEWS: Final = (
    Kind(
        "views",
        "x.oid::bigint, pg_catalog.pg_get_viewdef(x.oid, false)",
        f"path, pg_catalog.pg_class x WHERE x.relkind = 'v' AND x.oid {_USER} AND x.oid {_RELATION}",
    ),
    Kind(
        "uses",
        "x.view::bigint, x.relation::bigint",
        f"""(
        SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
          AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        WHERE r.ev_type = '1' AND d.refobjid <> r.ev_class
        ) AS x(view, relation) WHERE x.view {_USER} AND x.view {_RELATION}""",
    ),
    Kind(
        "rules",
        "x.relation::bigint",
        f"""(SELECT DISTINCT ev_class FROM pg_catalog.pg_rewrite WHERE ev_type <> '1') AS x(relation)
        WHERE x.relation {_USER} AND x.relation {_RELATION}""",
    ),
)

_SURROUNDINGS: Final = (
    Kind(
        "members",
        "x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass, x.objid::bigint, e.extname",
        """pg_catalog.pg_depend x JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
        WHERE x.deptype = 'e' AND x.classid IN
        ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)""",
    ),
    Kind("extensions", "x.extname", "pg_catalog.pg_extension x"),
    Kind("collations", "x.oid::bigint", "pg_catalog.pg_collation x WHERE NOT x.collisdeterministic"),
    Kind("foreign_servers", "x.oid::bigint", "pg_catalog.pg_foreign_server x"),
    Kind(
        "login_triggers",
        "x.oid::bigint",
        "pg_catalog.pg_event_trigger x WHERE x.evtevent = 'login' AND x.evtenabled <> 'D'",
    ),
    Kind(
        "command_triggers",
        "x.oid::bigint",
        "pg_catalog.pg_event_trigger x WHERE x.evtevent <> 'login' AND x.evtenabled <> 'D'",
    ),
)

# What every role may do unless a superuser took it away: a row where all of it is still there.
_PUBLIC_ID: Final = Kind(
    "public_id",
    "true",
    """(SELECT) AS x WHERE pg_catalog.has_schema_privilege('public', 'pg_catalog', 'USAGE')
    AND pg_catalog.has_function_privilege(
        'public', 'pg_catalog.pg_current_xact_id_if_assigned()', 'EXECUTE')
    AND pg_catalog.has_function_privilege('public', 'pg_catalog.pg_cursor()', 'EXECUTE')
    AND pg_catalog.has_table_privilege('public', 'pg_catalog.pg_cursors', 'SELECT')""",
)

_RIGHTS: Final = (
    Kind("roles", "x.oid::bigint, x.rolname, x.rolsuper, x.rolcanlogin", "pg_catalog.pg_roles x"),
    Kind(
        "memberships",
        "x.member::bigint, x.roleid::bigint",
        # Before PostgreSQL 16 inheriting was a property of the member, since then of the membership.
        """pg_catalog.pg_auth_members x JOIN pg_catalog.pg_roles r ON r.oid = x.member
        WHERE COALESCE((pg_catalog.to_jsonb(x) ->> 'inherit_option')::boolean, r.rolinherit)""",
    ),
    Kind(
        "role_settings",
        "x.setdatabase::bigint, x.setrole::bigint, x.setconfig",
        "pg_catalog.pg_db_role_setting x",
    ),
    Kind("databases", "x.oid::bigint, x.datname, x.datdba::bigint", "pg_catalog.pg_database x"),
)

# Everything that is read of one database besides BUILT_IN.
DATABASE: Final[tuple[Kind, ...]] = (
    *_NAMES,
    *_code(_USER),
    *_types(_USER),
    _relations(_USER),
    *_COLUMNS,
    *_EXPRESSIONS,
    _MADE_BY_USERS,
    _ORDERINGS,
    *_TIES,
    *_VIEWS,
    *_SURROUNDINGS,
    _PUBLIC_ID,
    *_RIGHTS,
)
