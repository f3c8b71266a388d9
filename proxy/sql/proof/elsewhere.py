"""Can code of this database change something that its own transaction does not know of?

Such code reaches further than the transaction it runs in: over foreign servers, through a language that is
not confined, by C. Source: PostgreSQL docs, sql-createlanguage, "TRUSTED"; contrib, "dblink".
"""

from __future__ import annotations

from typing import Final

from proxy.schema.catalogue import FIRST_USER_OID, Catalogue, Function
from proxy.sql.proof.volatility import EXTENSIONS

# Extensions whose C functions change nothing but by their own transaction; they may well write in it.
# Source: PostgreSQL docs, contrib.
CONFINED: Final = EXTENSIONS | {
    "amcheck",
    "bloom",
    "dict_int",
    "dict_xsyn",
    "isn",
    "lo",
    "moddatetime",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_stat_statements",
    "pg_visibility",
    "pgrowlocks",
    "pgstattuple",
    "plpgsql",
    "refint",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "xml2",
}


def acts_elsewhere(catalogue: Catalogue) -> bool:
    """May a statement in this database have effects that are no part of its transaction?"""
    if catalogue.foreign_servers or catalogue.untrusted_languages:
        return True
    made = (function for oid, function in catalogue.functions.items() if oid >= FIRST_USER_OID)
    return not all(_is_confined(catalogue, function) for function in made)


def reaches_other_databases(catalogue: Catalogue) -> bool:
    """May code of users' change another database of the same origin? That is where its links mostly lead."""
    return catalogue.foreign_servers or "dblink" in catalogue.extensions


def _is_confined(catalogue: Catalogue, function: Function) -> bool:
    """A language that is trusted cannot leave the transaction; "internal" only names what is built in."""
    if function.extension in CONFINED or function.language == "internal":
        return True
    return function.language in catalogue.trusted_languages
