"""The bounds of the memory: every table has a limit, and meeting one costs hits, never a wrong answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Options of this room; sizes in bytes, the others are counts.

    ``cache_bytes``: all entries with keys, overhead and slots that hold entries. 128 MiB is what a 512 MB
    container can spare.
    ``max_entry_bytes``: payload and key of one entry; larger answers are served and forgotten. 1 MiB, so that
    one answer never displaces more than a hundredth of the default memory.
    ``max_relations``: relations with a generation of their own; those beyond share one per database, so a
    write to one of them drops the answers of all of them. Schemas of 10,000 relations exist; a tag takes 200
    bytes, 2 KiB with the facets of a relation that is read.
    ``max_facets``: ways of reading one relation that precise writes tell apart; those beyond share one. An
    application asks a table in some dozens of ways, and a write looks at each.
    ``max_databases``: likewise for databases; those beyond share one.
    ``max_reach``: relations, facets and buckets that one write suspends one by one; with more rows than that
    it suspends whole relations, with more relations its whole database. Keeps a write to a table of 100,000
    partitions from stalling everybody else.
    ``max_scopes``: remembered scopes; the oldest is forgotten first and gets a new number when it comes back.
    ``max_flights`` and ``max_followers``: fills that may be shared at one time, and requests waiting for one
    of them; a request beyond either asks the origin itself.
    """

    cache_bytes: int = 128 * 1024 * 1024
    max_entry_bytes: int = 1024 * 1024
    max_relations: int = 100_000
    max_facets: int = 64
    max_databases: int = 1_000
    max_reach: int = 1_000
    max_scopes: int = 10_000
    max_flights: int = 10_000
    max_followers: int = 1_000
