"""The answers to ``queries.py`` as the JSON brings them: which cells a row of each ``rows.Kind`` has.

The rows were written by our own queries: one of another shape is a fault of ours, not looked for here.
"""

from __future__ import annotations

import json
from typing import TypedDict


class Rows(TypedDict, total=False):
    """A decoded answer: a list of rows for every ``Kind``, in the order of its columns."""

    database: int
    server_version: int
    encoding: str
    fingerprint: str
    built_in: str
    schemas: list[tuple[int, str, int, list[int]]]
    languages: list[tuple[int, str, bool]]
    functions: list[tuple[int, int, str, str, int, str, str, bool, int, int, int]]
    types: list[tuple[int, int, str, str, str, int, int, int, str | None]]
    operators: list[tuple[int, int, str, int, int, int, int]]
    casts: list[tuple[int, int, int, str, str]]
    ranges: list[tuple[int, int, int, int]]
    domain_checks: list[tuple[int, str]]
    relations: list[tuple[int, int, str, str, str, int, bool, list[str] | None, bool]]
    columns: list[tuple[int, int, str, int, int, int, bool, bool, bool]]
    defaults: list[tuple[int, int, str]]
    expressions: list[tuple[int, str]]
    policies: list[tuple[int, str]]
    index_owners: list[tuple[int, str]]
    orderings: list[tuple[int, str]]
    inherits: list[tuple[int, int]]
    foreign_keys: list[tuple[int, int, str, str, list[int], list[int]]]
    triggers: list[tuple[int, str, int, int, str, bool]]
    views: list[tuple[int, str]]
    uses: list[tuple[int, int]]
    rules: list[int]
    members: list[tuple[bool, int, str]]
    extensions: list[str]
    collations: list[int]
    foreign_servers: list[int]
    command_triggers: list[int]
    public_id: list[bool]
    login_triggers: list[int]
    roles: list[tuple[int, str, bool, bool]]
    memberships: list[tuple[int, int]]
    role_settings: list[tuple[int, int, list[str]]]
    databases: list[tuple[int, str, int]]


def decode(answer: str) -> Rows:
    """The rows of one answer; the keys that its query did not ask for are missing."""
    rows: Rows = json.loads(answer)
    return rows
