"""The SQL that asks an origin who it is and what its catalogue says; each of these is one round trip.

Functions and tables are named with their schema, so that no search_path of the asking role bends them. Every
role may ask all of it; what some roles may not read hangs on ``Abilities``, asked first, because PostgreSQL
checks rights before it looks into any CASE.
"""
# ruff: noqa: S608 - every query is put together from constants

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from proxy.schema.fingerprint import SCOPES, built_in_expression, fingerprint_expression
from proxy.schema.rows import BUILT_IN, DATABASE, Kind

# pg_get_viewdef and pg_get_expr leave out every schema that the search_path finds by itself. The setting is
# made inside the statement and is gone with it: a pooler in front of the origin would lose a SET of its own.
_PATH: Final = "path AS MATERIALIZED (SELECT pg_catalog.set_config('search_path', 'pg_catalog', true))"
_DATABASE_OID: Final = (
    "(SELECT d.oid::bigint FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
)
_VERSION: Final = "pg_catalog.current_setting('server_version_num')::integer"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the asking role may do beyond what every role may: the row of ``ABILITIES_QUERY``, in order."""

    reads_authid: bool = False  # SELECT from pg_authid
    reads_control: bool = False  # EXECUTE pg_control_system() and pg_control_checkpoint()
    reads_wal: bool = False  # EXECUTE pg_current_wal_lsn() and pg_walfile_name()


ABILITIES_QUERY: Final = """SELECT
pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT'),
pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
  AND pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE'),
pg_catalog.has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')
  AND pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)', 'EXECUTE')"""

_SYSTEM: Final = "(SELECT s.system_identifier FROM pg_catalog.pg_control_system() s)"
_CONTROL_TIMELINE: Final = "(SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c)"
# The control file tells of a promotion only at the next checkpoint, the name of the WAL file at once; but
# that is not to be had in recovery. Source: PostgreSQL docs, functions-admin, "Backup Control Functions".
_WAL_TIMELINE: Final = """('x' || pg_catalog.substr(
  pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer"""


def identity_query(abilities: Abilities) -> str:
    """One row: the fields of ``catalogue.Identity``, in order; NULL for what the role may not read."""
    system = _SYSTEM if abilities.reads_control else "NULL"
    standby = _CONTROL_TIMELINE if abilities.reads_control else "NULL"
    primary = _WAL_TIMELINE if abilities.reads_wal else standby
    return f"""SELECT {system}::bigint,
CASE WHEN pg_catalog.pg_is_in_recovery() THEN {standby} ELSE {primary} END::bigint,
{_microseconds("pg_catalog.pg_postmaster_start_time()")},
{_microseconds("pg_catalog.pg_conf_load_time()")},
pg_catalog.pg_is_in_recovery(), {_VERSION}, {_DATABASE_OID}"""


def _microseconds(moment: str) -> str:
    return f"(EXTRACT(epoch FROM {moment}) * 1000000)::bigint"


def fingerprint_query(abilities: Abilities) -> str:
    """One text, equal only while the catalogue says the same (see ``fingerprint.py``).

    Without the right to read pg_authid a changed password does not show in it.
    """
    return f"WITH {SCOPES} SELECT {fingerprint_expression(reads_authid=abilities.reads_authid)}"


def database_query(abilities: Abilities) -> str:
    """One text, a JSON object of rows by kind, with the fingerprints of that same snapshot.

    ``$1``: the most relations that the database may have; with more the answer is NULL.
    """
    parts = (
        f"'database', {_DATABASE_OID}",
        f"'server_version', {_VERSION}",
        "'encoding', pg_catalog.current_setting('server_encoding')",
        f"'fingerprint', {fingerprint_expression(reads_authid=abilities.reads_authid)}",
        f"'built_in', {built_in_expression()}",
        *map(_rows, DATABASE),
    )
    few_enough = "(SELECT pg_catalog.count(*) FROM permanent) <= $1::bigint"
    return f"WITH {_PATH}, {SCOPES} SELECT CASE WHEN {few_enough} THEN {_object(parts)} END"


def built_in_query() -> str:
    """One text, a JSON object of rows by kind: the functions, types, operators ... that initdb made."""
    return f"WITH {_PATH}, {SCOPES} SELECT {_object(tuple(map(_rows, BUILT_IN)))}"


def _object(parts: tuple[str, ...]) -> str:
    return "pg_catalog.json_build_object(" + ",\n".join(parts) + ")::pg_catalog.text"


def _rows(kind: Kind) -> str:
    # A single column needs no array around it.
    row = f"pg_catalog.json_build_array({kind.columns})" if "," in kind.columns else kind.columns
    return f"'{kind.name}', (SELECT COALESCE(pg_catalog.json_agg({row}), '[]') FROM {kind.source})"
