"""Which functions a proof may lean on, as written lists with their sources.

Answers: an IMMUTABLE function of pg_catalog, or a row of ``STABLE``. Writes: a function of pg_catalog that is
not VOLATILE, or a name of ``HARMLESS``. Labels of user-made functions prove nothing, but for those that
allow-listed extensions bring in C.
"""

# ruff: noqa: SIM905 - long lists of names read better as text
from __future__ import annotations

from typing import Final

from proxy.schema.catalogue import FIRST_USER_OID, Function
from proxy.sql.proof.oids import NAMING, POLYMORPHIC, TIMETZ

# STABLE functions of pg_catalog that depend on nothing but their arguments and on settings that are part of
# the key: TimeZone, DateStyle, IntervalStyle, lc_*, default_text_search_config, xmlbinary and their like.
# By the name of the function, then by the names of its argument types ("" = none). Those of "any" or a
# polymorphic type print what they are given: arguments of naming types are denied before they get here.
# Source: PostgreSQL, catalog/pg_proc.dat, provolatile 's'; docs, functions-formatting, functions-datetime,
# functions-json, functions-textsearch, functions-string.
STABLE: Final[dict[str, tuple[str, ...]]] = {
    # Moments: TimeZone decides. age(x) with one argument counts from today and is not here.
    "age": ("timestamp timestamp", "timestamptz timestamptz"),
    "date": ("timestamptz",),
    "date_part": ("text timestamptz",),
    "date_trunc": ("text timestamptz", "text timestamptz text"),
    "date_add": ("timestamptz interval",),
    "date_subtract": ("timestamptz interval",),
    "extract": ("text timestamptz",),
    "generate_series": ("timestamptz timestamptz interval",),
    "interval_pl_timestamptz": ("interval timestamptz",),
    "make_timestamptz": ("int4 int4 int4 int4 int4 float8", "int4 int4 int4 int4 int4 float8 text"),
    "overlaps": (
        "timestamptz interval timestamptz timestamptz",
        "timestamptz interval timestamptz interval",
        "timestamptz timestamptz timestamptz interval",
    ),
    "time": ("timestamptz",),
    "timestamp": ("timestamptz",),
    "timestamptz": ("date", "date time", "timestamp"),
    "timestamptz_mi_interval": ("timestamptz interval",),
    "timestamptz_pl_interval": ("timestamptz interval",),
    "timezone": ("timestamp", "timestamptz"),
    **{f"date_{how}_timestamptz": ("date timestamptz",) for how in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{f"timestamptz_{how}_date": ("timestamptz date",) for how in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{
        f"timestamp_{how}_timestamptz": ("timestamp timestamptz",)
        for how in ("eq", "ne", "lt", "le", "gt", "ge")
    },
    **{
        f"timestamptz_{how}_timestamp": ("timestamptz timestamp",)
        for how in ("eq", "ne", "lt", "le", "gt", "ge")
    },
    # Formats: lc_numeric, lc_monetary, lc_time. to_timestamp(text, text) knows no 'now'.
    "to_char": (
        "float4 text",
        "float8 text",
        "int4 text",
        "int8 text",
        "interval text",
        "numeric text",
        "timestamp text",
        "timestamptz text",
    ),
    "to_date": ("text text",),
    "to_number": ("text text",),
    "to_timestamp": ("text text",),
    "money": ("int4", "int8", "numeric"),
    "numeric": ("money",),
    # Printers: DateStyle, bytea_output and their like decide.
    "anytextcat": ("anynonarray text",),
    "textanycat": ("text anynonarray",),
    "array_to_string": ("anyarray text", "anyarray text text"),
    "concat": ("any",),
    "concat_ws": ("text any",),
    "format": ("text", "text any"),
    "quote_literal": ("anyelement",),
    "quote_nullable": ("anyelement",),
    "array_to_json": ("anyarray", "anyarray bool"),
    "json_agg": ("anyelement",),
    "json_agg_strict": ("anyelement",),
    "json_build_array": ("", "any"),
    "json_build_object": ("", "any"),
    "json_object_agg": ("any any",),
    "json_object_agg_strict": ("any any",),
    "json_object_agg_unique": ("any any",),
    "json_object_agg_unique_strict": ("any any",),
    "jsonb_agg": ("anyelement",),
    "jsonb_agg_strict": ("anyelement",),
    "jsonb_build_array": ("", "any"),
    "jsonb_build_object": ("", "any"),
    "jsonb_object_agg": ("any any",),
    "jsonb_object_agg_strict": ("any any",),
    "jsonb_object_agg_unique": ("any any",),
    "jsonb_object_agg_unique_strict": ("any any",),
    "row_to_json": ("record", "record bool"),
    "to_json": ("anyelement",),
    "to_jsonb": ("anyelement",),
    "string_agg": ("text text", "bytea bytea"),
    # Enumerations: their labels change by DDL alone.
    "enum_first": ("anyenum",),
    "enum_last": ("anyenum",),
    "enum_range": ("anyenum", "anyenum anyenum"),
    # Text search: default_text_search_config.
    "json_to_tsvector": ("json jsonb",),
    "jsonb_to_tsvector": ("jsonb jsonb",),
    "phraseto_tsquery": ("text",),
    "plainto_tsquery": ("text",),
    "to_tsquery": ("text",),
    "to_tsvector": ("json", "jsonb", "text"),
    "ts_headline": (
        "text tsquery",
        "text tsquery text",
        "json tsquery",
        "json tsquery text",
        "jsonb tsquery",
        "jsonb tsquery text",
    ),
    "ts_match_tq": ("text tsquery",),
    "ts_match_tt": ("text text",),
    "websearch_to_tsquery": ("text",),
    # XML: xmloption, which is part of the key.
    "xml": ("text",),
    "xml_is_well_formed": ("text",),
}

# VOLATILE functions of pg_catalog that change no row of any table.
# Source: PostgreSQL docs, functions-sequence, functions-math, functions-uuid, functions-datetime,
# functions-admin, functions-info, functions-textsearch.
HARMLESS: Final = frozenset(
    """
    nextval currval lastval setval random random_normal setseed gen_random_uuid uuidv4 uuidv7
    clock_timestamp timeofday statement_timestamp pg_sleep pg_sleep_for pg_sleep_until pg_notify
    pg_listening_channels pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock
    pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
    pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_advisory_unlock
    pg_advisory_unlock_shared pg_advisory_unlock_all set_config pg_column_size pg_column_compression
    pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size
    pg_tablespace_size pg_is_in_recovery pg_is_wal_replay_paused pg_last_wal_receive_lsn
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_current_wal_lsn pg_current_wal_insert_lsn
    pg_current_wal_flush_lsn pg_get_wal_replay_pause_state pg_current_xact_id
    pg_current_xact_id_if_assigned pg_current_snapshot pg_xact_status txid_current
    txid_current_if_assigned txid_current_snapshot txid_status pg_export_snapshot pg_cancel_backend
    pg_terminate_backend pg_blocking_pids pg_safe_snapshot_blocking_pids
    pg_isolation_test_session_is_blocked pg_lock_status pg_stat_get_activity pg_stat_get_backend_idset
    pg_stat_clear_snapshot pg_stat_get_wal_senders pg_show_all_file_settings pg_hba_file_rules
    pg_timezone_names pg_control_system pg_control_checkpoint pg_control_recovery pg_control_init
    pg_get_replication_slots pg_prepared_xact pg_prepared_statement pg_cursor pg_postmaster_start_time
    pg_conf_load_time pg_collation_actual_version pg_relation_is_updatable tsvector_update_trigger
    tsvector_update_trigger_column suppress_redundant_updates_trigger
    """.split()
)

# Functions of pg_catalog that run a query or name a relation of the caller's choice, whatever their label.
# Source: PostgreSQL docs, functions-xml, "Mapping Tables to XML"; textsearch-features, "Query Rewriting".
RUNS_SQL: Final = frozenset(
    f"{what}_to_{form}"
    for what in ("query", "table", "schema", "database", "cursor")
    for form in ("xml", "xmlschema", "xml_and_xmlschema")
) | {"ts_stat", "ts_rewrite"}
# It calls the hash function of a partition key's operator class, which may be a user's, whatever its label.
_RUNS_USERS_CODE: Final = frozenset({"satisfies_hash_partition"})

# Functions of pg_catalog that read a value of a type of the caller's choice: its domains may check it by a
# user's function. Of those that fill rows the first argument tells the type.
# Source: PostgreSQL docs, functions-info, "Data Validity Checking"; functions-json, "JSON Processing".
FILLS_ROWS: Final = frozenset(
    """
    json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_record_valid
    jsonb_populate_recordset
    """.split()
)
READS_ANY_TYPE: Final = FILLS_ROWS | frozenset(
    """
    array_in domain_in multirange_in range_in record_in pg_input_error_info pg_input_is_valid
    """.split()
)

_WRITES_MAYBE: Final = RUNS_SQL | READS_ANY_TYPE | _RUNS_USERS_CODE

# Extensions whose C functions write nothing unless they are VOLATILE, and depend on nothing if IMMUTABLE.
# Source: PostgreSQL docs, contrib; pgvector's README.
EXTENSIONS: Final = frozenset(
    {
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "ltree",
        "pg_trgm",
        "pgcrypto",
        "seg",
        "uuid-ossp",
        "vector",
    }
)
# Their volatile functions that write nothing, favourites of column defaults.
EXTENSION_HARMLESS: Final = frozenset(
    """
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_uuid gen_random_bytes gen_salt
    """.split()
)
# Their answers depend on settings that no key holds: hnsw.ef_search and its like make an index skip rows.
_APPROXIMATE: Final = frozenset({"vector"})

# Functions that read a clock; told apart from other STABLE ones for the operator's sake.
CLOCKS: Final = frozenset(
    """
    now transaction_timestamp statement_timestamp clock_timestamp timeofday age pg_postmaster_start_time
    """.split()
)


def is_built_in(function: Function) -> bool:
    """Did initdb make it? A function that a user placed in pg_catalog has a higher oid."""
    return function.oid < FIRST_USER_OID and function.schema == "pg_catalog"


def is_of_trusted_extension(function: Function) -> bool:
    """Is it C code of an allow-listed extension? Its SQL functions may name what a user has redefined."""
    return function.extension in EXTENSIONS and function.language in ("c", "internal")


def denial(function: Function, argument_names: str) -> str:
    """Why an answer that calls ``function`` may not be remembered; "" if it may.

    ``argument_names``: its argument types' names in pg_type, joined by a space.
    """
    if is_of_trusted_extension(function):
        # One that makes a value of any type reads it from text, and a date may be 'now': hstore's #=.
        reads_any = function.result in POLYMORPHIC
        trusted = function.volatility == "i" and function.extension not in _APPROXIMATE and not reads_any
        return "" if trusted else "function"
    if not is_built_in(function):
        return "function"
    if function.name in RUNS_SQL or function.volatility == "v":
        return "time" if function.name in CLOCKS else "volatile"
    if function.volatility == "i":
        return _denial_of_immutable(function)
    if argument_names in STABLE.get(function.name, ()):
        return ""
    return "time" if function.name in CLOCKS else "stable"


def _denial_of_immutable(function: Function) -> str:
    if function.name in _RUNS_USERS_CODE:
        return "function"
    if function.result == TIMETZ:
        return "date"
    if function.result in NAMING:
        return "regtype"
    # Their answer holds the server's present timeline.
    return "stable" if function.name.startswith("pg_walfile_name") else ""


def writes_nothing(function: Function) -> bool:
    """Is it proven that running ``function`` changes no row, but those that its own statement names?"""
    if is_of_trusted_extension(function):
        # One that makes a value of any type reads it from text: hstore's #=.
        reads_any_type = function.result in POLYMORPHIC
        return not reads_any_type and (function.volatility != "v" or function.name in EXTENSION_HARMLESS)
    if not is_built_in(function) or function.name in _WRITES_MAYBE:
        return False
    return function.volatility != "v" or function.name in HARMLESS
