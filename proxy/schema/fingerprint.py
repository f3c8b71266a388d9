"""One text that changes whenever the catalogue says something else, cheap to ask for every few seconds.

Each part sums a hash over the rows of one system table. Most parts hash a row's identity and its ``xmin``:
every committed INSERT, UPDATE or DELETE moves the sum, while what VACUUM and ANALYZE change they change in
place, which leaves xmin alone. pg_class and pg_index are hashed by the columns that matter, because TRUNCATE,
REINDEX, CLUSTER and VACUUM FULL rewrite their rows only to say where the data lie. Temporary objects are left
out.

Source: PostgreSQL docs, catalogs; ddl-system-columns (xmin); access/heap/heapam.c, heap_inplace_update.
"""
# ruff: noqa: S608 - every query is put together from the constants below

from __future__ import annotations

from typing import Final

from proxy.schema.catalogue import FIRST_USER_OID

# The WITH items that the expressions below speak of. A temporary relation is its session's own.
SCOPES: Final = """temporary AS MATERIALIZED (
  SELECT n.oid FROM pg_catalog.pg_namespace n
  WHERE n.nspname ~~ 'pg\\_temp\\_%' OR n.nspname ~~ 'pg\\_toast\\_temp\\_%'),
permanent AS MATERIALIZED (
  SELECT c.oid FROM pg_catalog.pg_class c
  WHERE c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c'))"""
_NOT_TEMPORARY: Final = "NOT IN (SELECT t.oid FROM temporary t)"
# IS TRUE keeps the sub-select a hash table that is asked row by row: a join would be planned blindly.
_PERMANENT: Final = "IN (SELECT p.oid FROM permanent p) IS TRUE"

_CLASS_COLUMNS: Final = (
    "x.oid, x.relname, x.relnamespace, x.reltype, x.relowner, x.relam = 2, x.relkind, x.relpersistence, "
    "x.relrowsecurity, x.relforcerowsecurity, x.relacl::pg_catalog.text, x.reloptions, "
    "x.relpartbound::pg_catalog.text"
)
_INDEX_COLUMNS: Final = (
    "x.indrelid, x.indkey, x.indclass, x.indexprs::pg_catalog.text, x.indpred::pg_catalog.text"
)
# A plain index changes no answer and calls nothing of a user's.
_INDEX_MATTERS: Final = (
    f"x.indrelid {_PERMANENT} AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL"
    f" OR {FIRST_USER_OID} <= ANY (x.indclass::pg_catalog.oid[]))"
)
# pg_authid is closed to ordinary roles; the view shows all but the password.
_ROLE_COLUMNS: Final = (
    "x.oid, x.rolname, x.rolsuper, x.rolinherit, x.rolcanlogin, x.rolreplication, x.rolbypassrls, "
    "x.rolconnlimit, x.rolvaliduntil"
)

# Name of the part, what is hashed of each row, the condition. The name is that of the system table.
_PARTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("pg_class", _CLASS_COLUMNS, f"x.oid {_PERMANENT}"),
    ("pg_index", _INDEX_COLUMNS, _INDEX_MATTERS),
    ("pg_attribute", "x.attrelid, x.attnum, x.xmin", f"x.attnum > 0 AND x.attrelid {_PERMANENT}"),
    ("pg_attrdef", "x.oid, x.xmin", f"x.adrelid {_PERMANENT}"),
    ("pg_inherits", "x.inhrelid, x.inhparent, x.xmin", f"x.inhrelid {_PERMANENT}"),
    ("pg_partitioned_table", "x.partrelid, x.xmin", f"x.partrelid {_PERMANENT}"),
    ("pg_trigger", "x.oid, x.xmin", f"x.tgrelid {_PERMANENT}"),
    ("pg_rewrite", "x.oid, x.xmin", f"x.ev_class {_PERMANENT}"),
    ("pg_policy", "x.oid, x.xmin", f"x.polrelid {_PERMANENT}"),
    ("pg_statistic_ext", "x.oid, x.xmin", f"x.stxrelid {_PERMANENT} AND x.stxexprs IS NOT NULL"),
    ("pg_foreign_table", "x.ftrelid, x.xmin", f"x.ftrelid {_PERMANENT}"),
    ("pg_constraint", "x.oid, x.xmin", f"x.connamespace {_NOT_TEMPORARY}"),
    ("pg_type", "x.oid, x.xmin", f"x.typnamespace {_NOT_TEMPORARY}"),
    ("pg_proc", "x.oid, x.xmin", f"x.pronamespace {_NOT_TEMPORARY}"),
    ("pg_namespace", "x.oid, x.xmin", f"x.oid {_NOT_TEMPORARY}"),
    ("pg_depend", "x.classid, x.objid, x.refobjid", "x.deptype IN ('e', 'x')"),
    ("pg_aggregate", "x.aggfnoid::pg_catalog.oid, x.xmin", "true"),
    ("pg_range", "x.rngtypid, x.xmin", "true"),
    ("pg_ts_config_map", "x.mapcfg, x.maptokentype, x.mapseqno, x.xmin", "true"),
    ("pg_seclabel", "x.objoid, x.classoid, x.objsubid, x.xmin", "true"),
    ("pg_shseclabel", "x.objoid, x.classoid, x.xmin", "true"),
    ("pg_db_role_setting", "x.setdatabase, x.setrole, x.xmin", "true"),
    ("pg_auth_members", "x.roleid, x.member, x.grantor, x.xmin", "true"),
    *(
        (f"pg_{table}", "x.oid, x.xmin", "true")
        for table in (
            *("operator", "cast", "am", "amop", "amproc", "opclass", "opfamily", "collation", "conversion"),
            *("enum", "language", "transform", "ts_config", "ts_dict", "ts_parser", "ts_template"),
            *("extension", "event_trigger", "foreign_data_wrapper", "foreign_server", "default_acl"),
            *("database", "parameter_acl"),
        )
    ),
)
_ROLES_VIEW: Final = ("pg_roles", _ROLE_COLUMNS, "true")
_ROLES_TABLE: Final = ("pg_authid", "x.oid, x.xmin", "true")

# The parts that speak of who may log in, as whom and with which settings.
RIGHTS_PARTS: Final = frozenset(
    ("pg_roles", "pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_database", "pg_parameter_acl")
)

_BUILT_IN_PARTS: Final[tuple[tuple[str, str, str], ...]] = tuple(
    (table, "x.oid, x.xmin", f"x.oid < {FIRST_USER_OID}")
    for table in ("pg_proc", "pg_type", "pg_operator", "pg_cast", "pg_namespace")
)


def fingerprint_expression(*, reads_authid: bool) -> str:
    """The fingerprint, ``table=count:sum`` words, for a query whose WITH holds ``SCOPES``.

    ``reads_authid``: the asking role may SELECT from pg_authid.
    """
    return _words((*_PARTS, _ROLES_TABLE if reads_authid else _ROLES_VIEW))


def built_in_expression() -> str:
    """The same of what initdb made of functions, types, operators and casts: only a superuser moves it."""
    return _words(_BUILT_IN_PARTS)


def _words(parts: tuple[tuple[str, str, str], ...]) -> str:
    return "pg_catalog.concat_ws(' ', " + ", ".join(_word(*part) for part in parts) + ")"


def _word(table: str, columns: str, condition: str) -> str:
    # hash_record_extended is there since PostgreSQL 14; the sum is numeric, so it never overflows.
    return (
        f"(SELECT pg_catalog.concat('{table}=', pg_catalog.count(*), ':', "
        f"pg_catalog.sum(pg_catalog.hash_record_extended(ROW({columns}), 0)))"
        f" FROM pg_catalog.{table} x WHERE {condition})"
    )


def parts_of(fingerprint: str) -> dict[str, str]:
    """The sums of a fingerprint by the name of their system table."""
    words = (word.partition("=") for word in fingerprint.split())
    return {name: value for name, _, value in words}
